"""Which home owns what: drawn at random behind each station, by penetration.

Three mixes: the *reference* one has the averages, *focus-pv* 60 % PV and *focus-ev* 33 % EV instead of them. The
averages of the source were extrapolated from the REPowerEU plan and are not in its text; those here are assumptions:
40 % PV, 60 % heat pumps, 20 % EV, and a battery for 90 % of the homes with PV. Nor does the text say which station has
which mix: here the first station of a region is focus-pv, the second focus-ev, all others reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.region.draws import uniforms
from feeders.errors import InputError, InputErrors

__all__ = ["MIXES", "Mix", "Penetration", "allocate", "station_mixes"]


@dataclass(frozen=True)
class Penetration:
    """Shares of homes that own something, each within [0, 1].

    Attributes
    ----------
    pv, heat_pump, ev : float
        Of all homes.
    battery : float
        Of the homes with PV; no other has one.
    thermal_store : float
        Of the homes with both PV and a heat pump; no other has one.

    Raises
    ------
    InputErrors
        For a share outside [0, 1].
    """

    pv: float = 0.40
    heat_pump: float = 0.60
    ev: float = 0.20
    battery: float = 0.90
    thermal_store: float = 1.0

    def __post_init__(self) -> None:
        problems = [
            InputError("penetration", field.name, getattr(self, field.name), "a share from 0 to 1")
            for field in fields(self)
            if not 0 <= getattr(self, field.name) <= 1
        ]
        if problems:
            raise InputErrors(problems)


MIXES: Mapping[str, Mapping[str, float]] = {"focus-pv": {"pv": 0.60}, "focus-ev": {"ev": 0.33}, "reference": {}}
"""What each mix has instead of the averages (source, Table 1)."""

Mix = str | Penetration


def station_mixes(
    stations: Sequence[str], mix: Mix | Mapping[str, Mix] = "paper", average: Penetration | None = None
) -> dict[str, Penetration]:
    """The penetration behind each station.

    Parameters
    ----------
    stations : sequence of str
        Names, in the order of the region.
    mix : str, Penetration, or mapping from station to one of them
        ``"paper"``: the three mixes in the order of the stations (module's docstring). A name of `MIXES`, or a
        penetration: the same for all. A mapping: stations that it leaves out are reference.
    average : Penetration, optional
        What the reference mix has, and the others but for their focus. Default: `Penetration`'s.

    Raises
    ------
    InputErrors
        For unknown mixes and stations; the message gives the known ones.
    """
    average = average or Penetration()
    if isinstance(mix, Mapping):
        chosen: dict[str, Mix] = dict(mix)
        problems = [_unknown_station(name, stations) for name in mix if name not in stations]
    else:
        in_order = list(MIXES)
        paper = {name: in_order[min(place, len(in_order) - 1)] for place, name in enumerate(stations)}
        chosen = {name: paper[name] if mix == "paper" else mix for name in stations}
        problems = []
    named = {name: chosen.get(name, "reference") for name in stations}
    problems += [
        InputError("region case", f"mix.{name}", value, f"a penetration, or one of {', '.join(MIXES)}")
        for name, value in named.items()
        if not isinstance(value, Penetration) and value not in MIXES
    ]
    if problems:
        raise InputErrors(problems)
    return {
        name: value if isinstance(value, Penetration) else replace(average, **MIXES[value])
        for name, value in named.items()
    }


def allocate(
    station: pd.Series, mixes: Mapping[str, Penetration], seed: int, *, today_pv: float = 0.25, exact: bool = True
) -> pd.DataFrame:
    """Who owns what.

    Each home has one random number per asset, from the seed and its own name. With ``exact`` those of a station with
    the lowest numbers own the asset, as many as the penetration says, halves rounded up: the numbers of homes are the
    same for every seed. Without, each home whose own number is below the penetration owns it, whatever the others
    do. In both, more penetration only adds owners, and homes with PV today are among those with PV later.

    Parameters
    ----------
    station : Series of str
        The station of each home, by the home's name.
    mixes : mapping
        From station to penetration.
    seed : int
    today_pv : float
        Share of homes that have PV in the status quo (source: 25 %).
    exact : bool

    Returns
    -------
    DataFrame of bool
        A home a row; columns ``pv_today``, ``pv``, ``heat_pump``, ``ev``, ``battery``, ``thermal_store``.

    Raises
    ------
    InputError
        For `today_pv` outside [0, 1].
    """
    if not 0 <= today_pv <= 1:
        raise InputError("penetration", "today_pv", today_pv, "a share from 0 to 1")
    names = [str(name) for name in station.index]
    owns = pd.DataFrame(index=station.index)

    def drawn(asset: str, share: npt.NDArray[np.float64], among: npt.NDArray[np.bool_], what: str) -> None:
        u = uniforms(names, seed, what)
        owns[asset] = _lowest(u, share, among, station.to_numpy()) if exact else among & (u < share)

    def of(asset: str) -> npt.NDArray[np.float64]:
        return station.map(lambda name: getattr(mixes[name], asset)).to_numpy(float)

    everyone = np.ones(len(station), dtype=bool)
    drawn("pv_today", np.full(len(station), today_pv), everyone, "pv")
    for asset in ("pv", "heat_pump", "ev"):
        drawn(asset, of(asset), everyone, asset)
    drawn("battery", of("battery"), owns["pv"].to_numpy(), "battery")
    drawn("thermal_store", of("thermal_store"), (owns["pv"] & owns["heat_pump"]).to_numpy(), "thermal store")
    return owns


def _lowest(
    u: npt.NDArray[np.float64],
    share: npt.NDArray[np.float64],
    among: npt.NDArray[np.bool_],
    station: npt.NDArray[np.object_],
) -> npt.NDArray[np.bool_]:
    """The homes with the lowest numbers behind each station, as many as its share of those it is drawn among."""
    chosen = np.zeros(len(u), dtype=bool)
    for name in pd.unique(station):
        rows = np.flatnonzero(among & (station == name))
        if len(rows):
            count = int(np.floor(share[rows[0]] * len(rows) + 0.5 + 1e-9))  # 0.35 * 10 is below 3.5
            chosen[rows[np.argsort(u[rows], kind="stable")[:count]]] = True
    return chosen


def _unknown_station(name: str, stations: Sequence[str]) -> InputError:
    near = get_close_matches(str(name), stations, n=3, cutoff=0.0)
    return InputError("region case", "mix", name, f"a station of the region, such as {', '.join(near)}")
