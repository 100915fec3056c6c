"""Prices of market steps, and what is asked of the times they are for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from feeders.errors import InputError

__all__ = ["Prices", "spacing_h", "step_minutes"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prices:
    """Prices of the market steps [currency/kWh], shape ``(n_steps,)``; nowhere is selling above buying."""

    price_buy: Array
    price_sell: Array


def step_minutes(times: pd.DatetimeIndex) -> float | None:
    """Distance of the first two market steps [min], or None for a single step."""
    return float((times[1] - times[0]) / pd.Timedelta(minutes=1)) if len(times) > 1 else None


def spacing_h(times: pd.DatetimeIndex) -> float:
    """Length of the steps that start at `times` [h]: their even distance, or of a single one its frequency.

    Raises
    ------
    InputError
        Where times have no zone, are unevenly spaced, or do not tell how long their steps are.
    """
    if times.tz is None:
        raise InputError("tariff", "times", str(times[:1].tolist()), "times with a zone, e.g. UTC")
    distances = np.diff(times.tz_convert("UTC").tz_localize(None).to_numpy())
    if len(distances):
        step = distances[0]
    elif times.freq is not None:
        step = (times[0] + times.freq - times[0]).to_timedelta64()
    else:
        raise InputError("tariff", "times", len(times), "two steps or more, or a frequency that gives their length")
    if (distances != step).any() or step <= np.timedelta64(0):
        at = times[int(np.argmax(distances != step)) + 1]
        raise InputError("tariff", "times", str(at), "steps of one length, in ascending order")
    return float(step / np.timedelta64(1, "h"))
