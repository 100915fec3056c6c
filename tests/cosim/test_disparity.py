"""Measures of how unevenly a burden lies: closed forms, invariance, and what is undefined."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cosim.compare.disparity import (
    COUNTS,
    MEASURES,
    far_share,
    head_to_end,
    measures,
    rank_correlation,
    signed_gini,
    slope,
    tenth,
    worst_tenth,
)
from cosim.indices import gini
from tests.cosim.compared_tables import run_rows

Array = npt.NDArray[np.float64]

sizes = st.integers(2, 40)
percents = sizes.flatmap(lambda n: arrays(float, n, elements=st.floats(-300, 300).map(lambda x: round(x, 3))))
places = st.sampled_from([0.1, 0.2, 0.25, 0.4, 0.7])  # few, so that some live at one distance


def test_of_values_without_a_negative_one_it_is_the_usual_gini() -> None:
    # 1, 2, 3: mean absolute difference of the nine pairs 8/9, mean 2: 8/9 / 4 = 2/9.
    assert signed_gini(np.array([1.0, 2.0, 3.0])) == pytest.approx(2 / 9, rel=1e-14)
    assert signed_gini(np.array([0.0, 0.0, 0.0, 5.0])) == pytest.approx(3 / 4, rel=1e-14)
    assert signed_gini(np.zeros(3)) == 0.0


@given(percents)
def test_gini_of_any_sign_is_the_mean_difference_over_the_mean_size(values: Array) -> None:
    sizes_of, n = np.abs(values).sum(), len(values)
    differences = np.abs(values[:, None] - values[None, :]).sum()
    expected = differences / (2 * n * sizes_of) if sizes_of else 0.0
    assert signed_gini(values) == pytest.approx(expected, abs=1e-12)
    assert -1e-12 <= signed_gini(values) <= (n - 1) / n + 1e-12
    assert signed_gini(np.abs(values)) == pytest.approx(gini(np.abs(values)), abs=1e-12)


def test_gini_of_any_sign_reaches_its_most_where_one_has_all_gains_and_another_all_losses() -> None:
    # Raffinetti, Siletti and Vernizzi's polarised case, in which their coefficient is 1: (n-1)/n here.
    values = np.array([0.0, -7.0, 0.0, 12.0, 0.0])
    assert signed_gini(values) == pytest.approx(4 / 5, rel=1e-14)
    assert signed_gini(np.array([-50.0, -50.0])) == 0.0  # all lose alike


def test_a_tenth_is_at_least_one_and_ties_share_its_last_places() -> None:
    assert tenth(np.array([3.0, 1.0, 2.0])).tolist() == [0, 1, 0]
    assert tenth(np.array([3.0, 1.0, 2.0]), highest=True).tolist() == [1, 0, 0]
    assert tenth(np.array([2.0, 1.0, 1.0])) == pytest.approx([0, 0.5, 0.5])
    keys = np.array([1.0] + [2.0] * 4 + [3.0] * 24)  # two of 29: the first, and one place for four
    assert tenth(keys) == pytest.approx([1.0] + [0.25] * 4 + [0.0] * 24)
    assert tenth(np.arange(50.0)).sum() == 5


def test_spread_is_the_mean_of_the_nearest_tenth_less_that_of_the_farthest() -> None:
    kept, distance = np.linspace(100, 5, 20), np.linspace(0.1, 0.9, 20)
    assert head_to_end(kept, distance) == pytest.approx((100 + 95) / 2 - (10 + 5) / 2)
    assert head_to_end(kept[::-1], distance) == pytest.approx((10 + 5) / 2 - (100 + 95) / 2)
    # Two at each end of three places: both ends count in full.
    assert head_to_end(np.array([100.0, 80, 50, 10, 30]), np.array([1.0, 1, 2, 3, 3])) == pytest.approx(90 - 20)


def test_whoever_has_no_gain_is_left_out_and_not_taken_for_zero() -> None:
    kept, distance = np.array([np.nan, 90.0, 60.0, np.nan]), np.array([0.1, 0.2, 0.3, 0.4])
    assert head_to_end(kept, distance) == 30.0
    assert worst_tenth(kept) == 60.0
    assert slope(kept, distance) == pytest.approx(-300.0)


@pytest.mark.parametrize("kept", [[], [50.0], [np.nan, 50.0], [np.nan, np.nan]])
def test_one_alone_has_no_spread(kept: list[float]) -> None:
    values, distance = np.array(kept), np.arange(len(kept)) + 1.0
    assert np.isnan([head_to_end(values, distance), slope(values, distance), rank_correlation(values, distance)]).all()
    assert np.isnan(worst_tenth(values)) == (not np.isfinite(values).any())


def test_at_one_distance_there_is_no_head_and_no_end() -> None:
    kept, distance = np.array([1.0, 2.0, 3.0]), np.full(3, 0.4)
    assert np.isnan([f(kept, distance) for f in (head_to_end, slope, rank_correlation, far_share)]).all()


def test_share_of_the_farthest_tenth() -> None:
    assert far_share(np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 3.0])) == 75.0
    assert far_share(np.array([1.0, 1.0, 2.0]), np.array([1.0, 3.0, 3.0])) == pytest.approx(37.5)  # either of two
    assert np.isnan(far_share(np.zeros(3), np.array([1.0, 2.0, 3.0])))  # nothing to share


def test_rank_correlation_knows_order_and_no_rounding() -> None:
    distance = np.array([0.1, 0.2, 0.3, 0.4])
    assert rank_correlation(np.array([100.0, 99.0, 20.0, -500.0]), distance) == pytest.approx(-1.0)
    # Ranks of 1, 3, 2, 4 against 1..4: 1 - 6*2 / (4*15) = 0.8.
    assert rank_correlation(np.array([1.0, 3.0, 2.0, 4.0]), distance) == pytest.approx(0.8)
    assert np.isnan(rank_correlation(np.array([100.0, 100.0 + 1e-12, 100.0 - 1e-12, 100.0]), distance))
    assert np.isnan(rank_correlation(np.array([1.0, 2.0]), distance[:2]))


def test_slope_is_that_of_the_least_squares_line() -> None:
    rng = np.random.default_rng(1)
    distance, kept = rng.uniform(0, 1, 12), rng.uniform(0, 100, 12)
    assert slope(kept, distance) == pytest.approx(np.polyfit(distance, kept, 1)[0])


@given(percents, st.data(), st.integers(0, 99), st.floats(0.1, 10))
def test_no_measure_depends_on_order_and_none_of_shares_on_scale(
    kept: Array, data: st.DataObject, seed: int, scale: float
) -> None:
    n = len(kept)
    distance = np.array(data.draw(st.lists(places, min_size=n, max_size=n)))
    order = np.random.default_rng(seed).permutation(n)
    for measure in (head_to_end, slope, rank_correlation):
        assert measure(kept[order], distance[order]) == pytest.approx(measure(kept, distance), abs=1e-6, nan_ok=True)
    assert head_to_end(kept, scale * distance) == pytest.approx(head_to_end(kept, distance), abs=1e-9, nan_ok=True)
    tce = np.abs(kept)
    share = far_share(tce, distance)
    assert far_share(scale * tce[order], distance[order]) == pytest.approx(share, rel=1e-9, abs=1e-9, nan_ok=True)
    assert signed_gini(scale * kept[order]) == pytest.approx(signed_gini(kept), abs=1e-12)


def test_all_measures_of_a_population() -> None:
    # Ten homes gain 2 each without the rule; the farthest loses 3, the one before it 1.
    lost = [0.0] * 8 + [1.0, 3.0]
    found = measures(run_rows({}, lost, tce=[0.0] * 8 + [1.0, 3.0], cvc=[0.5] * 10))
    kept = np.array([100.0] * 8 + [50.0, -50.0])
    assert found.keys() == {*COUNTS, *MEASURES} - {"cvc_reduction_percent"}
    assert [found[name] for name in COUNTS] == [10, 10, 1, 0]
    assert found["spread_points"] == pytest.approx(150)
    assert found["worst_tenth_percent"] == pytest.approx(-50)
    assert found["gini_kept"] == pytest.approx(np.abs(kept[:, None] - kept).sum() / (2 * 10 * 900))
    assert found["jain_kept"] == pytest.approx(800**2 / (10 * (8 * 100**2 + 2 * 50**2)))
    assert found["gain_lost"] == pytest.approx(4)
    assert found["gain_lost_percent"] == pytest.approx(100 * 4 / 20)
    assert found["lcg_percent"] == pytest.approx(100 * 4 / 80)  # each pays 8 without the rule
    assert (found["tce_kwh"], found["cvc_pu"]) == (4.0, 5.0)
    assert found["far_tce_percent"] == 75.0
    assert found["jain_tce"] == pytest.approx(4**2 / (10 * 10))


def test_what_nobody_has_is_undefined_and_not_shared_evenly() -> None:
    found = measures(run_rows({}, [0.0, 0.0, 0.0], gain=0.0))
    nothing = {"spread_points", "worst_tenth_percent", "gini_kept", "jain_kept", "rank_correlation"}
    nothing |= {"slope_points_per_ohm", "gain_lost_percent", "gini_tce", "jain_tce", "far_tce_percent"}
    assert {name for name in MEASURES if name in found and np.isnan(found[name])} == nothing
    assert found["n_with_gain"] == 0


def test_costs_that_are_not_known_are_not_compared() -> None:
    found = measures(run_rows({}, [1.0, 1.0]).assign(cost_without_rule=np.nan))
    assert np.isnan([found[name] for name in ("gain_lost", "gain_lost_percent", "lcg_percent")]).all()


def test_one_alone_who_acts_is_no_population() -> None:
    # The others spill nothing because nobody asks them to: that is no inequality.
    found = measures(run_rows({}, [0.0, 0.0, 1.0], gain=[0.0, 0.0, 2.0], tce=[0.0, 0.0, 1.0]))
    assert np.isnan([found[name] for name in ("gini_kept", "gini_tce", "jain_tce", "far_tce_percent")]).all()
    assert found["worst_tenth_percent"] == 50.0
