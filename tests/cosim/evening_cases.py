"""What the tests of the operator's evenings share: scenarios small enough to work out by hand what must come."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim import CoSimulation, Scenario
from cosim.evening import Evening
from tests.cosim.loop_cases import with_profiles

__all__ = ["DEARER", "LIMIT_PU", "LOADED", "crowded", "evening_of", "planned"]

Array = npt.NDArray[np.float64]

LOADED, DEARER = slice(8, 16), slice(16, 24)
"""Quarter-hours of the cheapest price, in which there is load too; and those that cost a hair more, without load."""

LIMIT_PU = 0.975
"""At bus 4: above the voltage of a load of 1.1 kW at each home, below that of 2 kW, see `test_evening`."""


def crowded(base: Scenario, folder: Path, **changes: Any) -> Scenario:
    """Three homes without sun whose batteries would all be charged while they also have load: two hours are cheapest.

    A battery of 2 kWh at 1 kW takes two hours to fill, at 1 kW of the cheapest two (0.10), the next two (0.101), or the
    twenty dear ones (0.3). Quarter-hours; no rule; nothing flexible.
    """
    load_kw = np.full(96, 0.1)
    load_kw[LOADED] = 1.0
    price = {"kind": "time-of-use", "timezone": "UTC", "kappa": 0.0, "periods": _periods()}
    scenario = base.changed(
        {
            "start": datetime(2016, 6, 9, tzinfo=UTC),
            "control_step_min": 15,
            "rule": "none",
            "tariff": price,
            "prosumers.*.load_annual_mwh": 1.0,
            "prosumers.*.pv_kwp": 0.0,
            "prosumers.*.flexible_share": 0.0,
            "prosumers.*.battery_kwh": 2.0,
            "prosumers.*.battery_c_charge": 0.5,
            "prosumers.*.battery_c_discharge": 0.5,
            "prosumers.*.energy_start_kwh": 0.0,
            "prosumers.*.efficiency_charge": 1.0,
            "prosumers.*.efficiency_discharge": 1.0,
            "dso.signal": "source",
            "dso.vm_ref_pu": LIMIT_PU,
            "dso.watch": [{"element": 4}],
        }
    )
    return with_profiles(scenario, folder, load_kw.tolist(), [0.0] * 96).changed(changes)


def _periods() -> list[dict[str, Any]]:
    hours = [("00:00", "02:00", 0.3), ("02:00", "04:00", 0.1), ("04:00", "06:00", 0.101), ("06:00", "24:00", 0.3)]
    return [{"start": start, "end": end, "price": price} for start, end, price in hours]


def evening_of(model: CoSimulation) -> Evening:
    """The evenings of a model of one scenario with an operator."""
    (evening,) = model.evenings.values()
    return evening


def planned(evening: Evening, column: str = "p_meter_kw", day: int = 0) -> Array:
    """A column of what an evening published, shape (market steps, prosumers that take part)."""
    table = evening.tables[day].published.to_pandas()
    found: Array = table.pivot(index="time", columns="prosumer", values=column).to_numpy()
    return found
