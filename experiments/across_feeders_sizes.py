"""How large homes are on a feeder, by one criterion for all feeders: as large as it carries without any rule.

The published house sits on a feeder that was made for it. Elsewhere a prosumer stands for several such homes behind its
bus, and the feeder is loaded to both of its limits with nobody obeying a rule:

1. homes per prosumer, such that the lowest voltage at any home in the winter week is the lower limit, without PV;
2. PV per home, such that the highest voltage at any home in the summer week is the upper limit.

Both are means over the populations, of whole weeks. Under no rule, with one price for buying and selling, plans do
not depend on PV, so that the second leaves the first as it is where the lowest voltage is at night. The runs themselves
say what came of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from cosim import Run, Scenario, run_ensemble
from cosim.build import build_feeder, build_signals
from cosim.population import resolve
from experiments.across_feeders_settings import AcrossSettings, Season, Size
from feeders import Engine, make_engine
from feeders.errors import InputError, PowerFlowError

__all__ = ["at_limit"]

Array = npt.NDArray[np.float64]

_MOST_HOMES, _MOST_KWP = 1e6, 1e3  # beyond these no feeder is looked for
_CLOSE = 1e-4  # relative


@dataclass(frozen=True)
class _Week:
    """One season of all populations: power of homes of size 1 at the buses, without sun, and what 1 kWp adds.

    Arrays of shape (n_seeds, n_steps, n_buses) [kW], > 0 consumed; `homes` of shape (n_seeds, n_buses).
    """

    engine: Engine
    dark_kw: Array
    sun_kw: Array
    homes: npt.NDArray[np.bool_]

    def extremes(self, homes_each: float, pv_kwp: float) -> tuple[float, float]:
        """Lowest and highest voltage at any home, means over the populations [p.u.]."""
        power = homes_each * (self.dark_kw - pv_kwp * self.sun_kw)
        vm_pu = self.engine.solve(power.reshape(-1, power.shape[-1]), np.zeros_like(power).reshape(-1, power.shape[-1]))
        at_homes = vm_pu.reshape(power.shape)
        low = [seed[:, own].min() for seed, own in zip(at_homes, self.homes, strict=True)]
        high = [seed[:, own].max() for seed, own in zip(at_homes, self.homes, strict=True)]
        return float(np.mean(low)), float(np.mean(high))


def at_limit(settings: AcrossSettings, feeder: str, threads: int = 1) -> Size:
    """The size at which a feeder reaches both limits without a rule.

    Raises
    ------
    InputError
        When its voltage leaves the limits without any home, or never reaches them.
    """
    settings = settings.model_copy(update={"days": 7})  # whole weeks, however much of them is lived
    winter = _week(settings, feeder, "winter", threads)
    homes_each = _root(lambda m: settings.vm_min_pu - _low(winter, m), 1.0, _MOST_HOMES, feeder, "homes")
    summer = _week(settings, feeder, "summer", threads)
    pv_kwp = _root(lambda kwp: _high(summer, homes_each, kwp) - settings.vm_max_pu, 1.0, _MOST_KWP, feeder, "PV")
    return Size("at-limit", homes_each, pv_kwp)


def _week(settings: AcrossSettings, feeder: str, season: Season, threads: int) -> _Week:
    dark = Size("at-limit", pv_kwp=0.0)
    changes = {"record": ("p_meter_kw",), "record_every": 15}  # powers hold for a market step
    scenarios = [settings.scenario(feeder, dark, season, seed, **changes) for seed in settings.seeds]
    engine = make_engine(build_feeder(scenarios[0].feeder))
    runs = run_ensemble(scenarios, threads=threads)
    dark_kw = np.stack([_at_buses(run.column("p_meter_kw"), run, engine) for run in runs])
    sun_kw = np.stack([_at_buses(_sun(settings, feeder, season, run), run, engine) for run in runs])
    return _Week(engine, dark_kw, sun_kw, np.stack([_homes(run, engine) for run in runs]))


def _sun(settings: AcrossSettings, feeder: str, season: Season, run: Run) -> Array:
    """What 1 kWp at each home of a run gives, shape (n_steps, n)."""
    sunny: Scenario = settings.scenario(feeder, Size("at-limit", pv_kwp=1.0), season, run.scenario.seed)
    return build_signals(resolve(sunny)).p_pv_kw


def _at_buses(power_kw: Array, run: Run, engine: Engine) -> Array:
    """Power of homes, shape (n_steps, n), added up at buses, (n_steps, n_buses)."""
    place = engine.feeder.bus_positions(run.prosumers["bus"].tolist())
    found = np.zeros((len(power_kw), engine.feeder.n_buses))
    np.add.at(found.T, place, power_kw.T)
    return found


def _homes(run: Run, engine: Engine) -> npt.NDArray[np.bool_]:
    found = np.zeros(engine.feeder.n_buses, dtype=bool)
    found[engine.feeder.bus_positions(run.prosumers["bus"].tolist())] = True
    return found


def _low(week: _Week, homes_each: float) -> float:
    """The lowest voltage; half the nominal where there is no solution."""
    try:
        return week.extremes(homes_each, 0.0)[0]
    except PowerFlowError:
        return 0.5


def _high(week: _Week, homes_each: float, pv_kwp: float) -> float:
    """The highest voltage; half as much again as the nominal where there is no solution."""
    try:
        return week.extremes(homes_each, pv_kwp)[1]
    except PowerFlowError:
        return 1.5


def _root(excess: Callable[[float], float], first: float, most: float, feeder: str, what: str) -> float:
    """Where a rising function is zero, looked for upwards from 0."""
    low, high = 0.0, first
    if excess(low) >= 0:
        allowed = "a feeder that is within the voltage limits without them"
        raise InputError("across-feeders", "feeders", feeder, f"{allowed} ({what})")
    while excess(high) < 0:
        low, high = high, 2 * high
        if high > most:
            raise InputError("across-feeders", "feeders", feeder, f"one whose voltage {what} moves to its limit")
    return float(brentq(excess, low, high, rtol=_CLOSE, xtol=_CLOSE * first))
