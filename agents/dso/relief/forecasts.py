"""What an operator knows the evening before: the load of a region without storage, perfect, persistent or noisy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from feeders.errors import InputError, InputErrors

__all__ = ["DayAhead", "NoisyDayAhead", "PerfectDayAhead", "PersistenceDayAhead"]

Array = npt.NDArray[np.float64]


class DayAhead(Protocol):
    """``expect(p_kw, steps_per_day, first_day)``: what was expected of each day the evening before."""

    def expect(self, p_kw: Array, steps_per_day: int = 96, first_day: int = 0) -> Array:
        """Expected load [kW], shape (T,), of days whose load will be `p_kw`, shape (T,), from a midnight on.

        `first_day` is the number of the first of them where they are part of a longer run.
        """


@dataclass(frozen=True)
class PerfectDayAhead:
    """What will happen."""

    def expect(self, p_kw: Array, steps_per_day: int = 96, first_day: int = 0) -> Array:  # noqa: ARG002 - as others
        """The load itself."""
        return p_kw.copy()


@dataclass(frozen=True)
class PersistenceDayAhead:
    """The load of the day before, or of the same day of the week before.

    Until that day is known, the day before stands in for it; of the first day of all nothing is known, and no load is
    expected.

    Attributes
    ----------
    days_back : int
        1 for the day before, 7 for the same day of the week before.

    Raises
    ------
    InputError
        For less than a day.
    """

    days_back: int = 1

    def __post_init__(self) -> None:
        if self.days_back < 1:
            raise InputError("forecast", "days_back", self.days_back, "1 or more")

    def expect(self, p_kw: Array, steps_per_day: int = 96, first_day: int = 0) -> Array:  # noqa: ARG002 - as others
        """Days that were, of those given here alone: give days from the past along and cut them off again."""
        steps = np.arange(len(p_kw))
        back = self.days_back * steps_per_day
        seen = np.where(steps >= back, steps - back, steps - steps_per_day)
        return np.where(seen >= 0, p_kw[np.maximum(seen, 0)], 0.0)


@dataclass(frozen=True)
class NoisyDayAhead:
    """What will happen, times ``1 + error * e``, with e a standard normal AR(1) series of each day.

    Each day has a generator of its own (seed, number of the day): a day is expected alike wherever a run begins, and
    loads that differ, such as those that measures leave, are misjudged by the same factors.

    Attributes
    ----------
    error : float
        Standard deviation relative to each step's load, >= 0.
    seed : int
        Seed, >= 0.
    correlation : float
        Of the errors of steps an hour apart, >= 0 and < 1: a day that is overestimated at five is so at six.

    Raises
    ------
    InputErrors
        For values outside these ranges.
    """

    error: float
    seed: int = 0
    correlation: float = 0.9

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.error < np.inf:
            problems.append(InputError("forecast", "error", self.error, "a finite number, 0 or more"))
        if self.seed < 0:
            problems.append(InputError("forecast", "seed", self.seed, "0 or more"))
        if not 0 <= self.correlation < 1:
            problems.append(InputError("forecast", "correlation", self.correlation, "0 or more, and below 1"))
        if problems:
            raise InputErrors(problems)

    def expect(self, p_kw: Array, steps_per_day: int = 96, first_day: int = 0) -> Array:
        """The load times each day's factors."""
        n_days = -(-len(p_kw) // steps_per_day)
        errors = [self._errors(day, steps_per_day) for day in range(first_day, first_day + n_days)]
        noise: Array = np.concatenate([*errors, np.empty(0)])[: len(p_kw)]
        return p_kw * (1 + self.error * noise)

    def _errors(self, day: int, steps_per_day: int) -> Array:
        """A stationary series of unit variance: e[t] = r e[t-1] + sqrt(1 - r^2) z[t], from e[0] = z[0]."""
        z = np.random.default_rng([self.seed, day]).standard_normal(steps_per_day)
        r = self.correlation ** (24 / steps_per_day)
        z[1:] *= np.sqrt(1 - r**2)
        series: Array = lfilter([1.0], [1.0, -r], z)
        return series
