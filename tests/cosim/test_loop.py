"""The loop end to end: its power flow done again by pandapower, its runs compared with each other."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pandapower as pp
import pandapower.networks as pn
import pytest

from agents.prosumer import (
    RECORDED,
    ArbitragePlanner,
    Forecast,
    Plan,
    Prosumer,
    Signals,
    Window,
    arbitrage_cost,
)
from cosim import CoSimulation, Scenario, indices, run
from cosim.build import build_feeder
from cosim.failure import RunFailure
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import FeederSpec
from feeders import ENGINES
from tests.cosim.loop_cases import finished, four_bus_voltages, with_profiles

pytestmark = pytest.mark.usefixtures("feeders_built_once")


@pytest.mark.parametrize(
    ("rule", "mode"),
    [("none", "closed-loop"), ("hybrid", "closed-loop"), ("hybrid", "open-loop"), ("hybrid", "settled")],
)
def test_recorded_voltages_are_the_power_flow_of_recorded_powers(three_homes: Scenario, rule: str, mode: str) -> None:
    model = finished(three_homes.changed({"rule": rule, "mode": mode}))
    p_load, p_meter, q_inverter, vm_pu = (
        model.record.column(name) for name in ("p_load_kw", "p_meter_kw", "q_inverter_kvar", "vm_pu")
    )
    q_kvar = q_inverter - p_load * np.tan(np.arccos(0.95))
    for minute in range(5, 288, 60):
        expected = four_bus_voltages(p_meter[minute].tolist(), q_kvar[minute].tolist())
        assert vm_pu[minute] == pytest.approx(expected, rel=0, abs=1e-8)  # what engines promise


class Remembers(Prosumer):
    """Keeps the plan that a planner of its own makes at the start of the run."""

    remembered: Plan

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        if window.now == 0:
            planner = ArbitragePlanner(window.n_steps, self.battery, window.step_h)
            self.remembered = planner.plan(self.horizon(forecast, signals, window))
        super().plan(forecast, signals, window)


def test_without_a_rule_the_day_goes_as_planned(three_homes: Scenario) -> None:
    # Forecasts are perfect and the inverters large enough: what was planned at midnight is what happens.
    scenario = three_homes.changed({"rule": "none", "prosumers.*.inverter_kva": 9.0})
    names = [prosumer.id for prosumer in scenario.prosumers]
    model = finished(scenario, classes=dict.fromkeys(names, Remembers))
    for prosumer in model.prosumers:
        assert isinstance(prosumer, Remembers)
        plan, row = prosumer.remembered, prosumer.row
        # The solver's energies hold to 1e-9 kWh, over a quarter of an hour 4e-9 kW.
        battery_kw, flexible_kw = (model.record.column(name)[:, row] for name in ("p_battery_kw", "p_flexible_kw"))
        assert battery_kw == pytest.approx(np.repeat(plan.p_battery_kw, 3), rel=0, abs=1e-8)
        assert flexible_kw == pytest.approx(np.repeat(plan.p_flexible_kw, 3), rel=0, abs=1e-8)
        assert model.ledger.cost[row] == pytest.approx(plan.cost, rel=0, abs=1e-8)


def test_optimising_pays(three_homes: Scenario, free: CoSimulation) -> None:
    idle = finished(three_homes.changed({"rule": "none", "prosumers.*.optimise": False}))
    assert (idle.ledger.cost - free.ledger.cost > 0.01).all()
    # Its battery takes what its inverter cannot let out, and is idle otherwise.
    assert (idle.record.column("p_battery_kw") == 0)[idle.record.column("p_pv_kw") <= 2.0].all()


def test_money_is_that_of_quarter_hours(free: CoSimulation) -> None:
    column = free.record.column
    per_quarter = column("p_meter_kw").reshape(96, 3, 3)
    # Without a rule power is constant within a market step, so both clocks give the same bill.
    assert np.ptp(per_quarter, axis=1).max() <= 1e-12
    p_kw, buy, sell = per_quarter.mean(axis=1).T, column("price_buy")[::3].T, column("price_sell")[::3].T
    assert free.ledger.cost == pytest.approx(arbitrage_cost(p_kw, buy, sell, 0.25), rel=0, abs=1e-12)


def test_a_home_without_a_rule_lives_the_same_alone(three_homes: Scenario, free: CoSimulation) -> None:
    # Others change its voltage and, as it does not obey it, nothing else: bit for bit.
    others = [name for name in RECORDED if name != "vm_pu"]
    for row, home in enumerate(three_homes.prosumers):
        alone = finished(three_homes.changed({"rule": "none"}).model_copy(update={"prosumers": (home,)}))
        for name in others:
            assert np.array_equal(alone.record.column(name)[:, 0], free.record.column(name)[:, row])
        assert np.abs(alone.record.column("vm_pu")[:, 0] - free.record.column("vm_pu")[:, row]).max() > 1e-3


def test_the_order_of_prosumers_does_not_matter(four_bus: Scenario) -> None:
    # Not bit for bit: three powers of a bus add up to another last bit in another order, 1e-16 p.u.; where a plan is
    # made anew from energies that differ so little, its answer differs by as little.
    homes = [
        ProsumerSpec(id=f"{profile}-{bus}", bus=bus, load_profile=profile, battery_kwh=kwh)
        for bus in (3, 4)
        for profile, kwh in (("H0-A", 1.0), ("H0-B", 2.0), ("H0-C", 0.5))
    ]
    shuffled = [homes[place] for place in (4, 0, 5, 2, 1, 3)]
    runs = [run(four_bus.model_copy(update={"prosumers": tuple(p)}), references=False) for p in (homes, shuffled)]
    place = [shuffled.index(home) for home in homes]
    assert runs[1].frames[:, :, place] == pytest.approx(runs[0].frames, rel=0, abs=1e-12)
    assert runs[0].column("q_inverter_kvar").any() and runs[0].column("p_curtailed_kw").any()


def test_engines_give_the_same_day(three_homes: Scenario) -> None:
    hourly = {"market_step_min": 60, "control_step_min": 60, "rule": "prc", "voltage.dead_pu": 0.005}
    days = {name: finished(three_homes.changed({**hourly, "feeder.engine": name})).record for name in ENGINES}
    reference = days.pop("pandapower")
    for day in days.values():
        assert np.abs(day.column("q_inverter_kvar")).max() > 0.1
        # Engines agree to 1e-8 p.u.; the steepest rule turns that into 4 kW / 0.03 p.u. * 1e-8 = 1.3e-6 kW.
        assert day.column("vm_pu") == pytest.approx(reference.column("vm_pu"), rel=0, abs=1e-8)
        assert day.frames == pytest.approx(reference.frames, rel=0, abs=1.4e-6)


def test_without_prosumers_a_day_is_the_plain_load_flow(four_bus: Scenario) -> None:
    scenario = four_bus.changed({"feeder.name": "case33bw"}).model_copy(update={"prosumers": ()})
    model = finished(scenario)
    net = pn.case33bw()
    pp.runpp(net, lightsim2grid=False, numba=False, tolerance_mva=1e-9)
    assert model.grid.vm_pu[0] == pytest.approx(net.res_bus.vm_pu.to_numpy(), rel=0, abs=1e-8)
    assert model.record.frames.shape == (288, len(RECORDED), 0)


def test_a_diverging_flow_ends_the_run_and_leaves_its_record(four_bus: Scenario, tmp_path: Path) -> None:
    # Load grows by 0.25 kW a quarter of an hour in each home. Somewhere the feeder can carry no more.
    growing = with_profiles(four_bus, tmp_path, (0.25 * np.arange(96)).tolist(), [0.0] * 96)
    growing = growing.changed({"rule": "none", "prosumers.*.optimise": False})
    model = CoSimulation(growing)
    with pytest.raises(RunFailure) as caught:
        model.run()
    failure = caught.value
    assert failure.control_step % 3 == 0
    assert model.record.n_written == failure.control_step > 30
    assert failure.at == growing.start + timedelta(minutes=5 * failure.control_step)
    assert failure.cause.bus == 4  # the far end
    assert f"control step {failure.control_step}" in str(failure) and "worst bus 4" in str(failure)
    assert model.running is False
    lived = model.record.column("vm_pu")
    assert lived.shape == (failure.control_step, 3)
    assert (np.diff(lived[::3], axis=0) < 0).all()
    next_kw = [0.25 * failure.control_step / 3] * 3
    with pytest.raises(pp.LoadflowNotConverged):  # pandapower has no solution either
        four_bus_voltages(next_kw, [0.0] * 3)
    with pytest.raises(RunFailure) as caught:
        run(growing)
    partial = caught.value.partial
    assert partial is not None and partial.failure == str(failure)
    assert np.array_equal(partial.frames, model.record.frames[: failure.control_step])
    assert len(partial.timeseries) == 3 * failure.control_step


def test_references_are_the_runs_they_are_named_after(three_homes: Scenario, free: CoSimulation) -> None:
    idle = finished(three_homes.changed({"rule": "none", "prosumers.*.optimise": False}))
    result = run(three_homes.changed({"rule": "prc"}))
    table = result.indices
    assert np.array_equal(table["cost_without_rule"], free.ledger.cost)
    assert np.array_equal(table["cost_without_optimisation"], idle.ledger.cost)
    kept = indices.gain_kept(table["cost"].to_numpy(), free.ledger.cost, idle.ledger.cost)
    assert np.array_equal(table["gain_kept_percent"], kept)


def test_columns_of_a_record_are_of_their_own_step(free: CoSimulation) -> None:
    column, signals = free.record.column, free.rows.signals
    for name in ("p_load_kw", "p_pv_kw", "price_buy", "price_sell"):
        assert np.array_equal(column(name), np.repeat(getattr(signals, name), 3, axis=0))
    # Energy is that at the end of the step.
    owned, battery_kw = free.rows.assets, column("p_battery_kw")
    gained = np.where(battery_kw > 0, battery_kw * owned.efficiency_charge, battery_kw / owned.efficiency_discharge)
    before = np.vstack([owned.energy_start_kwh, column("energy_kwh")[:-1]])
    assert column("energy_kwh") == pytest.approx(before + gained / 12, rel=0, abs=1e-14)


def test_steps_after_the_end_do_nothing(four_bus: Scenario) -> None:
    model = finished(four_bus)
    before = model.record.frames.copy()
    model.step()
    assert not model.running
    assert (model.clock.step, model.record.n_written) == (96, 288)
    assert np.array_equal(model.record.frames, before)


def test_a_feeder_with_scaled_background_differs_in_that_alone() -> None:
    plain, doubled = (build_feeder(FeederSpec(name="cigre-lv", background_scale=scale)) for scale in (1.0, 2.0))
    assert doubled.background_p_kw == pytest.approx(2 * plain.background_p_kw, rel=1e-12)
    assert doubled.background_p_kw.sum() > 0
    assert doubled.net.load["name"].tolist() == plain.net.load["name"].tolist()
    assert doubled.connection_buses.tolist() == plain.connection_buses.tolist()


def test_a_feeder_with_scaled_generation_differs_in_that_alone(tmp_path: Path) -> None:
    """A load of 30 kW beside a static generator of 20 kW: 10 kW are consumed, and 25 kW with a quarter of it."""
    net = pp.create_empty_network()
    head, end = pp.create_buses(net, 2, vn_kv=0.4)
    pp.create_ext_grid(net, head)
    pp.create_line_from_parameters(net, head, end, 0.1, r_ohm_per_km=0.3, x_ohm_per_km=0.1, c_nf_per_km=0, max_i_ka=0.2)
    pp.create_load(net, end, p_mw=0.03)
    pp.create_sgen(net, end, p_mw=0.02)
    pp.to_json(net, tmp_path / "net.json")
    file = str(tmp_path / "net.json")
    plain, less = (build_feeder(FeederSpec(file=file, generation_scale=scale)) for scale in (1.0, 0.25))
    assert plain.background_p_kw == pytest.approx([0.0, 10.0], rel=1e-12)
    assert less.background_p_kw == pytest.approx([0.0, 25.0], rel=1e-12)
