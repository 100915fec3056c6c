"""The linear dispatch: its flows are the AC power flow's, its ledgers close, nobody does both, and GLPK agrees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from agents.dso.dispatch import Dispatch, DispatchSettings, Weights, dispatch, most
from agents.dso.dispatch.program import scenario_program
from agents.dso.dispatch.rounds import Rounds
from agents.dso.dispatch.solving import solve
from agents.dso.dispatch.wires import Wires
from agents.errors import SolverError
from agents.highs import Program
from agents.prosumer.car import car_after, driven_kwh
from agents.prosumer.fleet import Fleet, FleetInputs
from agents.prosumer.own_profiles import rooms_of
from agents.prosumer.self_discharge import decays
from agents.prosumer.storage import step_energy
from feeders import load_feeder, make_engine
from feeders.errors import InputError
from feeders.flows import power_flows
from tests.agents import two_bus
from tests.agents.dispatch_cases import all_devices, bus_33
from tests.agents.glpk import glpk_objective

KEPT = DispatchSettings(curtailable=False)


@pytest.mark.parametrize("name", ["case33bw", "cigre-lv", "kerber-landnetz-kabel-1"])
def test_flows_of_the_tree_are_those_of_the_ac_power_flow(name: str) -> None:
    engine = make_engine(load_feeder(name))
    wires, feeder = Wires.of(engine.feeder), engine.feeder
    p, q = (
        each[None] * np.array([[0.3], [1.0], [-0.5]]) for each in (feeder.background_p_kw, feeder.background_q_kvar)
    )
    point = wires.point(wires.grid.per_row(p), wires.grid.per_row(q))
    assert point is not None
    alive = wires.grid.row_of_bus >= 0
    vm_pu = (np.sqrt(point.v_pu2) * wires.grid.scale)[:, wires.grid.row_of_bus[alive]]
    np.testing.assert_allclose(vm_pu, power_flows(engine, p, q).vm_pu[:, alive], rtol=0, atol=2e-8)


def test_too_much_load_has_no_flows() -> None:
    wires = Wires.of(two_bus.two_bus())
    assert wires.point(np.array([[0.0, 1e5]]), np.zeros((1, 2))) is None


def _ledgers_close(found: Dispatch, fleet: Fleet, inputs: FleetInputs) -> None:
    lost, gain = decays(fleet.battery_self_discharge_per_h, inputs.step_h)
    least, eta = fleet.battery_soc_min * fleet.battery_kwh, fleet.battery_efficiency
    power, before = found.p_charge_kw - found.p_discharge_kw, np.roll(found.battery_kwh, 1, axis=0)
    before[0] = fleet.battery_soc_start * fleet.battery_kwh
    after = step_energy(before, power, lost, gain, eta, eta, least)
    np.testing.assert_allclose(found.battery_kwh, after, atol=1e-9)
    driven = driven_kwh(fleet, len(inputs), inputs.step_h, inputs.start_h)
    powers = found.p_ev_charge_kw[1:], found.p_ev_discharge_kw[1:]
    after = car_after(found.ev_kwh[:-1], *powers, driven[1:], fleet.ev_efficiency, inputs.step_h)
    np.testing.assert_allclose(found.ev_kwh[1:], after, atol=1e-9)
    one = found.p_hp_kw[1:] / fleet.n_rooms
    rooms = rooms_of(fleet)
    for step, (room, p) in enumerate(zip(found.room_c, one, strict=False)):
        after = rooms.after(room, p, float(inputs.t_out_c[step + 1]), inputs.step_h)
        np.testing.assert_allclose(found.room_c[step + 1], after, atol=1e-9)


def _keeps_its_bounds(found: Dispatch, fleet: Fleet, inputs: FleetInputs, atol: float = 1e-3) -> None:
    home = ~fleet.away(inputs.step_h, len(inputs), inputs.start_h)
    for power, rating in (
        (found.p_charge_kw, fleet.battery_kw),
        (found.p_discharge_kw, fleet.battery_kw),
        (found.p_ev_charge_kw, fleet.ev_kw * home),
        (found.p_ev_discharge_kw, fleet.ev_kw * home * fleet.ev_v2g),
        (found.p_hp_kw, fleet.hp_kw),
        (np.abs(found.q_kvar), fleet.q_share * (fleet.pv_kw + fleet.battery_kw)),
    ):
        assert (power >= -atol).all()
        assert (power <= rating + atol).all()
    assert (found.battery_kwh >= fleet.battery_soc_min * fleet.battery_kwh - atol).all()
    assert (found.battery_kwh <= fleet.battery_kwh + atol).all()
    assert (found.ev_kwh >= fleet.ev_soc_min * fleet.ev_kwh - atol).all()
    assert (found.ev_kwh <= fleet.ev_kwh + atol).all()
    leaving = home & ~np.roll(home, -1, axis=0)
    assert leaving.sum() == len(fleet)
    assert (found.ev_kwh >= fleet.ev_soc_target * fleet.ev_kwh - atol)[leaving].all()
    assert (np.abs(found.room_c - fleet.set_point_c) <= fleet.comfort_k + atol).all()
    assert (np.abs(np.diff(found.p_hp_kw, axis=0)) <= fleet.hp_ramp * fleet.hp_kw + atol).all()
    np.testing.assert_allclose(found.battery_kwh[-1], fleet.battery_soc_start * fleet.battery_kwh, atol=atol)


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), pv=st.floats(0.1, 1.5), leak=st.sampled_from([0.0, 0.02]))
def test_a_dispatch_is_one_that_devices_can_follow_and_the_grid_carries(seed: int, pv: float, leak: float) -> None:
    engine = bus_33(0.9, 1.05)
    fleet, inputs = all_devices(engine, n=4, pv=pv, seed=seed, step_h=3.0, leak=leak)
    found = dispatch(engine, fleet, inputs)
    assert found.confirmed()
    _ledgers_close(found, fleet, inputs)
    _keeps_its_bounds(found, fleet, inputs)
    np.testing.assert_allclose(found.p_pv_kw + found.p_curtailed_kw, inputs.pv_share[:, None] * fleet.pv_kw, atol=1e-9)
    assert (found.p_charge_kw * found.p_discharge_kw == 0).all()
    assert (found.p_ev_charge_kw * found.p_ev_discharge_kw == 0).all()
    assert found.objective == pytest.approx(sum(found.terms.values()), rel=1e-12)


def test_what_is_imported_is_what_is_consumed_and_lost() -> None:
    engine = bus_33(0.9, 1.05)
    fleet, inputs = all_devices(engine, n=4, step_h=3.0)
    weights = Weights(losses=1.0)
    found = dispatch(engine, fleet, inputs, DispatchSettings(weights=weights))
    assert found.flows is not None
    lost_kwh = found.terms["losses"]  # at 1 per kWh
    one_price = replace(inputs, price=np.ones(len(inputs)))
    again = dispatch(engine, fleet, one_price, DispatchSettings(weights=weights))
    consumed_kwh = (inputs.p_load_kw.sum() + again.p_kw.sum()) * inputs.step_h
    assert again.terms["import_price"] == pytest.approx(consumed_kwh + again.terms["losses"], rel=1e-9)
    assert lost_kwh > 0


def test_glpk_finds_the_same_program_no_cheaper() -> None:
    engine = bus_33(0.9, 1.05)
    fleet, inputs = all_devices(engine, n=2, step_h=6.0)
    rounds = Rounds(engine, Wires.of(engine.feeder), fleet, inputs, DispatchSettings())
    point = rounds.first_point()
    built = scenario_program(rounds.wires, fleet, inputs, rounds.settings, point, tangents=rounds.tangents[:3])
    program = Program(built.cost, built.lower, built.upper, built.row_lower, built.row_upper)
    matrix = sparse.csc_array(built.y_part)
    solution = solve(matrix, program)
    assert solution is not None
    assert solution.objective == pytest.approx(glpk_objective(matrix, program), rel=1e-7)


def test_prices_are_what_one_more_kwh_costs() -> None:
    """Central differences of the whole objective, rounds and all, for load at one bus in one step."""
    engine = bus_33(0.93)
    fleet, inputs = all_devices(engine, n=3, step_h=4.0)
    fine = DispatchSettings(gap=1e-7, passes=10)
    found = dispatch(engine, fleet, inputs, fine)
    bus, step, kw = 17, 4, 60.0
    costs = []
    for sign in (1.0, -1.0):
        load = inputs.p_load_kw.copy()
        load[step, bus] += sign * kw
        costs.append(dispatch(engine, fleet, replace(inputs, p_load_kw=load), fine).objective)
    slope = (costs[0] - costs[1]) / (2 * kw * inputs.step_h)
    assert found.price[step, bus] == pytest.approx(slope, rel=0.02)
    assert slope > 1.05 * inputs.price[step]  # the losses on the way are in it


def test_where_pv_must_not_be_curtailed_batteries_do_not_burn_it() -> None:
    engine = make_engine(two_bus.two_bus())
    pv_kw = 1.02 * two_bus.by_voltage_kw(1.05)
    fleet, inputs = two_bus.fleet(pv_kw=pv_kw, battery_kw=60.0), two_bus.inputs(4)
    burns = dispatch(engine, fleet, inputs, replace(KEPT, exclusive=False))
    assert burns.confirmed()
    assert (np.minimum(burns.p_charge_kw, burns.p_discharge_kw) > 1.0).any()
    found = dispatch(engine, fleet, inputs, KEPT)
    assert found.status == "infeasible"  # the sun shines in all steps and the day ends as it starts
    assert found.n_exclusive > 0
    half = replace(inputs, pv_share=np.array([0.2, 1.0, 0.2, 0.2]))
    assert dispatch(engine, fleet, half, KEPT).confirmed()


def test_no_dispatch_names_what_is_outside() -> None:
    engine = make_engine(two_bus.two_bus())
    found = dispatch(engine, two_bus.fleet(pv_kw=1.1 * two_bus.by_voltage_kw(1.05)), two_bus.inputs(), KEPT)
    assert found.status == "infeasible"
    assert not found.confirmed()
    assert found.tightest is not None
    assert (found.tightest.kind, found.tightest.element) == ("over-voltage", "home")
    assert found.p_kw.shape == (0, 1)


def test_curtailment_is_the_least_that_keeps_the_voltage() -> None:
    engine = make_engine(two_bus.two_bus())
    pv_kw = 1.1 * two_bus.by_voltage_kw(1.05)
    found = dispatch(engine, two_bus.fleet(pv_kw=pv_kw), two_bus.inputs())
    assert found.confirmed()
    assert found.p_pv_kw[0, 0] == pytest.approx(two_bus.by_voltage_kw(1.05), rel=1e-4)


def test_the_most_of_some_pv_is_confirmed_and_more_of_it_is_outside() -> None:
    engine = bus_33(0.9, 1.05)
    fleet, inputs = all_devices(engine, n=4, pv=1.0, step_h=3.0)
    bare, along = fleet.with_ratings(pv_kw=np.zeros(4)), {"pv_kw": fleet.pv_kw}
    found = most(engine, bare, inputs, along, KEPT, upper=20.0)
    assert found.confirmed()
    level = float(found.x[0])
    assert 0 < level < 20
    assert dispatch(engine, bare.with_ratings(pv_kw=0.99 * level * fleet.pv_kw), inputs, KEPT).confirmed()
    assert not dispatch(engine, bare.with_ratings(pv_kw=1.02 * level * fleet.pv_kw), inputs, KEPT).confirmed()


def test_most_refuses_a_direction_that_takes_away() -> None:
    engine = make_engine(two_bus.two_bus())
    with pytest.raises(InputError, match="none below 0"):
        most(engine, two_bus.fleet(), two_bus.inputs(), {"pv_kw": -np.ones(1)}, upper=1.0)


def test_a_car_leaves_with_its_target_however_dear_power_is_then() -> None:
    """At 10 per kWh in the hour before it leaves, all that it has above the target is sold, and nothing below."""
    engine, inputs = make_engine(two_bus.two_bus()), two_bus.inputs(24, t_out_c=22.5)
    price = np.full(24, 0.2)
    price[8] = 10.0
    car = two_bus.fleet(ev_kw=9.6)  # away from 9 to 17 h
    found = dispatch(engine, car, replace(inputs, price=price, pv_share=np.zeros(24)))
    assert found.confirmed()
    assert found.ev_kwh[8, 0] == pytest.approx(0.9 * 70, abs=1e-4)
    assert found.p_ev_discharge_kw[8, 0] == pytest.approx(0.1 * 70 * 0.95, abs=1e-3)
    np.testing.assert_allclose(found.ev_kwh[16, 0], 0.9 * 70 - 35, atol=1e-4)


def test_a_battery_earns_what_its_efficiency_leaves() -> None:
    """A full cycle between two prices: 30 kWh at the battery's side, of which half is there at the start."""
    engine, inputs = make_engine(two_bus.two_bus()), two_bus.inputs(8, t_out_c=22.5)
    price = np.array([0.5] * 4 + [0.1] * 4)
    found = dispatch(engine, two_bus.fleet(battery_kw=10.0), replace(inputs, price=price, pv_share=np.zeros(8)))
    sold, bought = 15.0 * 0.95, 15.0 / 0.95
    assert found.p_discharge_kw.sum() == pytest.approx(sold, abs=1e-3)
    assert found.p_charge_kw.sum() == pytest.approx(bought, abs=1e-3)
    assert found.battery_kwh[-1, 0] == pytest.approx(15.0, abs=1e-4)


def test_numbers_that_are_none_are_refused() -> None:
    matrix = sparse.csc_array(np.ones((1, 1)))
    one = np.ones(1)
    with pytest.raises(SolverError, match="bound"):
        solve(matrix, Program(one, one, one, np.array([np.nan]), one))
    with pytest.raises(SolverError, match="coefficient"):
        solve(matrix, Program(np.array([np.inf]), one, one, one, one))
