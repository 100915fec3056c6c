"""Means with Student-t intervals; what is undefined is left out and counted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

__all__ = ["LEVEL", "Interval", "mean_interval", "quantile"]

Array = npt.NDArray[np.float64]

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean and where it lies.

    Attributes
    ----------
    mean, low, high : float
        NaN where there is none: no value at all; for the bounds, fewer than two.
    n : int
        Values that it rests on.
    n_undefined : int
        Values left out, since they are NaN.
    """

    mean: float
    low: float
    high: float
    n: int
    n_undefined: int = 0


def mean_interval(values: Array) -> Interval:
    """Mean of the values and its 95 % interval by Student's t with n - 1 degrees of freedom.

    Exact for independent normal values. Of paired differences it is the paired interval. Bounds may lie beyond the
    range that an index itself has.
    """
    known = values[np.isfinite(values)]
    n, left_out = len(known), len(values) - len(known)
    if n == 0:
        return Interval(np.nan, np.nan, np.nan, 0, left_out)
    mean = float(known.mean())
    if n == 1:
        return Interval(mean, np.nan, np.nan, 1, left_out)
    half = quantile(n) * float(known.std(ddof=1)) / float(np.sqrt(n))
    return Interval(mean, mean - half, mean + half, n, left_out)


@lru_cache
def quantile(n: int) -> float:
    """What the standard error of a mean of n values is multiplied with: 12.7 for two, 4.3 for three, 1.96 for many."""
    return float(student.ppf((1 + LEVEL) / 2, n - 1))
