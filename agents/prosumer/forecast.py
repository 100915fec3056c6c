"""What prosumers expect of their load, their PV and the price: perfect, persistence, or noisy.

A forecast answers one question: for one prosumer or several, standing at market step `now`, what will the steps
``now .. until - 1`` bring? The step that begins now is measured, not forecast, whatever the kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from zlib import crc32

import numpy as np
import numpy.typing as npt

from agents.prosumer.signals import Signals

__all__ = ["Expectation", "Forecast", "NoisyForecast", "PerfectForecast", "PersistenceForecast", "Rows"]

Array = npt.NDArray[np.float64]


Rows = int | slice | npt.NDArray[np.int64]
"""Which prosumers: one by its row, or several."""


class Expectation(NamedTuple):
    """Expected load and PV [kW], buying and selling price to plan against [currency/kWh].

    Arrays of shape (until - now,) for one prosumer, (until - now, k) for several.
    """

    p_load_kw: Array
    p_pv_kw: Array
    price_buy: Array
    price_sell: Array


class Forecast(Protocol):
    """``expect(row, now, until)`` for one prosumer or several."""

    def expect(self, row: Rows, now: int, until: int) -> Expectation:
        """What the prosumers in `row` expect at step `now` of the steps ``now .. until - 1``."""


@dataclass(frozen=True)
class PerfectForecast:
    """What will happen."""

    signals: Signals

    def expect(self, row: Rows, now: int, until: int) -> Expectation:
        """The coming steps as they will be."""
        s = self.signals
        ahead = s.rows(now, until)
        return Expectation(
            s.p_load_kw[ahead, row],
            s.p_pv_kw[ahead, row],
            s.plan_price_buy[ahead, row],
            s.plan_price_sell[ahead, row],
        )


@dataclass(frozen=True)
class PersistenceForecast:
    """Load and PV as at the same time yesterday; before there is a yesterday, as measured now. Prices are known."""

    signals: Signals
    steps_per_day: int

    def expect(self, row: Rows, now: int, until: int) -> Expectation:
        """Yesterday again, for at most a day ahead."""
        steps = np.arange(now, until)
        seen = np.where(steps >= self.steps_per_day, steps - self.steps_per_day, now)
        seen[0] = now
        s = self.signals
        ahead, seen = s.rows(now, until), seen - s.first
        return Expectation(
            s.p_load_kw[:, row][seen],
            s.p_pv_kw[:, row][seen],
            s.plan_price_buy[ahead, row],
            s.plan_price_sell[ahead, row],
        )


class NoisyForecast:
    """What will happen, times a random factor for each prosumer and step that never is below zero.

    The factors are ``max(0, 1 + error * e)`` with e standard normal, independent over steps and prosumers,
    drawn from a generator of each prosumer's and day's own (seed, name, day), so that neither the order nor the
    number of prosumers changes them, nor where a run was taken up again. Both prices share one factor, so that
    selling never pays more than buying.

    Parameters
    ----------
    signals : Signals
        What will happen.
    steps_per_day : int
        Market steps in a day.
    load_error, pv_error, price_error : float
        Relative standard deviations.
    seeds, ids : sequence
        Seed and name of each prosumer.
    """

    def __init__(
        self,
        signals: Signals,
        steps_per_day: int,
        *,
        load_error: float,
        pv_error: float,
        price_error: float,
        seeds: Sequence[int],
        ids: Sequence[str],
    ) -> None:
        self.signals = signals
        self._steps_per_day = steps_per_day
        self._errors = np.array([[load_error], [pv_error], [price_error]])
        self._sources = [(seed, crc32(name.encode())) for seed, name in zip(seeds, ids, strict=True)]
        self._days: dict[int, Array] = {}

    def expect(self, row: Rows, now: int, until: int) -> Expectation:
        """The coming steps with their errors; the first without."""
        factor = self._factors(now, until)[:, :, row].copy()
        factor[:, 0] = 1.0
        load, pv, price = factor
        truth = PerfectForecast(self.signals).expect(row, now, until)
        return Expectation(
            truth.p_load_kw * load, truth.p_pv_kw * pv, truth.price_buy * price, truth.price_sell * price
        )

    def _factors(self, now: int, until: int) -> Array:
        """Of load, PV and price in the steps ``now .. until - 1``, shape (3, until - now, n)."""
        first, last = now // self._steps_per_day, (until - 1) // self._steps_per_day
        for day in [day for day in self._days if day < first]:
            del self._days[day]
        days = [self._of_day(day) for day in range(first, last + 1)]
        factors = days[0] if len(days) == 1 else np.concatenate(days, axis=1)
        start = now - first * self._steps_per_day
        return factors[:, start : start + until - now]

    def _of_day(self, day: int) -> Array:
        if day not in self._days:
            factors = np.empty((3, len(self._sources), self._steps_per_day))
            for row, source in enumerate(self._sources):
                noise = np.random.default_rng([*source, day]).standard_normal((3, self._steps_per_day))
                factors[:, row] = np.maximum(0.0, 1.0 + self._errors * noise)
            self._days[day] = factors.transpose(0, 2, 1)  # a prosumer's steps lie together in memory
        return self._days[day]
