"""Dummy real-time prices after Pensini et al.: the price rises where the voltage falls below its reference.

    RTP_0(t) = TOU(t)
    RTP_i(t) = RTP_{i-1}(t) / (1 - V_ref + V_{i-1}(t))**alpha     where V_{i-1}(t) < V_ref
    RTP_i(t) = RTP_{i-1}(t)                                        otherwise

(A. Pensini, M. Robinson, N. Heine, M. Stadler, A. Mammoli, "Assessment of grid-friendly collective optimization
framework for distributed energy resources", eq. (1) and (2).) With ``V_ref - V`` the shortfall, the divisor is
``1 - shortfall``, which serves any monitored quantity; of several, the worst of each step counts. The product is a
memory: prices only rise, and come to rest as soon as the limits hold. Where no schedule that a price per kWh can call
forth holds them, the loads jump to and fro: keep the best iterate, not the last.

The selling price stays as it is, but never above the buying price.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from agents.dso.rehearsal import Rehearsal
from agents.dso.signals.parameters import Parameters, within
from agents.dso.signals.rule import NewestPlan
from agents.terms import Terms

__all__ = ["Damped", "Source", "SourceLocal", "relative_effect", "source_prices"]

Array = npt.NDArray[np.float64]

_MOST_SHORTFALL = 0.5  # no voltage falls short by so much; a loading may, and 1 - shortfall must stay positive


@dataclass(frozen=True)
class Source(NewestPlan, Parameters):
    """The published rule: one price for all.

    Attributes
    ----------
    alpha : float
        Exponent: the price rises by about `alpha` times the shortfall.
    damping : float
        Weight of the newest headroom in the one that is used, ``H~_i = H~_{i-1} + damping * (H_i - H~_{i-1})``; 1 is
        the published rule.
    local : bool
        Weigh the exponent of each customer by its effect on the worst quantity, relative to the greatest effect.
    answering : float
        Share of customers, drawn anew each time, who take up the newest plan; the others stay with theirs. Below 1,
        customers commit.
    """

    name: ClassVar[str] = "source"
    alpha: float = within(0.0, 100.0, 4.0)
    damping: float = within(0.01, 1.0, 1.0)
    local: bool = False
    answering: float = within(0.01, 1.0, 1.0)

    @property
    def commits(self) -> bool:
        """Whether some customers stay with an older plan."""
        return self.answering < 1.0

    def terms(self, past: Rehearsal) -> Terms | None:
        """The last terms with prices raised in steps that fall short; None where none does."""
        return source_prices(past, self.alpha, self.damping, self.local)

    def shares(self, past: Rehearsal) -> Array:
        """The newest plan for those who answer, the last shares for the others."""
        newest = past.newest_only()
        if self.answering == 1.0 or len(past.responses) == 1:
            return newest
        generator = np.random.default_rng([past.options.seed, len(past.responses)])
        answers = generator.random(newest.shape[1]) < self.answering
        before = np.vstack([past.last.shares, np.zeros(newest.shape[1])])
        return np.where(answers, newest, before)


@dataclass(frozen=True)
class SourceLocal(Source):
    """Each customer its own price, by what it does to the feeder."""

    name: ClassVar[str] = "source-local"
    local: bool = True


@dataclass(frozen=True)
class Damped(Source):
    """The published rule on a voltage that follows the newest one by half."""

    name: ClassVar[str] = "damped"
    damping: float = within(0.01, 1.0, 0.5)


def source_prices(past: Rehearsal, alpha: float, damping: float = 1.0, local: bool = False) -> Terms | None:
    """The last terms after one update of their prices, as `Source` describes; None when nothing falls short."""
    headroom = past.headroom_pu(past.iterates[0].observation)
    for iterate in past.iterates[1:]:
        newest = past.headroom_pu(iterate.observation)
        headroom = (
            newest
            if damping == 1.0
            else np.where(past.active[:, None], (1 - damping) * headroom + damping * newest, np.inf)
        )
    shortfall = np.minimum(np.maximum(0.0, -headroom.min(axis=1, initial=np.inf)), _MOST_SHORTFALL)
    if not shortfall.any():
        return None
    exponent = alpha * (relative_effect(past, headroom.argmin(axis=1)) if local else 1.0)
    last = past.last.terms
    price_buy = last.price_buy / (1.0 - shortfall[:, None]) ** exponent
    return replace(last, price_buy=price_buy, price_sell=np.minimum(last.price_sell, price_buy))


def relative_effect(past: Rehearsal, quantity: npt.NDArray[np.int64]) -> Array:
    """How much a kW of each customer lowers the headroom of one quantity per step, the greatest being 1, (T, n).

    Taken at the plans against the tariff, as it hardly changes. Below 0 where import helps.
    """
    effect = -past.sensitivity(0)[np.arange(len(quantity)), quantity]
    greatest = np.abs(effect).max(axis=1, keepdims=True)
    relative: Array = np.divide(effect, greatest, out=np.zeros_like(effect), where=greatest > 0)
    return relative
