"""Facilities as customers and as agents."""

from __future__ import annotations

from dataclasses import replace

import mesa
import numpy as np
import pytest
from scipy.optimize import linprog

from agents.customers import Block, Customers
from agents.errors import PlanError
from agents.facility import (
    PLANTS,
    Ends,
    Facilities,
    Facility,
    FacilityPlanner,
    Fuel,
    Needs,
    ShortfallError,
    mix,
)
from agents.facility.schedule import Schedule
from agents.terms import Terms
from feeders.errors import InputError
from tests.agents.facility_cases import COOLED, check, needs, planner, powered, terms, time_of_use

FUEL = Fuel(0.04, 0.2)
SIGNALS = [[0.1, 0.2, 0.3, 0.3], [0.3, 0.1, 0.2, 0.4], [0.2, 0.3, 0.1, 0.5]]


def two(cooling: float = 20.0, **changes: float) -> Facilities:
    """One that is cooled, one with an engine."""
    cooled = FacilityPlanner("cooled", COOLED, needs(4, electric_kw=2.0, cooling_kw=cooling), ends={"cold": Ends(0.0)})
    engine = FacilityPlanner("engine", powered(), needs(4, electric_kw=20.0, heat_kw=5.0), fuel=FUEL)
    return Facilities([cooled, engine], [3, 5], **changes)


def for_two(price: list[float]) -> Terms:
    both = np.column_stack([price, price])
    return Terms.of_prices(both, np.zeros_like(both), 1.0)


def test_they_are_customers() -> None:
    customers: Customers = two()  # what mypy checks, in words: names, buses, respond, adopt, forget, blocks
    assert list(customers.names) == ["cooled", "engine"]
    assert list(customers.buses) == [3, 5]


def test_their_response_is_their_plans() -> None:
    facilities = two()
    response = facilities.respond(for_two(SIGNALS[0]))
    alone = [planner(COOLED, needs(4, electric_kw=2.0, cooling_kw=20.0), ends={"cold": Ends(0.0)})]
    assert response.p_kw[:, 0] == pytest.approx(alone[0].plan(terms(SIGNALS[0])).p_kw, abs=1e-9)
    assert response.q_kvar == pytest.approx(-0.33 * response.p_kw)
    assert not response.kept.any()
    # No fuel for the first. A kWh of the engine costs 0.11, and 0.06 while its heat is used, which is up to 5 kW: so it
    # makes 5 kW at 0.1 and its 10 kW at 0.2 and more, for one start, and no boiler runs.
    assert response.other_cost == pytest.approx([0.0, (5 + 3 * 10) * 0.11 + 1.0], abs=1e-6)


def test_other_power_factors() -> None:
    response = two(tan_phi=0.5).respond(for_two(SIGNALS[0]))
    assert response.q_kvar == pytest.approx(-0.5 * response.p_kw)


def test_a_mix_of_plans_is_a_schedule() -> None:
    facilities = two()
    responses = [facilities.respond(for_two(price)) for price in SIGNALS]
    shares = np.array([[0.5, 0.0], [0.3, 0.25], [0.2, 0.75]])
    facilities.adopt(shares)
    for k, schedule in enumerate(facilities.schedules):
        check(schedule, one_way=False)
        expected = sum(share * one.p_kw[:, k] for share, one in zip(shares[:, k], responses, strict=True))
        assert schedule.p_kw == pytest.approx(expected, abs=1e-9)
    assert facilities.schedules[1].starts == {"generator": 1}


def test_a_mix_shows_where_it_goes_two_ways() -> None:
    one = planner(COOLED, needs(3, cooling_kw=20.0), ends={"cold": Ends(5.0, 5.0)})
    early, late = one.plan(terms([0.1, 0.3, 0.2])), one.plan(terms([0.3, 0.1, 0.2]))
    both = mix([early, late], [0.5, 0.5])
    check(both, one_way=False)
    assert both.overlap_kw()["cold"][0] == pytest.approx(2.5, abs=1e-9)  # half of 5 in, half of 5 out


@pytest.mark.parametrize(
    "shares",
    [
        np.ones((1, 2)),
        np.ones((3, 3)) / 3,
        np.array([[0.5, 0.5], [0.5, 0.5], [0.1, 0.0]]),
        np.array([[1.5, 1.0], [-0.5, 0.0], [0.0, 0.0]]),
        np.full((3, 2), np.nan),
    ],
)
def test_shares_that_are_none_are_refused_and_change_nothing(shares: np.ndarray) -> None:
    facilities = two()
    for price in SIGNALS:
        facilities.respond(for_two(price))
    before = facilities.schedules
    with pytest.raises(InputError, match="shares"):
        facilities.adopt(shares)
    assert facilities.schedules == before


def test_forgetting_begins_a_new_count_and_keeps_commitments() -> None:
    facilities = two()
    facilities.respond(for_two(SIGNALS[0]))
    committed = facilities.planners[1].commitment
    facilities.forget()
    with pytest.raises(InputError, match="shares"):
        facilities.adopt(np.ones((1, 2)))
    facilities.respond(for_two([0.001] * 4))
    facilities.adopt(np.ones((1, 2)))
    assert facilities.planners[1].commitment is committed
    facilities.commit(for_two([0.001] * 4))
    assert not facilities.planners[1].commitment.on["generator"].any()  # type: ignore[union-attr]


def test_who_cannot_plan_any_more_keeps_the_last_plan_and_says_so() -> None:
    facilities = two()
    first = facilities.respond(for_two(SIGNALS[0]))
    facilities.planners[0].renew(needs(4, cooling_kw=500.0))
    facilities.forget()
    again = facilities.respond(for_two(SIGNALS[1]))
    assert again.kept.tolist() == [True, False]
    assert again.p_kw[:, 0] == pytest.approx(first.p_kw[:, 0])
    facilities.planners[0].renew(needs(4, cooling_kw=5.0))
    assert not facilities.respond(for_two(SIGNALS[1])).kept.any()


def test_the_first_plan_must_be_possible() -> None:
    facilities = two(cooling=500.0)
    with pytest.raises(PlanError, match="no plan yet"):
        _ = facilities.schedules
    with pytest.raises(ShortfallError, match="'cooled'"):
        facilities.respond(for_two(SIGNALS[0]))


def test_wrong_facilities_and_terms_are_refused() -> None:
    one = planner(COOLED, needs(4))
    other = FacilityPlanner("other", COOLED, needs(5))
    for planners, buses, field in (
        ([], [], "buses"),
        ([one], [1, 2], "buses"),
        ([one, one], [1, 2], "names"),
        ([one, other], [1, 2], "needs"),
    ):
        with pytest.raises(InputError) as caught:
            Facilities(planners, buses)
        assert caught.value.field == field
    with pytest.raises(InputError, match="tan_phi"):
        Facilities([one], [1], tan_phi=float("nan"))
    with pytest.raises(InputError, match="2 columns"):
        two().respond(terms(SIGNALS[0]))


def solved(block: Block, tariff: Terms) -> tuple[float, np.ndarray]:
    """Optimum of a block under prices, by another interface."""
    cost = block.program.cost + tariff.step_h * (
        tariff.price_buy[:, 0] @ block.imports.toarray() - tariff.price_sell[:, 0] @ block.exports.toarray()
    )
    p, dense = block.program, block.matrix.toarray()
    equal = p.row_lower == p.row_upper
    above, below = np.isfinite(p.row_upper) & ~equal, np.isfinite(p.row_lower) & ~equal
    answer = linprog(
        cost,
        A_ub=np.vstack([dense[above], -dense[below]]),
        b_ub=np.concatenate([p.row_upper[above], -p.row_lower[below]]),
        A_eq=dense[equal],
        b_eq=p.row_lower[equal],
        bounds=np.column_stack([p.lower, p.upper]),
    )
    assert answer.status == 0
    return float(answer.fun), answer.x


def a_day(name: str) -> Needs:
    hours = np.arange(24.0)
    noon = np.maximum(0.0, np.sin((hours - 6) / 14 * np.pi)) * (hours > 6)
    heat = 10.0 if PLANTS[name].boiler else 0.0
    return needs(
        24, electric_kw=60 + 60 * noon, cooling_kw=20 + 150 * noon, heat_kw=heat, pv_per_kw=noon, solar_per_kw=noon
    )


@pytest.mark.parametrize("name", PLANTS)
def test_a_block_is_the_planning_problem(name: str) -> None:
    one = FacilityPlanner(name, PLANTS[name], a_day(name))
    facilities = Facilities([one], [1])
    tariff = time_of_use(24, 1.0)
    facilities.respond(tariff)
    (block,) = facilities.blocks()
    assert block.q_per_kw == -0.33
    assert block.q_fixed_kvar.shape == (24,)
    costs = one.costs(facilities.schedules[0], tariff)
    assert block.fixed_cost == costs.starts  # committed, whatever is planned
    assert solved(block, tariff)[0] + block.fixed_cost == pytest.approx(costs.total, rel=1e-7)


def test_a_solution_of_a_block_can_be_read() -> None:
    one = planner(COOLED, needs(2, cooling_kw=20.0), ends={"cold": Ends(0.0)})
    schedule = one.read(solved(one.block(), terms([0.1, 0.2]))[1])
    check(schedule)
    assert schedule.p_kw == pytest.approx([15.0, 5.0], abs=1e-9)


def test_a_mix_of_unlike_schedules_is_refused() -> None:
    one = planner(powered(), needs(2, electric_kw=20.0), fuel=FUEL)
    first = one.plan(terms([0.5, 0.01]))
    one.release()
    other = one.plan(terms([0.01, 0.5]))
    with pytest.raises(InputError, match="the same steps"):
        mix([first, other], [0.5, 0.5])
    with pytest.raises(InputError, match="the same needs"):
        mix([first, replace(first, needs=needs(2))], [0.5, 0.5])
    assert mix([first, other], [0.0, 1.0]).p_kw == pytest.approx(other.p_kw)


def test_a_facility_is_an_agent_that_follows_its_schedule() -> None:
    model = mesa.Model(rng=1)
    agent = Facility(model, planner(COOLED, needs(2, cooling_kw=20.0), ends={"cold": Ends(0.0)}), bus=7)
    assert (agent.name, agent.bus) == ("test", 7)
    assert np.isnan(agent.p_meter_kw)
    model.agents.do("plan", terms([0.1, 0.2]))
    assert isinstance(agent.schedule, Schedule)
    assert (agent.p_meter_kw, agent.q_kvar) == pytest.approx((15.0, -0.33 * 15.0), abs=1e-9)
    agent.step()
    assert agent.p_meter_kw == pytest.approx(5.0, abs=1e-9)
    with pytest.raises(InputError, match="now"):
        agent.step()
    other = agent.planner.plan(terms([0.2, 0.1]))
    agent.follow(mix([agent.schedule, other], [0.5, 0.5]))
    assert agent.p_meter_kw == pytest.approx(7.5, abs=1e-9)
    with pytest.raises(InputError, match="a schedule of this facility"):
        agent.follow(replace(other, needs=needs(2)))
