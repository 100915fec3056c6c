"""Charges on the highest import at a meter, as one prosumer sees them when it plans."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError

__all__ = ["Demand"]

Array = npt.NDArray[np.float64]

_LARGEST = 1e9  # as of a Horizon
_SAME_KW = 1e-9  # what a re-plan cannot tell from rounding
_CLEARLY_KW = 1e-6  # what is surely none


@dataclass(frozen=True)
class Demand:
    """Prices of the highest import within each of D windows over the n steps of a horizon.

    Attributes
    ----------
    window : array of bool, shape (D, n)
        The steps that belong to each window.
    price : array, shape (D,)
        Price of the highest import within it [currency/kW], >= 0.
    peak_so_far_kw : array, shape (D,)
        Highest import in steps of the window that have passed, >= 0: it is paid for whatever comes.
    """

    window: npt.NDArray[np.bool_]
    price: Array
    peak_so_far_kw: Array

    def checked(self, n: int) -> Demand:
        """The same with copies of the arrays, once it is found usable for a horizon of n steps.

        Raises
        ------
        InputError
            For arrays of different lengths, a price below zero (the charge is not convex then), or a peak that is no
            number >= 0.
        """
        size = len(self.price)
        shapes = np.shape(self.window), np.shape(self.price), np.shape(self.peak_so_far_kw)
        if shapes != ((size, n), (size,), (size,)):
            raise InputError("demand", "window, price, peak_so_far_kw", shapes, f"shapes (D, {n}), (D,), (D,)")
        for name in ("price", "peak_so_far_kw"):
            for d, value in enumerate(getattr(self, name)):
                if not 0 <= value < _LARGEST:
                    raise InputError("demand", f"{name}[{d}]", float(value), "a number >= 0, below 1e9")
        return Demand(
            np.array(self.window, dtype=bool), np.array(self.price, float), np.array(self.peak_so_far_kw, float)
        )

    def charge(self, p_meter_kw: Array) -> float:
        """What is owed for the highest imports, those so far among them [currency]; meter power (n,), > 0 import."""
        return float(self.price @ self._peaks(p_meter_kw, 0, self.peak_so_far_kw))

    def covers(self, ahead: Demand | None, elapsed: int, p_meter_kw: Array) -> bool:
        """Whether a plan of the meter power (n,), without its first `elapsed` steps, is the cheapest for `ahead` too.

        The same windows and prices must be ahead. A peak so far that differs from the planned one changes nothing as
        long as both stay below what is still planned in the window: the charge is then set by what is to come. (A
        higher peak so far makes other plans dearer, but not this one. A lower one makes no plan cheaper that comes as
        high; and since the cost is convex in the peaks, what is cheapest nearby is cheapest.)
        """
        if ahead is None or not np.array_equal(self.window[:, elapsed:], ahead.window):
            return False
        if not np.array_equal(self.price, ahead.price):
            return False
        so_far = np.where(self.window[:, :elapsed], p_meter_kw[:elapsed], 0.0).max(axis=1, initial=0.0)
        reached = np.maximum(self.peak_so_far_kw, so_far)
        planned = self._peaks(p_meter_kw, elapsed, np.zeros(len(self.price)))
        now = ahead.peak_so_far_kw
        ruled_by_what_comes = (now <= planned) & ((now >= reached) | (reached < planned - _CLEARLY_KW))
        of_no_matter = (self.price == 0) | ~ahead.window.any(axis=1)
        return bool(np.all(ruled_by_what_comes | of_no_matter | (np.abs(now - reached) <= _SAME_KW)))

    def _peaks(self, p_meter_kw: Array, first: int, least: Array) -> Array:
        """Highest import from step `first` on within each window, and no less than `least`."""
        highest = np.where(self.window[:, first:], p_meter_kw[first:], 0.0).max(axis=1, initial=0.0)
        found: Array = np.maximum(least, highest)
        return found
