"""How steep a rule is against its feeder: the loop gain, above which homes that read the last minute's voltage hunt.

Within its droop a rule moves active and reactive power with the voltage, at the slopes a and b per rating,

    dp = a S dv     (consumed),     dq = -b S dv     (injected),

and the feeder answers with dv = -R dp + X dq, R and X its sensitivities at the buses where homes are. What a deviation
dv has become a control step later is -(a R + b X) S dv: it grows where the spectral radius of that matrix is above 1.
PRC has a = b = 2 / (u_max - 1 - dead), ANRC half of it, hybrid a of ANRC and b of PRC.

It is a bound from above: as if all who obey were in their droops at once, with all of their rating to move. Batteries
and PV move less active power than that, and reactive power has what active power leaves.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer import VoltageBand, rule_by_name
from cosim.build import build_feeder
from cosim.population import resolve
from experiments.across_feeders_settings import AcrossSettings, Size
from feeders import Engine, make_engine

__all__ = ["loop_gain", "loop_gains", "slopes"]

Array = npt.NDArray[np.float64]

_STEP_KW = 1.0


def loop_gains(settings: AcrossSettings, feeder: str, size: Size) -> pd.DataFrame:
    """One row per share and rule: ``feeder``, ``size``, ``share``, ``rule``, ``loop_gain`` (mean over populations)."""
    season = settings.seasons[0]
    engine = make_engine(build_feeder(settings.scenario(feeder, size, season, settings.seeds[0]).feeder))
    rows = []
    for share in settings.shares:
        scenarios = [
            settings.scenario(feeder, size, season, seed, population__rule_share=share) for seed in settings.seeds
        ]
        homes = [resolve(scenario, engine.feeder).prosumers for scenario in scenarios]
        band = scenarios[0].voltage.band
        for rule in settings.rules:
            gains = []
            for people in homes:
                obey = [home for home in people if home.rule is None]
                kva = np.array([home.inverter_kva for home in obey])
                gains.append(loop_gain(engine, [home.bus for home in obey], kva, rule, band))
            rows.append((feeder, size.name, share, rule, float(np.mean(gains))))
    return pd.DataFrame(rows, columns=["feeder", "size", "share", "rule", "loop_gain"])


def loop_gain(engine: Engine, buses: list[int | str], kva: Array, rule: str, band: VoltageBand) -> float:
    """Spectral radius of (a R + b X) S, inverters of ratings `kva` at `buses`, at the net's own loads; of nobody 0."""
    place, home = np.unique(engine.feeder.bus_positions(buses), return_inverse=True)
    if not len(place):
        return 0.0
    rating = np.zeros(len(place))
    np.add.at(rating, home, kva)
    a, b = slopes(rule, band)
    r, x = _sensitivities(engine, place)
    return float(np.abs(np.linalg.eigvals((a * r + b * x) * rating)).max())


def slopes(rule: str, band: VoltageBand) -> tuple[float, float]:
    """How fast the forced powers move in the middle of the upper droop, per rating and p.u.: consumed, and absorbed."""
    width = band.vm_max_pu - 1 - band.dead_pu
    vm_pu = 1 + band.dead_pu + width * np.array([0.6, 0.8])
    ranges = rule_by_name(rule)(vm_pu, np.ones(2), band)
    run = 0.2 * width
    return float(np.diff(ranges.p_lo_kw)[0] / run), float(-np.diff(ranges.q_hi_kvar)[0] / run)


def _sensitivities(engine: Engine, place: npt.NDArray[np.intp]) -> tuple[Array, Array]:
    """-dv/dp and dv/dq between some buses, shape (n, n) [p.u./kW, p.u./kvar]: rows feel, columns act."""
    n, n_buses = len(place), engine.feeder.n_buses
    p, q = np.zeros((2, 2 * n + 1, n_buses))
    p[np.arange(n), place] = _STEP_KW
    q[n + np.arange(n), place] = _STEP_KW
    vm_pu = engine.solve(p, q)[:, place]
    r: Array = -(vm_pu[:n] - vm_pu[-1]).T / _STEP_KW
    x: Array = (vm_pu[n : 2 * n] - vm_pu[-1]).T / _STEP_KW
    return r, x
