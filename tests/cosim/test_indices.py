"""Indices by hand, against the published table, and what holds for any numbers."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prosumer import VoltageBand
from cosim.indices import (
    cumulative_voltage_correction,
    curtailed_energy,
    energy_cost,
    gain_kept,
    gini,
    jain,
    loss_of_consumer_gain,
    near_and_far,
    voltage_counts,
    voltage_reversals,
)

Array = npt.NDArray[np.float64]


def test_cost_by_hand() -> None:
    # Two prosumers, three steps of half an hour; a price below zero pays for what is drawn and charges for what
    # is fed in.
    p_meter = np.array([[2.0, 1.0], [-1.0, -2.0], [0.0, 3.0]])
    buy = np.array([[0.3, -0.2], [0.2, -0.1], [0.9, 0.4]])
    sell = np.array([[0.1, -0.2], [0.1, -0.1], [0.9, 0.4]])
    first = 0.5 * (2 * 0.3 - 1 * 0.1 + 0)
    second = 0.5 * (1 * -0.2 - 2 * -0.1 + 3 * 0.4)
    assert energy_cost(p_meter, buy, sell, 0.5) == pytest.approx([first, second], rel=1e-15)


# Hashmi et al., arXiv 2207.10248, Tables VII and VIII: costs at buses 2, 3, 4 in cents, and LCG in percent. The
# costs have two decimals, so their quotient is known to 100 * 2 * 0.005 / 37.78 = 0.03 percentage points.
@pytest.mark.parametrize(
    ("cost", "published_percent"),
    [
        ([37.78, 38.14, 54.16], [0.0, 0.95, 43.35]),
        ([37.78, 37.78, 38.27], [0.0, 0.0, 1.3]),
    ],
    ids=["prc", "anrc-and-hybrid"],
)
def test_lcg_of_the_published_table(cost: list[float], published_percent: list[float]) -> None:
    found = loss_of_consumer_gain(np.array(cost), np.full(3, 37.78))
    assert found == pytest.approx(published_percent, rel=0, abs=0.03)
    assert found[0] == 0.0


def test_gain_kept_near_and_far_by_hand() -> None:
    # Five with a gain of 1, 1, 1, 1, 4 and one, the third, with none: a third of five is two, and each third is one.
    free, idle = np.array([1.0, 1.0, 5.0, 1.0, 1.0, 1.0]), np.array([2.0, 2.0, 5.0, 2.0, 2.0, 5.0])
    cost = free + np.array([0.0, 0.5, 9.0, 7.0, 1.0, 1.0])
    near, far = near_and_far(cost, free, idle)
    assert near == pytest.approx(100 * (1.0 + 0.5) / 2)
    assert far == pytest.approx(100 * (0.0 + 3.0) / 5)  # and not the mean of 0 and 75 %
    assert np.isnan(near_and_far(cost, idle, idle)).all()


def test_lcg_of_costs_at_and_below_zero() -> None:
    # A house that earns 2 and now earns 1 has lost half of it; where there is nothing to divide by there is no answer.
    found = loss_of_consumer_gain(np.array([-1.0, -3.0, 1.0, 0.0]), np.array([-2.0, -2.0, 0.0, 0.0]))
    assert found[:2].tolist() == [50.0, -50.0]
    assert np.isnan(found[2:]).all()


def test_gain_kept_by_hand() -> None:
    # Without optimisation 10, with it 8: a gain of 2.
    cost = np.array([8.0, 9.0, 10.0, 12.0, 7.0, 8.0])
    idle = np.array([10.0, 10.0, 10.0, 10.0, 10.0, 8.0])
    found = gain_kept(cost, np.full(6, 8.0), idle)
    assert found[:5].tolist() == [100.0, 50.0, 0.0, -100.0, 150.0]
    assert math.isnan(found[5])  # no gain to keep
    assert np.isnan(gain_kept(np.array([9.0]), np.array([8.0]), np.array([7.0]))).all()


def test_curtailed_energy_by_hand() -> None:
    assert curtailed_energy(np.array([[1.0, 0.0], [0.5, 0.25]]), 0.1).tolist() == pytest.approx([0.15, 0.025])
    assert curtailed_energy(np.zeros((0, 2)), 0.1).tolist() == [0.0, 0.0]


BAND = VoltageBand(0.95, 0.02, 1.05)


def test_voltage_counts_and_correction_by_hand() -> None:
    edges = [0.95, 1 - 0.02, 1.0, 1 + 0.02, 1.05]
    beyond = [0.94, 0.97, 1.03, 1.06]
    vm_pu = np.array([edges + beyond]).T
    counts = voltage_counts(vm_pu, BAND)
    # An edge itself is not beyond it. 1.06 is above u_max; 1.03, 1.05 and 1.06 above 1 + dead; and so on below.
    assert {name: samples.tolist() for name, samples in counts.items()} == {
        "n_above_max": [1],
        "n_above_dead": [3],
        "n_below_dead": [3],
        "n_below_min": [1],
    }
    # 0.03 + 0 + 0 + 0 + 0.03 at the edges, 0.04 + 0.01 + 0.01 + 0.04 beyond them.
    assert cumulative_voltage_correction(vm_pu, 0.02) == pytest.approx([0.16], abs=1e-14)


@given(st.lists(st.floats(0.8, 1.2), min_size=1, max_size=50))
def test_counts_and_correction_agree(values: list[float]) -> None:
    vm_pu = np.array(values)[:, None]
    counts = {name: int(samples[0]) for name, samples in voltage_counts(vm_pu, BAND).items()}
    assert counts["n_above_max"] <= counts["n_above_dead"]
    assert counts["n_below_min"] <= counts["n_below_dead"]
    outside = counts["n_above_dead"] + counts["n_below_dead"]
    assert outside <= len(values)
    correction = float(cumulative_voltage_correction(vm_pu, BAND.dead_pu)[0])
    spelled_out = sum(max(u - 1.02, 0) + max(0.98 - u, 0) for u in values)
    assert correction == pytest.approx(spelled_out, abs=1e-13)
    assert correction >= 0.03 * (counts["n_above_max"] + counts["n_below_min"]) - 1e-13


def test_gini_and_jain_corners() -> None:
    same, one_has_all = np.full(5, 3.0), np.array([0.0, 0.0, 7.0, 0.0, 0.0])
    assert gini(same) == pytest.approx(0.0, abs=1e-15)
    assert gini(one_has_all) == pytest.approx(4 / 5, rel=1e-15)
    assert jain(same) == pytest.approx(1.0, rel=1e-15)
    assert jain(one_has_all) == pytest.approx(1 / 5, rel=1e-15)
    assert (gini(np.zeros(3)), jain(np.zeros(3))) == (0.0, 1.0)  # nobody has anything: no disparity
    # 1, 2, 3, 4: half the mean difference over the mean, (sum |a-b|) / (2 n^2 mean) = 20 / (2 * 16 * 2.5) = 0.25,
    # and (sum)^2 / (n * sum of squares) = 100 / (4 * 30).
    assert gini(np.array([3.0, 1.0, 4.0, 2.0])) == pytest.approx(0.25, rel=1e-15)
    assert jain(np.array([3.0, 1.0, 4.0, 2.0])) == pytest.approx(100 / 120, rel=1e-15)


shares = st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e3)), min_size=1, max_size=20).map(np.array)


@given(shares, st.floats(0.1, 10), st.integers(0, 99))
def test_gini_and_jain_are_bounded_and_blind_to_scale_and_order(values: Array, scale: float, seed: int) -> None:
    n = len(values)
    shuffled = np.random.default_rng(seed).permutation(values) * scale
    assert -1e-12 <= gini(values) <= (n - 1) / n + 1e-12
    assert 1 / n - 1e-12 <= jain(values) <= 1 + 1e-12
    assert gini(shuffled) == pytest.approx(gini(values), abs=1e-12)
    assert jain(shuffled) == pytest.approx(jain(values), rel=1e-12)


@given(shares)
def test_gini_is_half_the_mean_difference_over_the_mean(values: Array) -> None:
    differences = np.abs(values[:, None] - values[None, :]).sum()
    expected = differences / (2 * len(values) * values.sum()) if values.sum() else 0.0
    assert gini(values) == pytest.approx(expected, abs=1e-12)


def test_a_rule_that_takes_from_an_earner_is_a_loss() -> None:
    # Earns 40 without the rule and 30 with it: a quarter of it is lost, and the sign says so.
    assert loss_of_consumer_gain(np.array([-30.0]), np.array([-40.0])) == pytest.approx([25.0], rel=1e-15)


def test_reversals_count_turns_and_not_steps() -> None:
    # Up and down by 0.002 three times over; a ramp and a small ripple are no hunting.
    hunting = np.array([1.0, 1.002, 1.0, 1.002, 1.0])
    ramp = np.array([1.0, 1.002, 1.004, 1.006, 1.008])
    ripple = np.array([1.0, 1.0005, 1.0, 1.0005, 1.0])
    assert voltage_reversals(np.column_stack([hunting, ramp, ripple])).tolist() == [3, 0, 0]
