"""Facilities small enough to plan by hand, and random ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.facility import (
    Boiler,
    Cogenerator,
    ElectricChiller,
    FacilityPlanner,
    Needs,
    Plant,
    Schedule,
    Store,
)
from agents.terms import Terms

__all__ = [
    "COLD",
    "COOLED",
    "ENGINE",
    "MONDAY",
    "check",
    "needs",
    "planner",
    "powered",
    "terms",
    "time_of_use",
    "with_store",
]

Array = npt.NDArray[np.float64]

MONDAY = datetime(2018, 7, 23, 6, tzinfo=UTC)  # midnight in Denver

COLD = Store(
    10.0,
    efficiency_charge=1.0,
    efficiency_discharge=1.0,
    decay_per_h=0.0,
    charge_rate_per_h=1e3,
    discharge_rate_per_h=1e3,
)
"""A store without losses or limits but its 10 kWh."""

COOLED = Plant(cold=COLD, chiller=ElectricChiller(100.0, 2.0))

ENGINE = Cogenerator(10.0, 0.4, 0.4, om_per_kwh=0.01, min_load_share=0.5, start_cost=1.0)


def needs(n: int, step_h: float = 1.0, **changes: Any) -> Needs:
    """No load and no sun, but for the changes; numbers stand for all steps."""
    columns = {name: 0.0 for name in ("electric_kw", "cooling_kw", "heat_kw", "pv_per_kw", "solar_per_kw")} | changes
    start = columns.pop("start", MONDAY)
    return Needs(start, step_h, **{k: np.broadcast_to(np.asarray(v, float), (n,)) for k, v in columns.items()})


def terms(price: Any, sell: Any = 0.0, step_h: float = 1.0, windows: Any = (), demand: Any = ()) -> Terms:
    """Terms of one customer."""
    price = np.asarray(price, float)[:, None]
    sell = np.broadcast_to(np.reshape(np.asarray(sell, float), (-1, 1)), price.shape)
    mask = np.array(windows, dtype=bool).reshape(len(demand), len(price))
    return Terms(price, sell, np.array(demand, dtype=float).reshape(-1, 1), mask, step_h)


def time_of_use(n_steps: int, step_h: float = 0.25) -> Terms:
    """0.115 from 08:00 to 20:00 of the first five days of a week that begins at midnight, else 0.06."""
    hours = np.arange(n_steps) * step_h
    on_peak = (hours % 24 >= 8) & (hours % 24 < 20) & (hours // 24 % 7 < 5)
    return terms(np.where(on_peak, 0.115, 0.06), step_h=step_h)


def planner(plant: Plant, need: Needs, **options: Any) -> FacilityPlanner:
    """A planner of a facility called "test"."""
    return FacilityPlanner("test", plant, need, **options)


def check(schedule: Schedule, *, one_way: bool = True) -> None:
    """A schedule adds up and keeps to its ratings, to 1e-9 of its largest number."""
    uses = [part for use in schedule.stores.values() for part in (use.charge_kw, use.energy_kwh)]
    scale = max(1.0, *(float(np.abs(part).max()) for part in (*uses, schedule.p_kw, schedule.flows.chiller_kw)))
    for name, left in schedule.balances().items():
        assert np.abs(left).max() <= 1e-9 * scale, name
    for name, over in schedule.excess().items():
        assert over <= 1e-9 * scale, name
    if one_way:
        for name, both in schedule.overlap_kw().items():
            assert both.max() <= 1e-6, name


def with_store(**changes: Any) -> Plant:
    """The cooled plant with another store."""
    return replace(COOLED, cold=replace(COLD, **changes))


def powered(**changes: Any) -> Plant:
    """An engine and a boiler."""
    return Plant(generator=replace(ENGINE, **changes), boiler=Boiler(100.0, 0.8))
