"""Demand charges that prosumers plan against within a day, and the peaks that their meters have seen so far."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer.demand import Demand
from feeders.errors import InputError

__all__ = ["DemandTerms"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class DemandTerms:
    """Prices of the highest import of n prosumers within windows of the market steps from `first` on.

    As with published prices (`Signals.publish`), plans are made against them; whether they are paid is the tariff's
    affair. The highest import is that of the mean power over a market step, as demand is metered. Of steps before
    `first` no more is known than the peaks that windows are added with.

    Parameters
    ----------
    first : int
        Market step of the run that the windows' first column is.
    n : int
        Number of prosumers.
    """

    def __init__(self, first: int, n: int) -> None:
        self.first = first
        self._window = np.zeros((0, 0), dtype=bool)
        self._price, self._peak_kw = np.zeros((2, 0, n))
        self._metered, self._mean_kw = first, np.zeros(n)

    def add(
        self,
        window: npt.NDArray[np.bool_],
        price: Array,
        who: slice | Integers = slice(None),
        peak_kw: Array | None = None,
    ) -> None:
        """Let some prosumers have windows more.

        Parameters
        ----------
        window : array of bool, shape (D, T)
            The steps of each window, from `first` on.
        price : array, shape (D, 1) or (D, k)
            Price of the highest import in each [currency/kW], >= 0.
        who : slice or array of int, shape (k,)
            Which prosumers; all by default.
        peak_kw : array, shape (D, k), optional
            Highest import in each before `first`, as of a window that began on another day; none by default.

        Raises
        ------
        InputError
            For other shapes, and prices that are no number >= 0.
        """
        if window.ndim != 2 or price.ndim != 2 or len(window) != len(price):
            raise InputError("demand", "window, price", (window.shape, price.shape), "shapes (D, T) and (D, k)")
        usable = np.isfinite(price) & (price >= 0)
        if not usable.all():
            raise InputError("demand", "price", float(price[~usable][0]), "a number >= 0")
        n_steps = max(self._window.shape[1], window.shape[1])
        known, more = (np.pad(w, ((0, 0), (0, n_steps - w.shape[1]))) for w in (self._window, window))
        own, seen = np.zeros((2, len(price), self._price.shape[1]))
        own[:, who] = price
        if peak_kw is not None:
            seen[:, who] = peak_kw
        self._window = np.vstack([known, more])
        self._price = np.vstack([self._price, own])
        self._peak_kw = np.vstack([self._peak_kw, seen])

    def meter(self, step: int, p_meter_kw: Array, share: float) -> None:
        """Note the power at the meters (shape (n,), > 0 import) during a `share` of market step `step`."""
        if step != self._metered:
            self._peak_kw = self._peaks_before(step)
            self._metered = step
            self._mean_kw[:] = 0.0
        self._mean_kw += share * p_meter_kw

    def ahead(self, row: int, now: int, until: int) -> Demand | None:
        """What prosumer `row` has to expect in the steps ``now .. until - 1``; None where no charge is ahead."""
        own = self._price[:, row] > 0
        window = self._ahead(now, until)[own]
        if not window.any():
            return None
        return Demand(window, self._price[own, row], self._peaks_before(now, row)[own])

    def charged(self, now: int, until: int) -> npt.NDArray[np.bool_]:
        """Who has a charge ahead in the steps ``now .. until - 1``, shape (n,)."""
        ahead = np.flatnonzero(self._ahead(now, until).any(axis=1))
        found: npt.NDArray[np.bool_] = np.any(self._price[ahead] > 0, axis=0)
        return found

    def _ahead(self, now: int, until: int) -> npt.NDArray[np.bool_]:
        steps = np.arange(now, until) - self.first
        inside = (steps >= 0) & (steps < self._window.shape[1])
        found = np.zeros((len(self._window), len(steps)), dtype=bool)
        found[:, inside] = self._window[:, steps[inside]]
        return found

    def _peaks_before(self, now: int, row: int | slice = slice(None)) -> Array:
        """Highest mean power in steps before `now`, by window, of one or all; changes nothing, as threads may ask."""
        peaks, at = self._peak_kw[:, row], self._metered - self.first
        if self._metered >= now or not 0 <= at < self._window.shape[1]:
            return peaks
        within = self._window[:, at].reshape(-1, *[1] * (peaks.ndim - 1))
        found: Array = np.where(within, np.maximum(peaks, self._mean_kw[row]), peaks)
        return found
