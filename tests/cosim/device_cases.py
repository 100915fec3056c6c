"""Five homes with and without charger, heat pump and stores, in the loop and as a region's year."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.mobility import Sessions
from agents.prosumer.behind_meter import BehindMeter, MeterInputs
from cosim import Scenario
from cosim.data import load_extract
from cosim.prosumer_spec import ProsumerSpec
from cosim.region import RegionCase
from tests.cosim.region.small_cases import case_of

__all__ = ["DAYS", "HOMES", "case", "homes_scenario"]

Array = npt.NDArray[np.float64]

DAYS = 5  # more than a run holds the signals of at once, so that their window moves
START = datetime(2016, 10, 18, 22, tzinfo=UTC)  # Wednesday midnight in Germany, in the autumn week of the extract
COP = 2.5
_BARE: dict[str, Any] = {
    "pv_kwp": 0.0,
    "battery_kwh": 0.0,
    "flexible_share": 0.0,
    "inverter_kva": 20.0,
    "efficiency_charge": 1.0,
    "efficiency_discharge": 1.0,
    "energy_start_kwh": 0.0,
    "tes_start_kwh": 0.0,
    "hp_cop": COP,
    "strategy": "self-consumption",
}
_ROOF = {"pv_kwp": 8.0, "battery_kwh": 16.0, "battery_c_charge": 0.1875, "battery_c_discharge": 0.1875}
HOMES: dict[str, dict[str, Any]] = {
    "all": {**_ROOF, "ev_charger_kw": 11.0, "ev_profile": "HLS_B_3.7", "hp_kw": 3.0, "tes_kwh": 11.6},
    "car": {"ev_charger_kw": 11.0, "ev_profile": "HLS_A_3.7"},
    "heat": {"hp_kw": 4.0, "heat_profile": "Soil_Alternative_1"},
    "roof": {**_ROOF, "pv_profile": "PV3"},
    "bare": {"load_profile": "H0-L"},
}


def homes_scenario(changes: dict[str, Any] | None = None) -> Scenario:
    """The homes at the far end of a village feeder, without a rule and 15 min from one control step to the next."""
    people = [
        ProsumerSpec(**{**_BARE, "id": name, "bus": f"loadbus_5_{row + 1}", **own})
        for row, (name, own) in enumerate(HOMES.items())
    ]
    plain = {
        "start": START,
        "days": DAYS,
        "control_step_min": 15,
        "rule": "none",
        "feeder": {"name": "kerber-dorfnetz", "background_scale": 0.0},
        "prosumers": people,
    }
    return Scenario.from_dict(plain).changed(changes or {})


def case() -> RegionCase:
    """The same homes and days as a region, from the extract itself; cars come in each step for what they would draw."""
    specs = [ProsumerSpec(**{**_BARE, "id": name, "bus": 0, **own}) for name, own in HOMES.items()]
    rows = load_extract().loc[START:].iloc[: DAYS * 96]  # type: ignore[misc]

    def power(profile: str, rated: str) -> Array:
        return np.column_stack([rows[getattr(p, profile)] * getattr(p, rated) for p in specs])

    def column(name: str) -> Array:
        return np.array([getattr(p, name) for p in specs])

    ev_kw = power("ev_profile", "ev_charger_kw")
    step, home = (place.ravel() for place in np.indices(ev_kw.shape))
    step, home = step[column("ev_charger_kw")[home] > 0], home[column("ev_charger_kw")[home] > 0]
    sessions = Sessions(home, step, step + 1, ev_kw[step, home] * 0.25)
    stores = column("battery_kwh"), column("battery_kwh") * 0.1875, column("tes_kwh")
    assets = BehindMeter(list(HOMES), np.arange(5) % 2, *stores, column("hp_kw") * COP, column("ev_charger_kw"))
    load_kw, pv_kw = power("load_profile", "load_annual_mwh"), power("pv_profile", "pv_kwp")
    heat_kw = power("heat_profile", "hp_kw") * COP
    inputs = MeterInputs(load_kw, pv_kw, heat_kw, np.full(len(rows), COP), ev_kw)
    return case_of(assets, inputs, inputs, sessions)
