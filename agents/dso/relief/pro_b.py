"""Stores keep their energy for the hours of congestion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agents.dso.relief.directives import Directives
from agents.dso.relief.outlook import Outlook

__all__ = ["ProB"]


@dataclass(frozen=True)
class ProB:
    """Raises the price of discharging from midnight to the onset of congested days, and lowers it from there on.

    PV surplus is stored all the while.
    """

    def directives(self, outlook: Outlook) -> Directives:
        """Holding, on congested days from midnight to the onset."""
        end = np.where(outlook.onset < outlook.steps_per_day, outlook.onset, 0)
        return replace(Directives.none(len(outlook)), hold=outlook.between(np.zeros_like(end), end))
