"""What keeps an agent from making a plan."""

from __future__ import annotations

from feeders.errors import CosimError

__all__ = ["PlanError", "SolverError"]


class PlanError(CosimError):
    """No plan can be made."""


class SolverError(PlanError):
    """The solver failed on a problem that has a solution, or its answer does not hold."""
