"""Agents of one's own: what a subclass decides is done by its own agents, and reaches meter and feeder."""

from __future__ import annotations

import numpy as np
import pytest

from agents.prosumer import RECORDED, Forecast, Prosumer, Signals, Window
from cosim import CoSimulation, Scenario, run_ensemble
from feeders.errors import InputErrors
from tests.cosim.loop_cases import finished, four_bus_voltages

pytestmark = pytest.mark.usefixtures("feeders_built_once")


class Stubborn(Prosumer):
    """Always plans 0.1 kW and always injects 0.1 kvar; keeps what it was called with."""

    planned: list[int]
    measured: list[float]

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.planned, self.measured = [], []

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        self.planned.append(window.now)
        self.p_battery_plan_kw = 0.1

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.measured.append(vm_pu)
        self.q_inverter_kvar = 0.1


def test_a_subclass_decides_for_its_own_agents_alone(three_homes: Scenario, free: CoSimulation) -> None:
    own = {"rule": "none", "prosumers.home-3.inverter_kva": 3.0}  # with room for its reactive power
    model = finished(three_homes.changed(own), classes={"home-3": Stubborn})
    assert [type(prosumer) for prosumer in model.prosumers] == [Prosumer, Stubborn, Prosumer]
    stubborn = model.prosumers[1]
    assert isinstance(stubborn, Stubborn)
    column = model.record.column
    assert stubborn.planned == list(range(96))
    assert stubborn.measured[1:] == column("vm_pu")[:-1, 1].tolist()
    assert (column("q_inverter_kvar") == [0.0, 0.1, 0.0]).all()
    battery_kw, energy_kwh = column("p_battery_kw")[:, 1], column("energy_kwh")[:, 1]
    assert (battery_kw[energy_kwh < 0.99] == 0.1).all()
    for name in RECORDED:
        if name != "vm_pu":
            assert np.array_equal(column(name)[:, ::2], free.record.column(name)[:, ::2])


class Spills(Prosumer):
    """Spills half of its sun, whatever the rule says."""

    def regulate(self, vm_pu: float, step_h: float) -> None:
        self.p_curtailed_kw = self.p_pv_kw / 2


def test_what_an_override_changes_reaches_meter_and_feeder(three_homes: Scenario) -> None:
    model = finished(three_homes.changed({"rule": "none"}), classes={"home-4": Spills})
    column = model.record.column
    used = column("p_pv_kw") - column("p_curtailed_kw")
    assert np.array_equal(used[:, 2], column("p_pv_kw")[:, 2] / 2)
    parts = column("p_load_kw") + column("p_flexible_kw") + column("p_battery_kw") - used
    assert column("p_meter_kw") == pytest.approx(parts, rel=0, abs=1e-12)
    noon = int(column("p_pv_kw")[:, 2].argmax())
    q_kvar = -column("p_load_kw")[noon] * np.tan(np.arccos(0.95))
    expected = four_bus_voltages(column("p_meter_kw")[noon].tolist(), q_kvar.tolist())
    assert column("vm_pu")[noon] == pytest.approx(expected, rel=0, abs=1e-8)


def test_a_class_for_nobody_and_a_run_of_nothing_are_refused(three_homes: Scenario) -> None:
    with pytest.raises(InputErrors, match=r"classes: 'home-9' is not allowed; allowed: ids of prosumers: home-2"):
        CoSimulation(three_homes, classes={"home-9": Spills})
    with pytest.raises(InputErrors, match="at least one scenario"):
        run_ensemble([])
