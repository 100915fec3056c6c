"""What the pages of this process begin with: set once before serving, read by every session."""

from __future__ import annotations

from cosim.data import WEEKS, day_start
from cosim.scenario import Scenario

__all__ = ["default_scenario", "give", "scenario"]


def default_scenario() -> Scenario:
    """What a page shows that is given no scenario: a village on its sunniest day, as sunny as its feeder carries.

    One home at each of the 57 connection points of the Kerber village feeder, in place of the feeder's own loads, all
    with the same PV and the same battery, on the sunniest day of the extract. PV is as large as the feeder just
    carries: with 8 kWp, and nobody obeying a rule, the highest voltage of the day at any home is the limit, 1.050 p.u.
    So rules act in the farther half of the feeder and hardly in the nearer. The battery stores an hour of that PV,
    exports earn half the price of imports, and the price is the synthetic one. Nothing else was looked for.
    """
    data = {
        "name": "village-in-june",
        "start": day_start(WEEKS["summer"].replace(day=9)).to_pydatetime(),
        "rule": "prc",
        "feeder": {"name": "kerber-dorfnetz", "background_scale": 0.0},
        "tariff": {"kind": "synthetic", "kappa": 0.5},
        "population": {
            "n": 57,
            "placement": "end-of-feeder",  # which are all of them
            "pv_kwp": 8.0,
            "battery_kwh": 8.0,
            "inverter_kva": {"kind": "sized", "factor": 1.1},
        },
    }
    return Scenario.from_dict(data, "page")


scenario: Scenario = default_scenario()
"""The scenario whose settings a new page shows. Read it as ``given.scenario``: `give` replaces it."""


def give(base: Scenario) -> None:
    """Have all pages begin with this scenario; scenarios are frozen, so sessions cannot change it for each other."""
    global scenario
    scenario = base
