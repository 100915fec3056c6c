"""What reaches a population from outside, as columns over the market steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

__all__ = ["Signals"]

Array = npt.NDArray[np.float64]


@dataclass
class Signals:
    """Load, sun and prices of n prosumers over T market steps; every array has shape (T, n).

    The steps are those of a window that moves along with a run: row t is market step ``first + t`` of the run. What
    holds on to the signals, as forecasts do, sees the window move.

    Attributes
    ----------
    p_load_kw, q_load_kvar : array
        Inelastic load, > 0 consumed.
    p_pv_kw : array
        PV power available, >= 0.
    p_flexible_kw : array
        Flexible load as it would run by itself; its energy is what planning must deliver.
    p_flexible_min_kw, p_flexible_max_kw : array
        The band in which planning may move it.
    price_buy, price_sell : array
        Prices [currency/kWh], selling never above buying.
    first : int
        Market step of the run that the window begins with; 0 until `move_to`.
    """

    p_load_kw: Array
    q_load_kvar: Array
    p_pv_kw: Array
    p_flexible_kw: Array
    p_flexible_min_kw: Array
    p_flexible_max_kw: Array
    price_buy: Array
    price_sell: Array

    def __post_init__(self) -> None:
        self.first = 0

    def move_to(self, first: int, window: Signals) -> None:
        """Hold the signals of `window` instead, as those of the market steps from `first` on."""
        vars(self).update(vars(window))
        self.first = first

    def rows(self, now: int, until: int) -> slice:
        """Where the market steps ``now .. until - 1`` of the run are in the arrays."""
        return slice(now - self.first, until - self.first)

    @classmethod
    def joined(cls, parts: Sequence[Signals]) -> Signals:
        """The prosumers of several populations side by side."""
        if len(parts) == 1:
            return parts[0]
        return cls(*(np.hstack([getattr(part, field.name) for part in parts]) for field in fields(cls)))
