"""A facility as an agent: it plans, and follows its schedule step by step."""

from __future__ import annotations

import mesa

from agents.facility.facilities import TAN_PHI
from agents.facility.planner import FacilityPlanner
from agents.facility.schedule import Schedule
from agents.terms import Terms
from feeders.errors import InputError

__all__ = ["Facility"]


class Facility(mesa.Agent):  # type: ignore[misc] # Mesa is untyped
    """A facility that schedules its plant against the terms it is told, and draws power accordingly.

    Parameters
    ----------
    model : mesa.Model
        Its model.
    planner : FacilityPlanner
        Its plant, its needs, its way to plan.
    bus : int
        Index of its bus in the net.
    tan_phi : float
        Reactive power drawn per kW drawn.

    Attributes
    ----------
    schedule : Schedule or None
        What it follows; None before its first plan.
    now : int
        The step of the schedule in which it is.
    """

    def __init__(self, model: mesa.Model, planner: FacilityPlanner, bus: int, tan_phi: float = TAN_PHI) -> None:
        super().__init__(model)
        self.planner, self.bus, self.tan_phi = planner, bus, tan_phi
        self.schedule: Schedule | None = None
        self.now = 0

    @property
    def name(self) -> str:
        """Its name."""
        return self.planner.name

    @property
    def p_meter_kw(self) -> float:
        """Power at its meter now, > 0 import; NaN before its first plan."""
        return float("nan") if self.schedule is None else float(self.schedule.p_kw[self.now])

    @property
    def q_kvar(self) -> float:
        """Reactive power now, > 0 injected."""
        return -self.tan_phi * self.p_meter_kw

    def plan(self, terms: Terms) -> None:
        """Schedule the plant against `terms`, of shape (T, 1); errors as of `FacilityPlanner.plan`."""
        self.schedule = self.planner.plan(terms)

    def follow(self, schedule: Schedule) -> None:
        """Follow another schedule, such as a mix that was agreed on.

        Raises
        ------
        InputError
            For a schedule of another plant or of other needs.
        """
        if schedule.plant is not self.planner.plant or schedule.needs is not self.planner.needs:
            raise InputError(self.name, "schedule", schedule.plant, "a schedule of this facility")
        self.schedule = schedule

    def step(self) -> None:
        """Go on to the next step of the schedule.

        Raises
        ------
        InputError
            After the last step.
        """
        if self.now + 1 >= self.planner.needs.n_steps:
            raise InputError(self.name, "now", self.now + 1, f"a step below {self.planner.needs.n_steps}")
        self.now += 1
