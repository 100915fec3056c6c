"""Schedules cost what the same problem costs when it is written by name in linopy, and a warm plan is the cold one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.facility import PLANTS, FacilityPlanner, Fuel, Needs
from agents.terms import Terms
from tests.agents.facility_by_name import optimum
from tests.agents.facility_cases import check, needs, planner, terms, time_of_use

FUEL = Fuel()
PEAKS = {"UNM ME": (200, 240), "One Sun Plaza": (400, 630), "ABQ Studios": (700, 500), "Mesa del Sol": (120, 170)}


def days(name: str, n_days: int, seed: int = 0) -> Needs:
    """Rough days of a facility: a rounded noon of electricity, cooling and sun, some heat."""
    hours = (np.arange(96 * n_days) + 0.5) / 4 % 24
    noon = np.maximum(0.0, np.sin((hours - 6) / 14 * np.pi)) * (hours > 6)
    rough = np.random.default_rng(seed).uniform(0.9, 1.1, (3, hours.size))
    electric, cooling = PEAKS[name]
    warm = PLANTS[name].boiler is not None
    return needs(
        hours.size,
        0.25,
        electric_kw=electric * (0.4 + 0.5 * noon) * rough[0],
        cooling_kw=cooling * (0.1 + 0.8 * noon) * rough[1],
        heat_kw=(10 + 10 * noon) * rough[2] * warm,
        pv_per_kw=0.8 * noon,
        solar_per_kw=0.9 * noon,
    )


def nights(n_days: int, price: float) -> dict[str, Any]:
    """Demand windows from 20:00 to 08:00."""
    hours = np.arange(96 * n_days) / 4
    night = [((hours % 24 < 8) | (hours % 24 >= 20)) & ((hours - 12) // 24 == day) for day in range(-1, n_days)]
    return {"windows": np.array(night), "demand": [price] * (n_days + 1)}


CASES = {
    "UNM ME": ("UNM ME", time_of_use(192), False),
    "One Sun Plaza": ("One Sun Plaza", time_of_use(192), False),
    "One Sun Plaza, exporting": (
        "One Sun Plaza",
        terms(time_of_use(192).price_buy[:, 0], 0.05, 0.25),
        True,
    ),
    "ABQ Studios, by night peaks": (
        "ABQ Studios",
        terms(time_of_use(192).price_buy[:, 0], 0.0, 0.25, **nights(2, 0.01)),
        False,
    ),
    "Mesa del Sol": ("Mesa del Sol", time_of_use(192), False),
    "Mesa del Sol, real-time prices": (
        "Mesa del Sol",
        terms(np.random.default_rng(1).uniform(0.02, 0.2, 192), step_h=0.25),
        False,
    ),
}


@pytest.mark.parametrize(("name", "tariff", "may_export"), CASES.values(), ids=CASES)
def test_the_optimum_is_that_of_the_problem_written_by_name(name: str, tariff: Terms, may_export: bool) -> None:
    need = days(name, 2)
    one = planner(PLANTS[name], need, fuel=FUEL, commitment=None, may_export=may_export)
    schedule = one.plan(tariff)
    check(schedule)
    expected = optimum(PLANTS[name], need, tariff, FUEL, may_export=may_export)
    assert one.costs(schedule, tariff).total == pytest.approx(expected, rel=1e-7)
    assert schedule.loss_bound == 0.0


@pytest.mark.parametrize("name", PLANTS)
def test_a_warm_plan_is_the_cold_one(name: str) -> None:
    need, rng = days(name, 1), np.random.default_rng(2)
    warm = planner(PLANTS[name], need, commitment=None)
    for _ in range(4):
        signal = terms(time_of_use(96).price_buy[:, 0] * rng.uniform(1.0, 1.05, 96), step_h=0.25)
        again = warm.plan(signal)
        fresh = planner(PLANTS[name], need, commitment=None).plan(signal)
        check(again)
        # The tie weights leave no two plans of equal cost.
        assert again.p_kw == pytest.approx(fresh.p_kw, abs=1e-6)


def random_case(seed: int, name: str, low: float) -> tuple[FacilityPlanner, Terms]:
    """A day of random loads, prices from `low` on, a random demand window; may export or not."""
    rng = np.random.default_rng(seed)
    n, (electric, cooling) = 24, PEAKS[name]
    need = needs(
        n,
        1.0,
        electric_kw=electric * rng.random(n),
        cooling_kw=cooling * rng.random(n),
        heat_kw=20 * rng.random(n) * (PLANTS[name].boiler is not None),
        pv_per_kw=rng.random(n),
        solar_per_kw=rng.random(n),
    )
    buy = rng.uniform(low, 0.3, n)
    tariff = terms(buy, np.minimum(buy, 0.05), windows=[rng.random(n) < 0.5], demand=[rng.uniform(0, 0.05)])
    return planner(PLANTS[name], need, commitment=None, may_export=bool(rng.random() < 0.5)), tariff


@given(seed=st.integers(0, 2**32 - 1), name=st.sampled_from(sorted(PLANTS)), low=st.sampled_from([0.01, -0.2]))
def test_every_schedule_adds_up_and_no_store_goes_two_ways(seed: int, name: str, low: float) -> None:
    one, tariff = random_case(seed, name, low)
    schedule = one.plan(tariff)
    check(schedule)
    assert schedule.loss_bound >= -1e-9
    if low > 0:
        assert schedule.loss_bound == 0.0


@pytest.mark.parametrize("name", PLANTS)
@pytest.mark.parametrize("low", [0.01, -0.2])
def test_nothing_is_lost_beyond_the_bound_that_is_stated(name: str, low: float) -> None:
    """linopy's schedule may waste energy in a store: it is the bound."""
    one, tariff = random_case(7, name, low)
    schedule = one.plan(tariff)
    bound = optimum(PLANTS[name], one.needs, tariff, FUEL, may_export=one.problem.may_export)
    cost = one.costs(schedule, tariff).total
    assert cost - schedule.loss_bound == pytest.approx(bound, rel=1e-7, abs=1e-7)


def test_a_negative_price_burns_nothing_in_a_store() -> None:
    """Paid to take 1 kWh: the store may fill, not churn; the program without that rule would earn more."""
    plant = PLANTS["Mesa del Sol"]
    need = needs(4, electric_kw=10.0)
    one = planner(plant, need, commitment=None)
    schedule = one.plan(terms([-0.1] * 4))
    check(schedule)
    assert schedule.loss_bound > 0.01
