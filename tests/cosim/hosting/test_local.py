"""Capacity under local rules: what the minute loop did is what is judged, and rules do what they are for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.prosumer.fleet import Fleet, FleetInputs
from cosim.hosting import Definition, Penetration
from cosim.hosting.case import HostingCase, hosting_case
from cosim.hosting.check import static_check
from cosim.hosting.find import find
from cosim.hosting.level import powers_at_buses
from cosim.hosting.local import burden, local_check
from cosim.hosting.local_loop import LocalLoop, finer, live_day
from cosim.hosting.siting import fleet_at
from feeders.errors import InputError
from feeders.flows import power_flows
from tests.cosim.hosting.small_feeders import line_feeder

SCALED = Definition(siting="scaled", most=10.0, step=0.1)


@pytest.fixture(scope="module")
def case() -> HostingCase:
    return hosting_case(line_feeder((150.0, 150.0, 150.0)))


def even_day(case: HostingCase) -> HostingCase:
    """The same sun and load all day, so that minutes differ by the loop alone."""
    inputs, n = case.inputs, len(case.inputs)
    columns = {name: np.repeat(getattr(inputs, name)[12:13], n, axis=0) for name in _COLUMNS}
    return case.with_inputs(replace(inputs, **columns))


_COLUMNS = ("p_load_kw", "q_load_kvar", "pv_share", "t_out_c", "price")


def test_without_rule_and_battery_a_day_that_never_changes_is_the_static_one(case: HostingCase) -> None:
    even = even_day(case)
    fleet = fleet_at(even, Definition(fixed=Penetration(ev=0.0, hp=0.1)), 0.9)
    alone, local = static_check(even, SCALED)(fleet), local_check(even, "none")(fleet)
    assert local.margin == pytest.approx(alone.margin, abs=1e-9)
    assert (local.feasible, local.curtailed_share) == (alone.feasible, 0.0)
    names = ("vm_max_pu", "vm_min_pu", "vm_mean_pu", "loading_max")
    assert {n: local.metrics[n] for n in names} == pytest.approx({n: alone.metrics[n] for n in names}, abs=1e-9)


def test_what_is_judged_is_what_the_loop_lived(case: HostingCase) -> None:
    """Voltages of the replayed powers are those that the loop itself computed, each minute, with all devices on."""
    asked = Definition(fixed=Penetration(battery=0.5, ev=0.2, hp=0.2))
    fleet = fleet_at(case, asked, 1.5)
    day = live_day(case, fleet, "ieee1547-b", record=("vm_pu",))
    minutes = case.with_inputs(day.inputs)
    p_bus, q_bus = powers_at_buses(minutes, fleet, day.p_kw, day.q_kvar)
    flows = power_flows(case.engine, p_bus, q_bus)
    column = case.feeder.bus_positions(fleet.bus.tolist())
    vm_pu = day.run.column("vm_pu")[:, : len(fleet)]
    assert vm_pu.shape == (24 * 60, len(fleet))
    np.testing.assert_allclose(flows.vm_pu[:, column], vm_pu, rtol=0, atol=1e-8)
    judged = local_check(case, "ieee1547-b", asked)(fleet)
    assert judged.metrics["vm_max_pu"] == pytest.approx(max(1.0, vm_pu.max()), abs=1e-8)


def test_curve_of_1547_holds_the_voltage_down_and_takes_no_more_than_its_share(case: HostingCase) -> None:
    fleet = fleet_at(case, SCALED, 2.0)
    free, ruled = (live_day(case, fleet, rule) for rule in ("none", "ieee1547-b"))
    rating_kva = fleet.pv_kw * np.hypot(1, fleet.q_share)
    assert (free.q_kvar == 0).all()
    at_noon = ruled.inputs.pv_share > 0.99
    assert (ruled.q_kvar[at_noon] <= 0).all() and (ruled.q_kvar[at_noon, 2] < 0).all()
    assert (np.abs(ruled.q_kvar) <= 0.44 * rating_kva + 1e-9).all()
    tops = [local_check(case, rule)(fleet).metrics["vm_max_pu"] for rule in ("none", "ieee1547-b")]
    assert tops[1] < tops[0] - 1e-3


def test_capacity_is_bracketed_and_1547_takes_more_than_no_rule(case: HostingCase) -> None:
    found = {}
    for rule in ("none", "ieee1547-b"):
        check = local_check(case, rule, SCALED)
        found[rule] = find(case, SCALED, "local", "one-shot", check=check)
        levels = found[rule].steps.set_index("level")["feasible"]
        assert levels[found[rule].level] and not levels[round(found[rule].level + 0.1, 12)]
        assert found[rule].margin >= -1e-6
    static = find(case, SCALED, "static")
    assert found["none"].level == pytest.approx(static.level, abs=0.11)  # between the hours it is a little otherwise
    assert found["ieee1547-b"].level > found["none"].level


def test_curtailment_beyond_what_is_allowed_stops(case: HostingCase) -> None:
    fleet = fleet_at(case, SCALED, 2.0)
    strict, lenient = (
        local_check(case, "anrc", SCALED.model_copy(update={"curtailment": share}))(fleet) for share in (0.0, 0.5)
    )
    assert strict.stop is not None and strict.stop.kind == "curtailment" and not strict.feasible
    assert 0.01 < strict.curtailed_share < 0.5
    assert (lenient.feasible, lenient.stop) == (True, None)
    assert lenient.curtailed_share == strict.curtailed_share


def test_what_a_rule_takes_is_the_price_of_what_is_not_fed_in(case: HostingCase) -> None:
    """Without batteries, at kappa 1, a curtailed kWh costs its price, whoever would have used it."""
    fleet = fleet_at(case, SCALED, 2.0)
    found = burden(case, fleet, "anrc", SCALED)
    day = live_day(case, fleet, "anrc")
    worth = (day.p_curtailed_kw * day.inputs.price[:, None]).sum(axis=0) * day.inputs.step_h
    owned = (day.inputs.pv_share[:, None] * fleet.pv_kw * day.inputs.price[:, None]).sum(axis=0) * day.inputs.step_h
    np.testing.assert_allclose(found.rows["lost"], worth, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.rows["gain"], owned, rtol=1e-9)
    np.testing.assert_allclose(found.rows["gain_kept_percent"], 100 * (1 - worth / owned), rtol=1e-9)
    assert found.measures["kept_percent"] == pytest.approx(100 * (1 - worth.sum() / owned.sum()))
    kept = np.sort(found.rows["gain_kept_percent"])  # Gini of three values: mean difference over twice the mean
    gini = sum(abs(a - b) for a in kept for b in kept) / (2 * 3 * kept.sum())
    assert found.measures["gini_kept"] == pytest.approx(gini)
    assert found.check.curtailed_share == pytest.approx(day.curtailed_share)
    spared = burden(case, fleet, "none", SCALED).measures
    assert (spared["lost"], spared["kept_percent"], spared["gini_curtailed"]) == (0.0, 100.0, 0.0)


def test_rows_at_one_bus_share_its_load_once_and_other_loads_stay() -> None:
    whole = hosting_case(line_feeder((150.0, 150.0, 150.0)))
    part = hosting_case(line_feeder((150.0, 150.0, 150.0)), nodes=["node 2"])
    bus = int(part.feeder.buses[part.candidates[0]])
    fleet = Fleet(["one", "two"], np.array([bus, bus]), np.array([40.0, 60.0]), *np.zeros((3, 2)))
    together = Fleet(["both"], np.array([bus]), np.array([100.0]), *np.zeros((3, 1)))
    two, one = (local_check(part, "ieee1547-b")(each) for each in (fleet, together))
    assert two.metrics == pytest.approx(one.metrics, abs=1e-6)
    nothing = fleet_at(whole, SCALED, 0.0)
    assert local_check(part, "none")(fleet_at(part, SCALED, 0.0)).metrics == pytest.approx(
        local_check(whole, "none")(nothing).metrics, abs=1e-9
    )


def test_finer_steps_are_lines_between_the_middles(case: HostingCase) -> None:
    fine = finer(case.inputs)
    assert (len(fine), fine.step_h) == (96, 0.25)
    hours = (np.arange(24) + 0.5, (np.arange(96) + 0.5) / 4)
    np.testing.assert_allclose(fine.pv_share[40:56], np.interp(hours[1][40:56], hours[0], case.inputs.pv_share))
    # 0.125 h is 0.625 of the way from the middle of the last hour of the day to that of the first
    first, last = case.inputs.p_load_kw[0], case.inputs.p_load_kw[-1]
    np.testing.assert_allclose(fine.p_load_kw[0], last + 0.625 * (first - last))
    assert fine.price[:4].tolist() == [case.inputs.price[0]] * 4
    again = finer(fine)
    assert np.array_equal(again.p_load_kw, fine.p_load_kw)


def test_what_cannot_be_asked(case: HostingCase) -> None:
    with pytest.raises(InputError, match="one of none, prc"):
        local_check(case, "hybird")
    wrong = FleetInputs(
        p_load_kw=np.ones((2, 4)),
        q_load_kvar=np.zeros((2, 4)),
        pv_share=np.zeros(2),
        t_out_c=np.zeros(2),
        price=np.zeros(2),
    )
    with pytest.raises(InputError, match="a day of steps of 15 min or multiples"):
        finer(wrong)
    capacitive = case.with_inputs(replace(case.inputs, q_load_kvar=-case.inputs.p_load_kw))
    with pytest.raises(InputError, match="loads that consume active and reactive power"):
        live_day(capacitive, fleet_at(case, SCALED, 0.1), "none")


def test_settled_rules_see_the_voltage_of_their_own_minute(case: HostingCase) -> None:
    """Where the loop rests, the reactive power is that of the curve at the voltage that it gives."""
    fleet = fleet_at(case, SCALED, 2.0)
    day = live_day(case, fleet, "ieee1547-b", loop=LocalLoop(mode="settled"), record=("vm_pu",))
    vm_pu = day.run.column("vm_pu")[:, : len(fleet)]
    rating_kva = fleet.pv_kw * np.hypot(1, fleet.q_share)
    wanted = rating_kva * np.interp(vm_pu, [0.92, 0.98, 1.02, 1.08], [0.44, 0, 0, -0.44])
    assert vm_pu.max() > 1.02
    np.testing.assert_allclose(day.q_kvar, wanted, rtol=0, atol=1e-3 * rating_kva.max())
