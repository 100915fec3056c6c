"""Facilities as customers: asked for plans, told how to mix them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agents.customers import Block, Response
from agents.errors import PlanError
from agents.facility.planner import FacilityPlanner
from agents.facility.schedule import Schedule, mix
from agents.terms import Terms
from feeders.errors import InputError

__all__ = ["TAN_PHI", "Facilities"]

Array = npt.NDArray[np.float64]

TAN_PHI = 0.33
"""Reactive power drawn per kW drawn, a power factor of 0.95; an assumption of this project."""


class Facilities:
    """Facilities on a feeder, who implement `agents.customers.Customers`.

    Parameters
    ----------
    planners : sequence of FacilityPlanner
        Theirs; of equal steps.
    buses : sequence of int
        Indices of their buses in the net.
    tan_phi : float
        Reactive power drawn per kW drawn: ``q_kvar = -tan_phi * p_kw``, > 0 injected.

    Raises
    ------
    InputError
        For no planners, a name that is used twice, a number of buses that is not theirs, unequal steps.
    """

    def __init__(self, planners: Sequence[FacilityPlanner], buses: Sequence[int], tan_phi: float = TAN_PHI) -> None:
        self.planners, self.buses, self.tan_phi = list(planners), list(buses), tan_phi
        self.names = [planner.name for planner in self.planners]
        if not self.planners or len(self.buses) != len(self.planners):
            raise InputError("facilities", "buses", list(buses), f"one for each of the {len(self.planners)} facilities")
        if len(set(self.names)) < len(self.names):
            raise InputError("facilities", "names", self.names, "each name once")
        steps = {(planner.needs.n_steps, planner.needs.step_h) for planner in self.planners}
        if len(steps) > 1:
            raise InputError("facilities", "needs", sorted(steps), "the same number and length of steps for all")
        if not np.isfinite(tan_phi):
            raise InputError("facilities", "tan_phi", tan_phi, "a finite number")
        self._responses: list[list[Schedule]] = []
        self._last: list[Schedule | None] = [None] * len(self.planners)

    @property
    def schedules(self) -> list[Schedule]:
        """What they follow: the last mix that was adopted, or the last plans where none was since.

        Raises
        ------
        PlanError
            Before the first plan.
        """
        found = [schedule for schedule in self._last if schedule is not None]
        if len(found) < len(self._last):
            raise PlanError("the facilities have made no plan yet")
        return found

    def commit(self, terms: Terms) -> None:
        """Decide when all generators run, against `terms`, of shape (T, n), and drop the plans so far.

        Without it they are decided against the first terms that are planned for.
        """
        for k, planner in enumerate(self.planners):
            planner.commit(terms.of(slice(k, k + 1)))
        self.forget()

    def respond(self, terms: Terms) -> Response:
        """The best plan of each under `terms`, of shape (T, n); see `Customers.respond`.

        Raises
        ------
        InputError
            For terms that do not fit.
        PlanError
            When one has no plan and no last one of as many steps: a `ShortfallError` where its needs cannot be met.
        """
        if terms.price_buy.shape[1] != len(self.planners):
            raise InputError("terms", "price_buy", terms.price_buy.shape, f"{len(self.planners)} columns")
        plans: list[Schedule] = []
        kept = np.zeros(len(self.planners), dtype=bool)
        for k, planner in enumerate(self.planners):
            last = self._last[k]
            try:
                plans.append(planner.plan(terms.of(slice(k, k + 1))))
            except PlanError:
                if last is None or last.needs.n_steps != planner.needs.n_steps:
                    raise
                plans.append(last)
                kept[k] = True
        self._responses.append(plans)
        self._last = list(plans)
        p_kw = np.column_stack([plan.p_kw for plan in plans])
        other = [planner.costs(plan, terms.of(slice(k, k + 1))).other for k, (planner, plan) in self._each(plans)]
        return Response(p_kw, -self.tan_phi * p_kw, np.array(other), kept)

    def adopt(self, shares: Array) -> None:
        """Commit to a mix of the plans so far; see `Customers.adopt` and `agents.facility.schedule.mix`.

        Raises
        ------
        InputError
            For shares of another shape, negative ones, or columns that do not add up to 1.
        """
        n_plans = len(self._responses)
        if np.shape(shares) != (n_plans, len(self.planners)) or not n_plans:
            raise InputError("adopt", "shares", np.shape(shares), f"shape ({n_plans}, {len(self.planners)})")
        columns = zip(zip(*self._responses, strict=True), np.asarray(shares).T, strict=True)
        self._last = [mix(plans, share) for plans, share in columns]

    def forget(self) -> None:
        """Drop the plans so far; commitments, and what each follows, stay."""
        self._responses = []

    def blocks(self) -> list[Block]:
        """The planning problem of each, generators as they are committed (run at any power where they are not)."""
        return [planner.block(-self.tan_phi) for planner in self.planners]

    def _each(self, plans: list[Schedule]) -> enumerate[tuple[FacilityPlanner, Schedule]]:
        return enumerate(zip(self.planners, plans, strict=True))
