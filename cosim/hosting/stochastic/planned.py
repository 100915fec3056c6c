"""A plan made for some scenarios, and how it does in all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer.fleet import RATINGS, Fleet
from cosim.hosting.capacity import Stop
from cosim.hosting.stochastic.first_stage import TwoStagePlan
from cosim.hosting.stochastic.reduction import Reduction

__all__ = ["TwoStage"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoStage:
    """A plan, and how it does.

    Attributes
    ----------
    plan : TwoStagePlan
    fleet : Fleet
        A row per candidate.
    level : float
        PV as a share of the peak load; NaN where the feeder does not take the batteries, cars and heat pumps asked for.
    kw : float
    bound_kw : float
        PV of the linear program over the kept scenarios: about the most that any plan could have.
    gap : float
        What the confirmed plan is short of that, as a share, and the interior point method's own gap.
    stop : Stop
        What is outside in the kept scenarios with a hundredth of the peak load more PV, sited in proportion; "bounds"
        if nothing is, so that bounds of the nodes are the limit; "infeasible" too where `level` is NaN.
    short_kw : array, shape (3,)
        Batteries, cars and heat pumps that are not taken; 0 but where `level` is NaN.
    reduction : Reduction
        Which scenarios were planned for.
    outcomes : DataFrame
        A row per scenario that was checked: ``scenario, kept, feasible, margin, stop``.
    feasible_share : float
        Of the scenarios that were checked, those that the AC power flow confirms the plan in.
    steps : DataFrame
        What was solved: ``what, pv_kw, rows, columns, closed, cpu_seconds``; `closed` counts devices and steps that ran
        both ways and may not in the next.
    seconds, cpu_seconds : float
    """

    plan: TwoStagePlan
    fleet: Fleet
    level: float
    kw: float
    bound_kw: float
    gap: float
    stop: Stop
    short_kw: Array
    reduction: Reduction
    outcomes: pd.DataFrame
    feasible_share: float
    steps: pd.DataFrame
    seconds: float
    cpu_seconds: float

    @property
    def capacities(self) -> pd.DataFrame:
        """kW at each node: a row per candidate, a column per kind of device."""
        columns = {name: getattr(self.fleet, name) for name in RATINGS}
        return pd.DataFrame(columns, index=pd.Index(self.fleet.names, name="node"))

    @property
    def correlations(self) -> pd.DataFrame:
        """Spearman's rank correlation of the capacities at the same node, kind by kind; NaN for one without spread."""
        found: pd.DataFrame = self.capacities.corr(method="spearman")
        return found
