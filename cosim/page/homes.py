"""The homes of a scenario as the page's controls change them: how many are prosumers, how large, on which feeder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.prosumer_spec import ProsumerSpec
from feeders import Feeder

__all__ = ["Sizes", "battery_power_kw", "moved", "resized", "sharing"]


@dataclass(frozen=True)
class Sizes:
    """What homes own, on average over those that have it; 0 where nobody has.

    Attributes
    ----------
    pv_kwp, battery_kwh : float
    inverter_factor : float
        Ratings over the power behind them, all inverters together; 1 where there is nothing behind any.
    """

    pv_kwp: float
    battery_kwh: float
    inverter_factor: float

    @classmethod
    def of(cls, homes: Sequence[ProsumerSpec]) -> Sizes:
        """Those of some homes."""
        behind = [(home, _behind_kw(home)) for home in homes]
        rated = sum(home.inverter_kva + (home.pv_inverter_kva or 0.0) for home, kw in behind if sum(kw) > 0)
        power = sum(sum(kw) for _, kw in behind)
        return cls(
            _mean_above_zero([home.pv_kwp for home in homes]),
            _mean_above_zero([home.battery_kwh for home in homes]),
            rated / power if power else 1.0,
        )


def battery_power_kw(home: ProsumerSpec) -> float:
    """The larger of the two ramps of a home's battery."""
    return max(home.battery_c_charge, home.battery_c_discharge) * home.battery_kwh


def resized(homes: Sequence[ProsumerSpec], old: Sizes, new: Sizes) -> tuple[ProsumerSpec, ...]:
    """The same homes with what they own made larger or smaller, all by the same factors.

    Who has no PV or battery gets none, unless nobody has: then all get the same. Inverters grow with what is behind
    them, and by the factor itself. A size that is the old one stays exactly as it is.
    """
    pv = _scaled(old.pv_kwp, new.pv_kwp)
    battery = _scaled(old.battery_kwh, new.battery_kwh)

    def one(home: ProsumerSpec) -> ProsumerSpec:
        update: dict[str, Any] = {"pv_kwp": pv(home.pv_kwp), "battery_kwh": battery(home.battery_kwh)}
        for name in ("battery_min_kwh", "energy_start_kwh"):
            energy = getattr(home, name)
            if energy is not None and home.battery_kwh > 0:
                update[name] = min(energy * (update["battery_kwh"] / home.battery_kwh), update["battery_kwh"])
        twin = home.model_copy(update=update)
        ratings = zip(_ratings(home), _behind_kw(home), _behind_kw(twin), strict=True)
        kva = [_rating(*rating, old.inverter_factor, new.inverter_factor) for rating in ratings]
        update["inverter_kva"] = kva[-1]
        if home.pv_inverter_kva is not None:
            update["pv_inverter_kva"] = kva[0]
        return home.model_copy(update=update)

    return tuple(one(home) for home in homes)


def sharing(homes: Sequence[ProsumerSpec], share: float, seed: int) -> tuple[ProsumerSpec, ...]:
    """The same homes, of which a share are prosumers; the others only consume.

    Who only consumes has no PV, battery or inverter, plans nothing and obeys no rule; its load stays. Homes join in a
    random order of the seed: with a larger share all who took part still do.
    """
    order = np.random.default_rng([seed, len(homes)]).permutation(len(homes))
    taking_part = np.zeros(len(homes), dtype=bool)
    taking_part[order[: round(share * len(homes))]] = True
    return tuple(home if own else _consumer(home) for home, own in zip(homes, taking_part.tolist(), strict=True))


def moved(homes: Sequence[ProsumerSpec], old: Feeder, new: Feeder, n: int) -> tuple[ProsumerSpec, ...]:
    """As many homes of the same kinds on another feeder, spread over its connection buses; who was far is far there.

    Both feeders' places are taken in the order of their electrical distance; where there are more homes than before,
    there are several of a kind, and where there are fewer, some kinds are left out.
    """
    by_distance = _by_distance(old, old.bus_positions([home.bus for home in homes]))
    kinds = [homes[row] for row in by_distance]
    places = new.connection_buses[_by_distance(new, new.bus_positions(new.connection_buses.tolist()))]
    return tuple(
        kinds[k * len(kinds) // n].model_copy(update={"id": f"home-{k + 1}", "bus": int(places[k * len(places) // n])})
        for k in range(n)
    )


def _by_distance(feeder: Feeder, position: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    return np.argsort(feeder.electrical_distance["z_ohm"].to_numpy()[position], kind="stable")


def _mean_above_zero(values: Sequence[float]) -> float:
    there = [value for value in values if value > 0]
    return sum(there) / len(there) if there else 0.0


def _scaled(old: float, new: float) -> Callable[[float], float]:
    if new == old:
        return lambda size: size
    return (lambda _: new) if old == 0 else (lambda size: size * (new / old))


def _ratings(home: ProsumerSpec) -> list[float]:
    """Of PV's own inverter, if it has one, and of the other."""
    return [home.inverter_kva] if home.pv_inverter_kva is None else [home.pv_inverter_kva, home.inverter_kva]


def _behind_kw(home: ProsumerSpec) -> list[float]:
    """The power that each of these is for: a shared one for the larger of PV and battery."""
    battery_kw = battery_power_kw(home)
    return [max(home.pv_kwp, battery_kw)] if home.pv_inverter_kva is None else [home.pv_kwp, battery_kw]


def _rating(kva: float, old_kw: float, new_kw: float, old: float, new: float) -> float:
    """The rating for another power behind it, and another factor."""
    if old_kw > 0 and old > 0:
        return kva if (old_kw, old) == (new_kw, new) else kva * (new / old) * (new_kw / old_kw)
    return new * new_kw if new_kw > 0 else kva


def _consumer(home: ProsumerSpec) -> ProsumerSpec:
    return home.model_copy(
        update={
            "pv_kwp": 0.0,
            "battery_kwh": 0.0,
            "battery_min_kwh": 0.0,
            "energy_start_kwh": None,
            "inverter_kva": 0.0,
            "pv_inverter_kva": None,
            "optimise": False,
            "rule": "none",
        }
    )
