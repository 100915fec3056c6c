"""Stores keep their energy for the hours of congestion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agents.dso.relief.congestion import violations
from agents.dso.relief.directives import Directives
from agents.dso.relief.outlook import Outlook

__all__ = ["ProB"]


@dataclass(frozen=True)
class ProB:
    """Raises the price of discharging from midnight to the onset of congested days, and lowers it from there on.

    PV surplus is stored all the while. On days that are congested in the morning already, the source's measure leaves
    little for the evening: stores serve what comes in between.

    Attributes
    ----------
    between : bool
        Whether stores hold after the onset too, in every step that is not congested, up to the last one that is.
    """

    between: bool = False

    def directives(self, outlook: Outlook) -> Directives:
        """Holding, on congested days from midnight to the onset, or between congested steps too."""
        zero = np.zeros_like(outlook.onset)
        if self.between:
            congested = violations(outlook.p_kw, outlook.threshold_kw)[0]
            hold = outlook.between(zero, outlook.relieved) & ~congested
        else:
            hold = outlook.between(zero, np.where(outlook.onset < outlook.steps_per_day, outlook.onset, 0))
        return replace(Directives.none(len(outlook)), hold=hold)
