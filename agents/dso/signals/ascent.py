"""Dual ascent: the price of a limit rises while it is missed and falls while there is room.

The least bills within the limits have a Lagrangian in which each limit of each step has a multiplier. Projected ascent
is ``mu_i = max(0, mu_{i-1} - step * headroom_{i-1})``, and a customer's price is the tariff plus the multipliers times
what a kWh of it does to the headroom. The answers to such prices jump between the corners of the customers' problems,
so the last answer is useless; the mean of all answers is what converges (N. Z. Shor, "Minimization Methods for
Non-Differentiable Functions", 1985, on recovering primal solutions). Customers therefore commit to the mean of their
own plans, which is a plan where their problems are convex.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from agents.dso.rehearsal import Rehearsal
from agents.dso.signals.parameters import Parameters, within
from agents.terms import Terms

__all__ = ["DualAscent", "per_kwh", "step_of"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class DualAscent(Parameters):
    """Multipliers of the limits as prices, answered by the mean of the customers' own plans.

    Attributes
    ----------
    alpha : float
        Step, without unit: by the first update, the price of the most effective customer rises by the share
        `alpha` of the mean price per p.u. of shortfall, as that of "source" does.
    average : bool
        Whether customers commit to the mean of their plans (that against the tariff left out); else to the newest.
    """

    name: ClassVar[str] = "dual-ascent"
    alpha: float = within(0.0, 1000.0, 8.0)
    average: bool = True

    @property
    def commits(self) -> bool:
        """As the mean asks for it."""
        return self.average

    def terms(self, past: Rehearsal) -> Terms | None:
        """The tariff raised by the multipliers' prices; None when the limits hold against the tariff already."""
        multiplier = np.zeros(past.last.observation.headroom_pu.shape)
        step = step_of(past, self.alpha)
        for iterate in past.iterates:
            multiplier = np.maximum(0.0, multiplier - step * past.headroom_pu(iterate.observation))
        return past.raised(per_kwh(past, multiplier)) if len(past.iterates) > 1 or multiplier.any() else None

    def shares(self, past: Rehearsal) -> Array:
        """The same share for each plan against a signal."""
        if not self.average or len(past.responses) == 1:
            return past.newest_only()
        shares = np.full((len(past.responses), past.tariff.price_buy.shape[1]), 1.0 / (len(past.responses) - 1))
        shares[0] = 0.0
        return shares


def step_of(past: Rehearsal, alpha: float) -> float:
    """The gain [currency/(p.u. h) per p.u.] at which a shortfall costs `alpha` mean prices per p.u. of it.

    For the customer and step of greatest effect on any quantity; 0 where customers have no effect.
    """
    greatest = float(np.abs(past.sensitivity(0)[past.active]).max(initial=0.0))
    return alpha * past.mean_price / greatest if greatest > 0 else 0.0


def per_kwh(past: Rehearsal, multiplier: Array) -> Array:
    """What a kWh costs at multipliers of the limits, shape (T, M) [currency/(p.u. h)]: (T, n) [currency/kWh]."""
    sensitivity = past.sensitivity()
    rise = np.zeros(past.tariff.price_buy.shape)
    acting = multiplier.any(axis=1)
    rise[acting] = -np.einsum("tm,tmn->tn", multiplier[acting], sensitivity[acting])
    return rise
