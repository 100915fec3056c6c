"""Commitments: followed to the letter in their steps by those who made them, and by nobody else."""

from __future__ import annotations

import numpy as np
import pytest

from agents.prosumer import Commitment, Homes, PerfectForecast, Population, Window
from feeders.errors import InputError
from tests.agents.homes_cases import STEP_H, T, energies, some_homes, some_terms, some_world


def test_a_day_of_a_mix_of_plans_is_lived_as_committed() -> None:
    owned, world = some_homes(6, 1), some_world(6, 1)
    population = Population(owned)
    asked = Homes(population, PerfectForecast(world), world, Window(0, T, T, STEP_H, refill=True))
    for seed in (1, 2):
        asked.respond(some_terms(5, seed))
    asked.adopt(np.full((2, 5), 0.5))
    commitment = Commitment(asked.rows, 0, *asked.committed())
    lived = []
    for now in range(T):
        population.begin(world, now, STEP_H)
        commitment.follow(population, now)
        population.regulate(np.ones(6), STEP_H)
        lived.append(population.p_battery_kw.copy())
        assert np.array_equal(population.p_flexible_kw[:5], commitment.p_flexible_kw[now])
        assert (population.p_battery_plan_kw[5], population.p_flexible_kw[5]) == (0.0, world.p_flexible_kw[now, 5])
        population.deliver(STEP_H)
    # No rule: the inverter's rating of 1.5 kVA is all that may take power back.
    inverter = commitment.p_battery_kw - world.p_pv_kw[:, :5]
    free = (np.abs(inverter) <= 1.5).all(axis=0)
    assert free.any()
    assert np.array(lived)[:, :5][:, free] == pytest.approx(commitment.p_battery_kw[:, free], abs=1e-9)
    assert population.energy_kwh[:5][free] == pytest.approx(
        energies(asked, owned, commitment.p_battery_kw)[-1][free], abs=1e-9
    )
    assert population.flexible_owed_kwh[:5] == pytest.approx(np.zeros(5), abs=1e-9)


def test_a_commitment_holds_in_its_steps_alone() -> None:
    population = Population(some_homes(3, 1))
    commitment = Commitment(np.array([2, 0]), 4, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]]))
    assert [commitment.holds(now) for now in (3, 4, 5, 6)] == [False, True, True, False]
    commitment.follow(population, 5)
    assert population.p_battery_plan_kw.tolist() == [4.0, 0.0, 3.0]
    assert population.p_flexible_kw.tolist() == [8.0, 0.0, 7.0]
    for now in (3, 6):
        with pytest.raises(InputError, match=r"market steps 4 \.\. 5"):
            commitment.follow(population, now)


def test_wrong_commitments_are_refused() -> None:
    rows, fine = np.array([0, 1]), np.zeros((3, 2))
    for battery, flexible, word in (
        (np.zeros((3, 1)), fine, "p_battery_kw"),
        (fine, np.zeros((4, 2)), "p_flexible_kw"),
        (np.where(fine == 0, np.nan, 0), fine, r"p_battery_kw\[0, 0\]"),
    ):
        with pytest.raises(InputError, match=word):
            Commitment(rows, 0, battery, flexible)
