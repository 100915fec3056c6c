"""Siting and sizing over scenarios: by hand on two buses, and by what must hold on a few."""

from dataclasses import replace

import numpy as np
import pytest

import cosim.hosting.stochastic.equivalent as equivalent
from agents.dso.dispatch import DispatchSettings
from agents.dso.dispatch.wires import Wires
from agents.prosumer.fleet import FleetInputs
from cosim.hosting.case import HostingCase, hosting_case
from cosim.hosting.check import static_check
from cosim.hosting.definition import Definition
from cosim.hosting.devices import Devices
from cosim.hosting.stochastic import TwoStagePlan, feasible_region, static_plan, two_stage, volume, volume_ratio
from cosim.hosting.stochastic.equivalent import Equivalent
from cosim.hosting.stochastic.first_stage import first_stage
from cosim.hosting.stochastic.recourse import MostPv, operated
from cosim.hosting.stochastic.repair import largest_within, repaired
from feeders.errors import InputError
from tests.cosim.hosting.small_feeders import R_OHM, VN_KV, X_OHM, line_feeder

ONLY_PV = {"battery": 0.0, "ev": 0.0, "hp": 0.0}


def case_of(*loads_kw: float, q_share: float = 0.0, max_i_ka: float = 10.0) -> HostingCase:
    return hosting_case(line_feeder(loads_kw, max_i_ka=max_i_ka), devices=Devices(q_share=q_share))


def by_hand_kw(inputs: FleetInputs) -> float:
    """PV at the end of one line that raises its voltage to 1.05: from (Baran and Wu 1989) with w the squared voltage,

    w^2 + w (2 r p - 1) + (r^2 + x^2) p^2 = 0, p consumed [p.u.], no reactive power, source at 1.
    """
    base_ohm, w = VN_KV**2 / 1.0, 1.05**2
    r, x = R_OHM / base_ohm, X_OHM / base_ohm
    a, b, c = r**2 + x**2, 2 * r * w, w**2 - w
    p_kw = 1e3 * (-b + np.sqrt(b**2 - 4 * a * c)) / (2 * a)
    sunny = inputs.pv_share > 0
    return float(np.min((inputs.p_load_kw[sunny, 1] - p_kw) / inputs.pv_share[sunny]))


def with_load(case: HostingCase, factor: float) -> FleetInputs:
    return replace(case.inputs, p_load_kw=factor * case.inputs.p_load_kw)


def test_pv_behind_one_line_is_as_by_hand() -> None:
    case = case_of(300.0)
    found = two_stage(case, TwoStagePlan(**ONLY_PV, reserve_pu=1e-6, passes=3), [case.inputs], n=1)
    assert found.kw == pytest.approx(by_hand_kw(case.inputs), rel=2e-4)
    assert found.level == pytest.approx(found.kw / 300.0)
    assert found.gap < 1e-3 and found.feasible_share == 1.0
    assert found.outcomes["stop"][0].startswith("over-voltage at bus node 1")
    assert found.stop.kind in ("infeasible", "over-voltage")


def test_a_plan_for_two_days_is_that_for_the_one_that_takes_less() -> None:
    case = case_of(300.0)
    days = [with_load(case, 1.2), with_load(case, 0.8)]
    found = two_stage(case, TwoStagePlan(**ONLY_PV, reserve_pu=1e-6, passes=3), days, n=2)
    assert found.kw == pytest.approx(by_hand_kw(days[1]), rel=2e-4)
    assert list(found.outcomes["feasible"]) == [True, True]


def test_a_day_that_was_not_planned_for_counts_against_the_plan_until_it_is_repaired() -> None:
    case = case_of(200.0, 100.0)
    # Of the three the one nearest to their mean is kept: one of the two that are alike.
    noon = (case.inputs.pv_share == 1)[:, None]
    worse = replace(case.inputs, p_load_kw=np.where(noon, 0.0, case.inputs.p_load_kw))
    days, plan = [case.inputs, case.inputs, worse], TwoStagePlan(**ONLY_PV)
    tried = two_stage(case, plan, days, n=1)
    assert tried.reduction.chosen.tolist() == [0]
    assert tried.feasible_share == pytest.approx(2 / 3)
    better = two_stage(case, TwoStagePlan(**ONLY_PV, repairs=3, threshold=1.0), days, n=1)
    assert better.feasible_share == 1.0
    assert 0.5 * tried.kw < better.kw < tried.kw
    assert better.bound_kw == pytest.approx(tried.bound_kw)


def test_totals_and_bounds_of_nodes_are_kept() -> None:
    case = case_of(120.0, 60.0, 90.0, q_share=0.44)
    plan = TwoStagePlan(battery=0.3, ev=0.2, hp=0.3, node_pv_most=0.8, node_battery_most=0.5)
    found = two_stage(case, plan, [case.inputs], n=1)
    sums = found.capacities.sum()
    homes = case.homes[case.candidates]
    assert sums["battery_kw"] == pytest.approx(0.3 * case.peak_kva, abs=0.1)
    assert sums["ev_kw"] == pytest.approx(0.2 * homes.sum() * 9.6, abs=0.1)
    assert sums["hp_kw"] == pytest.approx(0.3 * homes.sum() * 5.6, abs=0.1)
    node_kw = np.array([120.0, 60.0, 90.0])
    assert (found.capacities["pv_kw"] <= 0.8 * node_kw + 1e-3).all()
    assert (found.capacities["battery_kw"] <= 0.5 * node_kw + 1e-3).all()
    assert (found.capacities["ev_kw"] <= 9.6 * homes + 1e-3).all()
    assert found.level == pytest.approx(0.8, abs=1e-3)  # the wires would take more: every node is at its bound
    assert found.stop.kind == "bounds"
    assert found.correlations.loc["pv_kw", "pv_kw"] == 1.0


def test_more_storage_and_coordination_never_lower_a_plan() -> None:
    case = case_of(120.0, 60.0, 90.0)
    levels = [
        two_stage(case, TwoStagePlan(battery=share, ev=0.1, hp=0.2), [case.inputs], n=1).level for share in (0.0, 0.6)
    ]
    static = static_plan(case, TwoStagePlan(battery=0.6, ev=0.1, hp=0.2), [case.inputs])
    assert levels[1] > levels[0] + 0.05  # stored at noon: the voltage is the limit here
    assert static.level < levels[1]


def test_what_the_feeder_does_not_take_is_an_answer_of_its_own() -> None:
    # 195 kVA for 180 kW of load at its peak. 51 cars want 35 / .95 kWh each night, in 15 h at home 125 kW beside a load
    # of 100 kW on average in these hours.
    case = case_of(120.0, 60.0, max_i_ka=0.027)
    found = two_stage(case, TwoStagePlan(hp=1.0, ev=1.0, battery=0.0), [case.inputs], n=1)
    assert np.isnan(found.level) and np.isnan(found.kw)
    assert found.short_kw[0] == 0 and found.short_kw[1:].sum() > 10


def test_the_risk_decides_where_days_disagree() -> None:
    case = case_of(300.0)
    dear = replace(case.inputs, price=np.full(24, 0.3))
    paid = replace(case.inputs, price=np.full(24, -0.5))
    sun_kwh = case.inputs.pv_share.sum()
    # A kW of PV is worth .3 E on the dear day and costs .5 E on the other: .1 E on average, more than its value, .05 E.
    # The dearer half of the days is the dear day alone.
    for risk, wanted in (("expectation", 0.0), ("cvar", 1.0)):
        plan = TwoStagePlan(**ONLY_PV, risk=risk, tail=0.5, value_per_kw=0.05 * sun_kwh, node_pv_most=1.0)
        found = two_stage(case, plan, [dear, paid], n=2, check_all=False)
        assert found.level == pytest.approx(wanted, abs=1e-3), risk


def test_sides_left_out_at_first_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    case = case_of(120.0, 60.0, 90.0, q_share=0.44, max_i_ka=0.05)
    stage, wires = first_stage(case, TwoStagePlan(battery=0.5)), Wires.of(case.feeder)
    grid = wires.grid
    point = wires.point(grid.per_row(case.inputs.p_load_kw), grid.per_row(case.inputs.q_load_kvar))
    assert point is not None
    found = {}
    for near in (0.99, -1e9):
        monkeypatch.setattr(equivalent, "_NEAR", near)
        whole = Equivalent(wires, stage, [case.inputs], np.ones(1), DispatchSettings(curtailable=False))
        found[near] = whole.solved([point])
    few, many = found[0.99], found[-1e9]
    assert few.n_rows < many.n_rows
    assert stage.pv_kw(few.x) == pytest.approx(stage.pv_kw(many.x), rel=1e-6)


def test_the_largest_plan_within_cuts() -> None:
    # One kW less at the second row would be one less taken, at the first none: u0 <= 15 + (u1 - 10) - u1 = 5.
    found = largest_within(np.array([10.0, 10.0]), [MostPv(15.0, np.array([0.0, 1.0]))])
    np.testing.assert_allclose(found, [5.0, 10.0], atol=0.01)
    np.testing.assert_allclose(largest_within(np.array([3.0, 4.0]), []), [3.0, 4.0])


def test_a_repaired_fleet_is_inside() -> None:
    case = case_of(200.0, 100.0)
    wires, settings = Wires.of(case.feeder), DispatchSettings(curtailable=False)
    stage = first_stage(case, TwoStagePlan(**ONLY_PV))
    fleet = stage.fleet.with_ratings(pv_kw=np.array([700.0, 900.0]))
    assert not operated(case, wires, fleet, case.inputs, settings, None).feasible
    less = repaired(case, wires, fleet, settings, [(case.inputs, None)])
    less = repaired(case, wires, less, settings, [(case.inputs, None)])  # made linear nearer to where it ends
    assert operated(case, wires, less, case.inputs, settings, None).feasible
    assert less.pv_kw[0] == pytest.approx(700.0)  # where it raises least nothing is taken away
    more = less.with_ratings(pv_kw=less.pv_kw * np.array([1.0, 1.05]))
    assert not operated(case, wires, more, case.inputs, settings, None).feasible


def test_a_static_plan_is_as_by_hand_and_no_more_would_do() -> None:
    case = case_of(300.0)
    found = static_plan(case, TwoStagePlan(**ONLY_PV), [case.inputs, with_load(case, 0.9)], kept=[1])
    assert found.kw == pytest.approx(by_hand_kw(with_load(case, 0.9)), rel=3e-4)
    assert found.feasible_share == 1.0
    check = static_check(case.with_inputs(with_load(case, 0.9)), Definition())
    assert check(found.fleet).feasible
    assert not check(found.fleet.with_ratings(pv_kw=1.002 * found.fleet.pv_kw)).feasible


def test_static_sites_are_chosen() -> None:
    case = case_of(100.0, 100.0)
    found = static_plan(case, TwoStagePlan(**ONLY_PV), [case.inputs])
    # Next to the source, where it raises least; at the end only what the load there takes.
    assert found.fleet.pv_kw[1] < 100 < 0.1 * found.fleet.pv_kw[0]
    narrow = static_plan(case_of(100.0, 100.0, max_i_ka=0.03), TwoStagePlan(hp=1.0, ev=1.0), [case.inputs])
    assert np.isnan(narrow.level) and narrow.short_kw.sum() > 1


def test_the_region_of_what_is_feasible() -> None:
    case = case_of(120.0, 60.0)
    region = feasible_region(case, TwoStagePlan(ev=0.0), [0.0, 0.5], [0.0, 0.5])
    assert list(region["battery"]) == [0.0, 0.0, 0.5, 0.5] and list(region["hp"]) == [0.0, 0.5, 0.0, 0.5]
    assert (region["dynamic_level"] >= region["static_level"].fillna(0.0) - 1e-3).all()
    assert volume_ratio(region) > 1


def test_volumes_by_hand() -> None:
    region = feasible_region_of([[1.0, 0.0], [2.0, np.nan]])
    # Mean over heat pumps of .5 and 1, mean of those .75, times 0.5 x 0.5.
    assert volume(region, "dynamic_level") == pytest.approx(0.75 * 0.25)
    assert volume_ratio(region) == np.inf
    with pytest.raises(InputError, match="at least two"):
        volume(region[region["hp"] == 0.0], "dynamic_level")


def feasible_region_of(levels: list[list[float]]):  # type: ignore[no-untyped-def]
    import pandas as pd

    shares = (0.0, 0.5)
    return pd.DataFrame(
        [
            {"battery": b, "hp": h, "dynamic_level": levels[i][j], "static_level": np.nan}
            for i, b in enumerate(shares)
            for j, h in enumerate(shares)
        ]
    )
