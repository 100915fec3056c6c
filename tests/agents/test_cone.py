"""The cone program of a dispatch: against circuits worked by hand, the AC power flow, and the price of one more kWh."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from agents.dso.dispatch import Dispatch, DispatchSettings, Weights
from agents.dso.dispatch.cone import ConeDispatch, cone_dispatch, cone_most
from agents.dso.dispatch.conic import ConicProgram
from agents.dso.dispatch.settlement import settle
from agents.prosumer.fleet import Fleet, FleetInputs
from feeders import Engine, make_engine
from feeders.errors import InputError
from feeders.flows import power_flows, tightest
from tests.agents import two_bus
from tests.agents.dispatch_cases import all_devices, bus_33

ONE = {name: {name: np.ones(1)} for name in ("pv_kw", "battery_kw", "ev_kw", "hp_kw")}
KEPT = DispatchSettings(curtailable=False)


@pytest.mark.parametrize(("ka", "kind"), [(1.0, "under-voltage"), (0.12, "line")])
def test_most_heat_pumps_of_two_buses_are_those_by_hand(ka: float, kind: str) -> None:
    feeder = two_bus.two_bus(max_ka=ka)
    engine = make_engine(feeder)
    by_hand = min(-two_bus.by_voltage_kw(0.95), two_bus.by_current_kw(ka, feeds_in=False))
    found = cone_most(engine, two_bus.fleet(), two_bus.inputs(), ONE["hp_kw"], KEPT, upper=1e4)
    assert found.dispatch.x[0] / 2 == pytest.approx(by_hand, rel=1e-6)  # each runs at half of its rating
    assert found.tight
    assert found.dispatch.confirmed()
    assert found.dispatch.tightest is not None
    assert found.dispatch.tightest.kind == kind
    for share, inside in ((1 - 1e-6, True), (1 + 1e-6, False)):  # the hand against the AC power flow
        flows = power_flows(engine, np.array([[0.0, share * by_hand]]), np.zeros((1, 2)))
        assert (tightest(feeder, flows).margin >= 0) == inside


@pytest.mark.parametrize(("ka", "kind"), [(1.0, "over-voltage"), (0.12, "line")])
def test_the_hand_s_most_pv_of_two_buses_is_the_ac_power_flow_s(ka: float, kind: str) -> None:
    feeder = two_bus.two_bus(max_ka=ka)
    by_hand = min(two_bus.by_voltage_kw(1.05), two_bus.by_current_kw(ka, feeds_in=True))
    for share, inside in ((1 - 1e-6, True), (1 + 1e-6, False)):
        flows = power_flows(make_engine(feeder), np.array([[0.0, -share * by_hand]]), np.zeros((1, 2)))
        assert (tightest(feeder, flows).margin >= 0) == inside
        assert tightest(feeder, flows).kind == kind


def test_most_pv_of_two_buses_comes_with_losses_that_are_not_there() -> None:
    """Over-voltage is where the relaxation gives: it lowers voltages by current that nothing causes."""
    found = cone_most(make_engine(two_bus.two_bus()), two_bus.fleet(), two_bus.inputs(), ONE["pv_kw"], KEPT, upper=1e4)
    by_hand = two_bus.by_voltage_kw(1.05)
    assert found.dispatch.x[0] > 1.2 * by_hand
    assert not found.tight
    assert not found.dispatch.confirmed()
    assert found.phantom_kwh > 0.1 * by_hand
    assert np.nanmax(found.slack) > 1e-3


def test_most_pv_by_current_is_exact() -> None:
    found = cone_most(
        make_engine(two_bus.two_bus(0.05)), two_bus.fleet(), two_bus.inputs(), ONE["pv_kw"], KEPT, upper=1e4
    )
    assert found.dispatch.x[0] == pytest.approx(two_bus.by_current_kw(0.05, feeds_in=True), rel=1e-5)


@pytest.mark.parametrize("device", ["pv_kw", "hp_kw"])
def test_a_transformer_is_rated_at_the_side_where_it_carries_most(device: str) -> None:
    """The lower one where power is fed in, the upper one where it is consumed: so the AC power flow has it."""
    engine = make_engine(two_bus.behind_transformer())
    found = cone_most(engine, two_bus.fleet(), two_bus.inputs(), ONE[device], KEPT, upper=1e3)
    at = found.dispatch.tightest
    assert at is not None and at.kind == "transformer"
    assert abs(at.margin) < 1e-5


def test_a_row_s_marginal_is_of_the_row_as_it_was_written() -> None:
    """Least x + 3 y with 50 x + 100 y = 200 and x at most 2: y = 1, and a unit more costs 3 / 100."""
    program = ConicProgram()
    x, y = program.columns((1,), 0.0, 2.0), program.columns((1,), 0.0)
    program.cost("cost", x, 1.0)
    program.cost("cost", y, 3.0)
    row = program.equal([(x, 50.0), (y, 100.0)], 200.0)
    found = program.solve()
    assert found.x[y] == pytest.approx(1.0, rel=1e-6)
    assert found.marginal[row] == pytest.approx(0.03, rel=1e-6)
    assert found.objective == pytest.approx(5.0, rel=1e-6)


def test_more_than_the_line_takes_is_infeasible() -> None:
    engine, level = make_engine(two_bus.two_bus()), -2.02 * two_bus.by_voltage_kw(0.95)
    found = cone_dispatch(engine, two_bus.fleet(hp_kw=level), two_bus.inputs())
    assert found.dispatch.status == "infeasible"
    assert not found.dispatch.confirmed()
    assert found.dispatch.p_hp_kw.shape == (0, 1)
    assert cone_dispatch(engine, two_bus.fleet(hp_kw=level / 1.04), two_bus.inputs()).dispatch.status == "optimal"


@pytest.fixture(scope="module")
def evening() -> tuple[Engine, Fleet, FleetInputs, ConeDispatch]:
    """33 buses whose lowest voltage is at its limit in the evening, and a little self-discharge."""
    engine = bus_33(vm_min_pu=0.963)
    fleet, inputs = all_devices(engine, leak=0.01)
    return engine, fleet, inputs, cone_dispatch(engine, fleet, inputs)


def test_a_dispatch_is_what_the_ac_power_flow_says(evening: tuple[Engine, Fleet, FleetInputs, ConeDispatch]) -> None:
    engine, _, inputs, found = evening
    dispatch = found.dispatch
    assert dispatch.tightest is not None and dispatch.flows is not None
    assert dispatch.tightest.kind == "under-voltage"
    assert abs(dispatch.tightest.margin) < 1e-5  # it is what shapes the evening
    assert dispatch.error_pu < 1e-6
    assert found.tight and np.nanmax(found.slack) < 1e-6
    lost_kw = lost_kw_by_balance(engine, inputs, dispatch)
    assert found.ac_losses_kwh == pytest.approx(lost_kw.sum() * inputs.step_h, rel=1e-6)


def lost_kw_by_balance(engine: Engine, inputs: FleetInputs, dispatch: Dispatch) -> np.ndarray:
    """Losses by what the only line from the source lets in, less what is used: another way to them."""
    assert dispatch.flows is not None
    model, v = engine.nodal, dispatch.flows.voltages
    source = int(model.slack_nodes[0])
    into = v[:, source] * (model.admittance_pu.tocsr()[[source]] @ v.T).T[:, 0].conj()
    found: np.ndarray = into.real * model.base_mva * 1e3 - inputs.p_load_kw.sum(axis=1) - dispatch.p_kw.sum(axis=1)
    return found


def test_ledgers_of_a_dispatch_close(evening: tuple[Engine, Fleet, FleetInputs, ConeDispatch]) -> None:
    """Batteries leak an exact share between steps; cars drive evenly while away; rooms follow their exact solution."""
    _, fleet, inputs, found = evening
    d, h = found.dispatch, inputs.step_h
    within = {"atol": 1e-5, "rtol": 1e-8}
    kept = 0.99**h
    gain = (1 - kept) / -np.log(0.99)
    stored = 0.95 * d.p_charge_kw - d.p_discharge_kw / 0.95
    before = np.roll(d.battery_kwh, 1, axis=0)
    np.testing.assert_allclose(d.battery_kwh, kept * before + gain * stored, **within)
    np.testing.assert_allclose(d.battery_kwh[-1], 0.5 * fleet.battery_kwh, **within)
    away = fleet.away(h, len(inputs))
    driven = np.where(away, fleet.ev_trip_h * fleet.ev_kw / away.sum(axis=0), 0.0)
    charged = h * (0.95 * d.p_ev_charge_kw - d.p_ev_discharge_kw / 0.95)
    np.testing.assert_allclose(d.ev_kwh, np.roll(d.ev_kwh, 1, axis=0) + charged - driven, **within)
    leaving = ~away & np.roll(away, -1, axis=0)
    assert (d.ev_kwh >= np.where(leaving, 0.9, 0.2) * fleet.ev_kwh - 1e-5).all()
    assert (d.p_ev_charge_kw[away] < 1e-5).all() and (d.p_ev_discharge_kw[away] < 1e-5).all()
    theta, sign = np.exp(-h / 4.0), np.where(inputs.t_out_c < 22.5, 1.0, -1.0)[:, None]
    settles = inputs.t_out_c[:, None] + sign * 2.0 * 2.5 * d.p_hp_kw / fleet.n_rooms
    np.testing.assert_allclose(d.room_c, theta * np.roll(d.room_c, 1, axis=0) + (1 - theta) * settles, **within)
    assert (np.abs(d.room_c - 22.5) <= 2.0 + 1e-6).all()
    assert (np.abs(np.diff(d.p_hp_kw, axis=0)) <= 0.3 * fleet.hp_kw + 1e-5).all()
    np.testing.assert_allclose(d.p_pv_kw + d.p_curtailed_kw, inputs.pv_share[:, None] * fleet.pv_kw, **within)
    assert (np.abs(d.q_kvar) <= 0.44 * (fleet.pv_kw + fleet.battery_kw) + 1e-5).all()


def test_the_objective_is_the_sum_of_its_terms(evening: tuple[Engine, Fleet, FleetInputs, ConeDispatch]) -> None:
    """Each worked out from what the dispatch does."""
    _, fleet, inputs, found = evening
    d, h, w = found.dispatch, inputs.step_h, Weights()
    assert d.flows is not None
    imported_kw = inputs.p_load_kw.sum(axis=1) + d.p_kw.sum(axis=1)
    home, lost_kwh = ~fleet.away(h, len(inputs)), found.losses_kwh
    charged, given = d.p_charge_kw + d.p_ev_charge_kw, d.p_discharge_kw + d.p_ev_discharge_kw
    expected = {
        "curtailment": w.curtailment * h * d.p_curtailed_kw.sum(),
        "losses": w.losses * lost_kwh,
        "sunny_charging": -w.sunny_charging * h * (inputs.pv_share[:, None] * charged).sum(),
        "discomfort": w.discomfort * h * (np.abs(d.room_c - 22.5) * fleet.n_rooms).sum(),
        "hp_cycling": w.hp_cycling * np.abs(np.diff(d.p_hp_kw, axis=0)).sum(),
        "battery_cycling": w.battery_cycling * h * (d.p_charge_kw + d.p_discharge_kw).sum(),
        "ev_cycling": w.ev_cycling * h * (d.p_ev_charge_kw + d.p_ev_discharge_kw).sum(),
        "ev_tracking": w.ev_tracking * h * (np.maximum(0.9 * fleet.ev_kwh - d.ev_kwh, 0) * home).sum(),
    }
    assert given.sum() > 1.0 and expected["discomfort"] > 0.1  # there is something to see
    for term, value in expected.items():
        assert d.terms[term] == pytest.approx(value, rel=1e-5, abs=1e-2), term
    without_losses = h * inputs.price @ imported_kw
    assert d.terms["import_price"] - without_losses == pytest.approx(found.losses_kwh * 0.2, rel=0.3)
    assert d.objective == pytest.approx(sum(d.terms.values()), rel=1e-12)


def test_a_price_is_what_one_more_kwh_costs(evening: tuple[Engine, Fleet, FleetInputs, ConeDispatch]) -> None:
    """Between what a little less saves and a little more costs: the objective is convex in the load."""
    engine, fleet, inputs, found = evening
    price, more = found.dispatch.price, 5.0
    step, bus = np.unravel_index(int(np.nanargmax(price)), price.shape)
    assert price[step, bus] > 1.1 * inputs.price[step]  # dearest where voltage is at its limit
    for t, k in ((int(step), int(bus)), (2, 20), (6, 12)):
        slopes = []
        for sign in (-1.0, 1.0):
            load = inputs.p_load_kw.copy()
            load[t, k] += sign * more
            other = cone_dispatch(engine, fleet, replace(inputs, p_load_kw=load)).dispatch.objective
            slopes.append(sign * (other - found.dispatch.objective) / (more * inputs.step_h))
        assert slopes[0] - 1e-4 <= price[t, k] <= slopes[1] + 1e-4
        assert slopes[1] - slopes[0] < 0.3 * price[t, k]  # so that it says something


def test_payments_are_the_cost_of_import_and_what_branches_earn(
    evening: tuple[Engine, Fleet, FleetInputs, ConeDispatch],
) -> None:
    """To rounding, with the rents from flows at the ends of branches and the payments from what devices use."""
    engine, fleet, inputs, found = evening
    owners = [f"owner-{k % 4}" for k in range(len(fleet))]
    settled = settle(engine, fleet, inputs, found.dispatch, owners)
    assert settled.payments == pytest.approx(settled.import_cost + settled.surplus, rel=1e-12)
    assert abs(settled.unexplained) < 1e-6 * settled.import_cost
    assert settled.surplus == pytest.approx(settled.branch_rents.sum(), rel=1e-6)
    assert settled.import_cost == pytest.approx(found.dispatch.terms["import_price"], rel=1e-6)
    assert settled.surplus > 0.01 * settled.import_cost  # a limit binds
    by_owner = settled.by_owner()
    assert by_owner["total"].sum() == pytest.approx(settled.rows["total"].sum())
    assert len(by_owner) == 4
    devices = settled.rows[["pv", "battery", "ev", "hp"]].sum(axis=1)
    np.testing.assert_allclose(devices, settled.rows["total"], atol=1e-9)
    prices = found.dispatch.price[:, engine.feeder.bus_positions(fleet.bus.tolist())]
    np.testing.assert_allclose(settled.rows["pv"], -inputs.step_h * (prices * found.dispatch.p_pv_kw).sum(axis=0))


def test_without_limits_a_branch_earns_its_losses_once_more() -> None:
    """Losses grow with the square of the flow: a branch is paid twice what they cost, and buys them once.

    So it is where voltages are near 1 and there is no reactive power, which is not settled.
    """
    engine = bus_33(0.8, 1.2)
    fleet, inputs = all_devices(engine, pv=0.0)
    fleet = replace(fleet, q_share=np.zeros(len(fleet)))
    inputs = replace(inputs, q_load_kvar=0.0 * inputs.q_load_kvar)
    settings = DispatchSettings(weights=Weights(losses=0.0))
    found = cone_dispatch(engine, fleet, inputs, settings)
    settled = settle(engine, fleet, inputs, found.dispatch)
    lost = inputs.step_h * inputs.price @ lost_kw_by_balance(engine, inputs, found.dispatch)
    assert settled.surplus == pytest.approx(lost, rel=0.15)


def test_a_dispatch_without_power_flow_is_not_settled() -> None:
    engine = make_engine(two_bus.two_bus())
    fleet = two_bus.fleet(hp_kw=1e3)
    found = cone_dispatch(engine, fleet, two_bus.inputs())
    with pytest.raises(InputError, match="infeasible"):
        settle(engine, fleet, two_bus.inputs(), found.dispatch)


def test_a_missing_clarabel_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "clarabel", None)
    with pytest.raises(InputError, match=r"optim"):
        cone_dispatch(make_engine(two_bus.two_bus()), two_bus.fleet(pv_kw=1.0), two_bus.inputs())
