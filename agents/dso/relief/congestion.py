"""When the station of a region is congested: a threshold from today's load, the steps beyond it, the first of a day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError

__all__ = ["LEVELS", "TOLERANCE", "onset", "threshold_kw", "violations"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

LEVELS = {"safe": 0.90, "near-critical": 0.95, "critical": 1.0}
"""Stress levels: today's peak as a share of what the station may carry."""

TOLERANCE = 1e-6
"""Stores that charge up to the threshold exactly do not violate it by rounding."""


def threshold_kw(p_today_kw: Array, level: str) -> float:
    """Load that the station may carry: today's highest load over the share that the level says.

    Parameters
    ----------
    p_today_kw : array, shape (T,)
        Load of the region in the status quo [kW], > 0 consumed.
    level : str
        One of `LEVELS`.

    Raises
    ------
    InputError
        For another level, and where the region never consumes or a value is not finite.
    """
    if level not in LEVELS:
        raise InputError("stress level", "level", level, f"one of {', '.join(LEVELS)}")
    peak = float(np.max(p_today_kw, initial=-np.inf))
    if not (np.isfinite(p_today_kw).all() and peak > 0):
        raise InputError("stress level", "p_today_kw", peak, "finite loads, the highest of them above 0")
    return peak / LEVELS[level]


def violations(p_kw: Array, threshold_kw: float) -> tuple[Flags, Flags]:
    """Steps whose load, and steps whose feed-in is beyond the threshold by more than `TOLERANCE` of it; as `p_kw`."""
    limit = threshold_kw * (1 + TOLERANCE)
    return p_kw > limit, p_kw < -limit


def onset(p_kw: Array, threshold_kw: float, steps_per_day: int = 96) -> Integers:
    """First step of each day whose load violates the threshold; `steps_per_day` on days without one.

    Parameters
    ----------
    p_kw : array, shape (T,)
        Load from a midnight on; the last day may be shorter.

    Returns
    -------
    array of int, shape (days,)
        Counted from the day's midnight, so that ``[onset, steps_per_day)`` is empty where nothing is congested.
    """
    beyond = violations(p_kw, threshold_kw)[0]
    by_day = np.pad(beyond, (0, -len(p_kw) % steps_per_day)).reshape(-1, steps_per_day)
    return np.where(by_day.any(axis=1), by_day.argmax(axis=1), steps_per_day).astype(np.int64)
