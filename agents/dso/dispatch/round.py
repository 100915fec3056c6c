"""One round of a dispatch: a program's solution and the exact flows of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.dso.dispatch.dispatched import Operation
from agents.dso.dispatch.program import ScenarioProgram
from agents.dso.dispatch.solving import Solution
from agents.dso.dispatch.wires import Point
from agents.prosumer.fleet import Fleet
from feeders.flows import Flows, Tightest

__all__ = ["CONFIRMED", "Near", "Round"]

Array = npt.NDArray[np.float64]

CONFIRMED = 1e-6
"""How far outside its limits the AC power flow of a solution may be."""


@dataclass(frozen=True)
class Round:
    """A solution, and the exact flows of it.

    Attributes
    ----------
    bound : float
        Objective of the last program whose flows could go anywhere, about the least that any operation costs
        [currency].
    flows, tightest : Flows and Tightest, or None
        Of the AC power flow; None where there is none.
    """

    program: ScenarioProgram
    solution: Solution
    x: Array
    fleet: Fleet
    done: Operation
    point: Point | None
    flows: Flows | None
    tightest: Tightest | None
    error_pu: float
    terms: dict[str, float]
    bound: float

    @property
    def objective(self) -> float:
        """What it costs by the exact flows [currency]."""
        return float(sum(self.terms.values()))

    @property
    def margin(self) -> float:
        """How far inside all limits; -inf without a power flow."""
        return -np.inf if self.tightest is None else self.tightest.margin

    @property
    def elastic(self) -> bool:
        """Whether limits could give way."""
        return "outside" in self.program.groups

    @property
    def lost(self) -> bool:
        """Whether even what is least outside the limits is outside."""
        return self.elastic and self.margin < -CONFIRMED

    @property
    def outside(self) -> float:
        """By how much the limits of the program gave way, over all steps."""
        group = self.program.groups["outside"]
        return float(self.solution.values[len(self.x) :][group.index].sum())


@dataclass(frozen=True)
class Near:
    """How far flows may go from those of a point: a share of the largest apparent power of each branch in the day."""

    point: Point
    share: float

    def bounds(self, program: ScenarioProgram, lower: Array, upper: Array) -> None:
        """Tighten the bounds of the columns of flows."""
        reach_kva = self.share * np.hypot(self.point.p_kw, self.point.q_kvar).max(axis=0)
        for name in ("p_kw", "q_kvar"):
            columns, at = program.groups[name].index, getattr(self.point, name)
            lower[columns] = np.maximum(lower[columns], at - reach_kva)
            upper[columns] = np.minimum(upper[columns], at + reach_kva)
