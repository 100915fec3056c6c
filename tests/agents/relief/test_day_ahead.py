"""What an operator expects of a day: perfect, yesterday's, and noise of the size and the memory that it says."""

import numpy as np
import pytest

from agents.dso.relief import NoisyDayAhead, PerfectDayAhead, PersistenceDayAhead
from feeders.errors import InputError, InputErrors

LOAD = np.arange(1.0, 37.0)  # nine days of four steps


def test_perfect_is_what_happens() -> None:
    np.testing.assert_array_equal(PerfectDayAhead().expect(LOAD, 4), LOAD)


def test_persistence_is_the_day_before_and_knows_nothing_of_the_first() -> None:
    np.testing.assert_array_equal(PersistenceDayAhead().expect(LOAD, 4), [0.0] * 4 + LOAD[:-4].tolist())


def test_weekly_persistence_is_the_day_before_until_there_is_a_week() -> None:
    expected = PersistenceDayAhead(days_back=7).expect(LOAD, 4)
    np.testing.assert_array_equal(expected[:28], [0.0] * 4 + LOAD[:24].tolist())
    np.testing.assert_array_equal(expected[28:], LOAD[:8])


def test_noise_has_the_size_and_the_memory_that_it_is_given() -> None:
    steps, days = 96, 400
    forecast = NoisyDayAhead(0.2, seed=3, correlation=0.8)
    errors = forecast.expect(np.ones(steps * days), steps).reshape(days, steps) - 1
    # 400 independent days: the mean square of each step has a relative standard error of sqrt(2 / 400) = 7 %.
    for at in (0, 4, 95):
        assert np.sqrt((errors[:, at] ** 2).mean()) == pytest.approx(0.2, rel=0.15)
    an_hour_apart = (errors[:, :-4] * errors[:, 4:]).mean() / (errors**2).mean()
    assert an_hour_apart == pytest.approx(0.8, abs=0.05)
    across_midnight = (errors[:-1, -1] * errors[1:, 0]).mean() / (errors**2).mean()
    assert across_midnight == pytest.approx(0.0, abs=0.15)  # 3 standard errors of 1 / sqrt(399)


def test_a_day_is_misjudged_alike_wherever_a_run_begins_and_by_each_seed_differently() -> None:
    forecast = NoisyDayAhead(0.3, seed=1)
    whole = forecast.expect(LOAD, 4)
    np.testing.assert_array_equal(forecast.expect(LOAD[20:28], 4, first_day=5), whole[20:28])
    np.testing.assert_array_equal(forecast.expect(LOAD[:34], 4), whole[:34])  # the last day is half a day
    np.testing.assert_allclose(forecast.expect(2 * LOAD, 4), 2 * whole, rtol=1e-15)
    assert (NoisyDayAhead(0.3, seed=2).expect(LOAD, 4) != whole).all()
    np.testing.assert_array_equal(NoisyDayAhead(0.0).expect(LOAD, 4), LOAD)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: PersistenceDayAhead(0),
        lambda: NoisyDayAhead(-0.1),
        lambda: NoisyDayAhead(np.nan),
        lambda: NoisyDayAhead(0.1, seed=-1),
        lambda: NoisyDayAhead(0.1, correlation=1.0),
    ],
)
def test_parameters_that_mean_nothing_are_refused(wrong: object) -> None:
    with pytest.raises((InputError, InputErrors), match="forecast: "):
        wrong()  # type: ignore[operator]
