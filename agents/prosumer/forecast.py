"""What prosumers expect of their load, their PV and the price: perfect, persistence, or noisy.

A forecast answers one question: for one prosumer, standing at market step `now`, what will the steps
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

__all__ = ["Expectation", "Forecast", "NoisyForecast", "PerfectForecast", "PersistenceForecast"]

Array = npt.NDArray[np.float64]


class Expectation(NamedTuple):
    """Expected load and PV [kW], buying and selling price [currency/kWh]; arrays of shape (until - now,)."""

    p_load_kw: Array
    p_pv_kw: Array
    price_buy: Array
    price_sell: Array


class Forecast(Protocol):
    """``expect(row, now, until)`` for one prosumer."""

    def expect(self, row: int, now: int, until: int) -> Expectation:
        """What prosumer `row` expects at step `now` of the steps ``now .. until - 1``."""


@dataclass(frozen=True)
class PerfectForecast:
    """What will happen."""

    signals: Signals

    def expect(self, row: int, now: int, until: int) -> Expectation:
        """The coming steps as they will be."""
        s = self.signals
        return Expectation(
            s.p_load_kw[now:until, row],
            s.p_pv_kw[now:until, row],
            s.price_buy[now:until, row],
            s.price_sell[now:until, row],
        )


@dataclass(frozen=True)
class PersistenceForecast:
    """Load and PV as at the same time yesterday; before there is a yesterday, as measured now. Prices are known."""

    signals: Signals
    steps_per_day: int

    def expect(self, row: int, now: int, until: int) -> Expectation:
        """Yesterday again, for at most a day ahead."""
        steps = np.arange(now, until)
        seen = np.where(steps >= self.steps_per_day, steps - self.steps_per_day, now)
        seen[0] = now
        s = self.signals
        return Expectation(
            s.p_load_kw[seen, row],
            s.p_pv_kw[seen, row],
            s.price_buy[now:until, row],
            s.price_sell[now:until, row],
        )


class NoisyForecast:
    """What will happen, times a random factor for each prosumer and step that never is below zero.

    The factors are ``max(0, 1 + error * e)`` with e standard normal, independent over steps and prosumers,
    drawn from a generator of each prosumer's own (seed and name), so that neither the order nor the number of
    prosumers changes them. Both prices share one factor, so that selling never pays more than buying.

    Parameters
    ----------
    signals : Signals
        What will happen.
    load_error, pv_error, price_error : float
        Relative standard deviations.
    seeds, ids : sequence
        Seed and name of each prosumer.
    """

    def __init__(
        self,
        signals: Signals,
        *,
        load_error: float,
        pv_error: float,
        price_error: float,
        seeds: Sequence[int],
        ids: Sequence[str],
    ) -> None:
        self.signals = signals
        errors = np.array([[load_error], [pv_error], [price_error]])
        self._factors = np.empty((3, *signals.p_load_kw.shape))
        for row, (seed, name) in enumerate(zip(seeds, ids, strict=True)):
            generator = np.random.default_rng([seed, crc32(name.encode())])
            noise = generator.standard_normal((3, len(signals.p_load_kw)))
            self._factors[:, :, row] = np.maximum(0.0, 1.0 + errors * noise)

    def expect(self, row: int, now: int, until: int) -> Expectation:
        """The coming steps with their errors; the first without."""
        factor = self._factors[:, now:until, row].copy()
        factor[:, 0] = 1.0
        load, pv, price = factor
        truth = PerfectForecast(self.signals).expect(row, now, until)
        return Expectation(
            truth.p_load_kw * load, truth.p_pv_kw * pv, truth.price_buy * price, truth.price_sell * price
        )
