"""Frank-Wolfe: the price is the gradient of a penalty, and customers move a part of the way to their new plans.

Bills plus ``gain / 2 * h * sum(shortfall**2)`` is a convex function of the customers' powers. The cheapest plans
against its gradient (tariff plus gain times shortfall times what a kW does to the headroom) are the point of the
feasible set that it falls towards fastest; how far to go there, a line search finds (M. Frank, P. Wolfe, "An algorithm
for quadratic programming", 1956). The search runs the AC power flow and never lets the deficit rise; where that
leaves no way to go, the gain doubles.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from agents.dso.rehearsal import Rehearsal, deficit_pu_h
from agents.dso.signals.ascent import per_kwh, step_of
from agents.dso.signals.parameters import Parameters, within
from agents.terms import Terms

__all__ = ["FrankWolfe", "golden_section"]

Array = npt.NDArray[np.float64]

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class FrankWolfe(Parameters):
    """The gradient of a penalty as price, answered by a part of the way to the new plans.

    Attributes
    ----------
    alpha : float
        Gain without unit: a shortfall of one p.u. raises the price of the most effective customer by `alpha` mean
        prices.
    evaluations : int
        Power flows of each line search.
    """

    name: ClassVar[str] = "frank-wolfe"
    alpha: float = within(0.0, 1e6, 150.0)
    evaluations: int = within(2, 100, 10)

    @property
    def commits(self) -> bool:
        """To the mix."""
        return True

    def terms(self, past: Rehearsal) -> Terms | None:
        """The tariff plus the penalty's gradient; None when limits and margin hold against the tariff already."""
        shortfall = past.shortfall_pu(past.last.observation)
        if len(past.iterates) == 1 and not shortfall.any():
            return None
        return past.raised(per_kwh(past, self._gain(past) * shortfall))

    def shares(self, past: Rehearsal) -> Array:
        """The last shares, a part of them moved to the newest plan."""
        newest = past.newest_only()
        if len(past.responses) == 1:
            return newest
        before = np.vstack([past.last.shares, np.zeros(newest.shape[1])])
        gain, step_h, deficit = self._gain(past), past.tariff.step_h, past.last.deficit_pu_h

        def merit(part: float) -> float:
            plan = past.mixed((1.0 - part) * before + part * newest)
            observation = past.monitor.observe(plan.p_kw, plan.q_kvar)
            if deficit_pu_h(observation, past.active, step_h) > deficit:
                return float("inf")
            penalty = 0.5 * gain * step_h * float((past.shortfall_pu(observation) ** 2).sum())
            return float((past.tariff.bills(plan.p_kw) + plan.other_cost).sum()) + penalty

        part = golden_section(merit, int(self.evaluations))
        return (1.0 - part) * before + part * newest

    def _gain(self, past: Rehearsal) -> float:
        """Of the penalty [currency/(p.u. h) per p.u.], doubled for each new plan that nobody took up."""
        stalled = sum(not iterate.shares[-1].any() for iterate in past.iterates)
        return step_of(past, self.alpha) * 2.0**stalled


def golden_section(merit: Callable[[float], float], evaluations: int) -> float:
    """Where on [0, 1] a function that first falls and then rises is least; 0, 1 and all points tried are compared."""
    tried = {0.0: merit(0.0), 1.0: merit(1.0)}
    low, high = 0.0, 1.0
    for _ in range(evaluations - 2):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        for part in (left, right):
            if part not in tried:
                tried[part] = merit(part)
        if tried[left] <= tried[right]:
            high = right
        else:
            low = left
    return min(tried, key=lambda part: (tried[part], part))
