"""What the study of hosting capacity can be told."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from cosim.hosting.day import Day
from cosim.hosting.devices import Devices
from cosim.hosting.hosting_file import HostingFeeder
from cosim.strict import Strict
from experiments.hosting_cases import CASES, CaseName
from feeders.errors import InputError

__all__ = ["HostingSettings"]


class HostingSettings(Strict):
    """The feeder, the cases, and how much is looked at.

    Attributes
    ----------
    feeder : HostingFeeder
        IEEE 123 with its default parameters; any radial feeder by name or file.
    day : Day
    devices : Devices
    quick : bool
        The deterministic cases alone, without sensitivity and local rules.
    cases : tuple of {"pv", "hp", "pv-two-stage", "pv-monte-carlo"}
        Which of the published ones.
    seed : int
        Of where everything is, of noise and of the clusters' beginnings.
    sitings : int
        How many more seeds the deterministic cases are repeated with, in one shot.
    step, most : float
        Penetration is raised by `step` up to `most`.
    unit_kw : float
        Mean PV unit.
    curtailment : float
        Share of the day's PV energy that may be curtailed.
    n_scenarios : int
        Days under uncertainty, of the two-stage program and of Monte-Carlo.
    sigma : float
        Standard deviation of their noise, relative.
    n_reduced : int
        Scenarios that the two-stage program is solved on.
    feasible_share : float
        Share of all scenarios that its answer must hold in.
    node_pv_most, node_battery_most : float
        Bounds at each node of the two-stage program's bounded plan, over the node's own peak load: as much as the
        published sweep goes to.
    batteries, heat_pumps : tuple of float
        The sweep: penetrations at which PV is maximised.
    rules : tuple of str
        Inverter rules of the closed minute loop.
    loops : tuple of {"closed-loop", "settled"}
        Whether these act on the voltage of the minute before, or are exchanged with the power flow until it rests.
    local_step : float
        Steps of PV under these.
    tolerated : tuple of float
        Shares of the PV energy that these may curtail; 1 for whatever keeps the limits.
    sensitivity : bool
        Whether one parameter at a time is changed.
    workers : int
        Processes of Monte-Carlo.
    """

    feeder: HostingFeeder = HostingFeeder(name="ieee123")
    day: Day = Day()
    devices: Devices = Devices()
    quick: bool = False
    cases: tuple[CaseName, ...] = Field(default=("pv", "hp", "pv-two-stage", "pv-monte-carlo"), strict=False)
    seed: int = Field(default=0, ge=0)
    sitings: int = Field(default=4, ge=0)
    step: float = Field(default=0.01, gt=0, le=1)
    most: float = Field(default=4.0, gt=0)
    unit_kw: float = Field(default=35.0, gt=0)
    curtailment: float = Field(default=0.0, ge=0, le=1)
    n_scenarios: int = Field(default=100, ge=2)
    sigma: float = Field(default=0.1, ge=0)
    n_reduced: int = Field(default=5, ge=1)
    feasible_share: float = Field(default=0.95, ge=0, le=1)
    node_pv_most: float = Field(default=2.0, gt=0)
    node_battery_most: float = Field(default=1.0, gt=0)
    batteries: tuple[float, ...] = Field(default=(0.0, 0.25, 0.5, 0.75, 1.0), strict=False)
    heat_pumps: tuple[float, ...] = Field(default=(0.0, 0.25, 0.5, 0.75, 1.0), strict=False)
    rules: tuple[str, ...] = Field(default=("none", "prc", "anrc", "hybrid", "ieee1547-b"), strict=False)
    loops: tuple[Literal["closed-loop", "settled"], ...] = Field(default=("closed-loop", "settled"), strict=False)
    local_step: float = Field(default=0.01, gt=0, le=1)
    tolerated: tuple[float, ...] = Field(default=(0.0, 0.05, 1.0), strict=False)
    sensitivity: bool = True
    workers: int = Field(default=2, ge=1)

    @field_validator("cases")
    @classmethod
    def _in_order(cls, cases: tuple[CaseName, ...]) -> tuple[CaseName, ...]:
        if not cases:
            raise InputError("hosting-capacity", "cases", "none", f"some of {', '.join(CASES)}")
        return tuple(case for case in ("pv", "hp", "pv-two-stage", "pv-monte-carlo") if case in cases)

    @field_validator("batteries", "heat_pumps")
    @classmethod
    def _rising(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if any(level < 0 for level in levels) or list(levels) != sorted(set(levels)):
            raise InputError("hosting-capacity", "sweep", list(levels), "rising penetrations, 0 or more")
        return levels

    @field_validator("heat_pumps")
    @classmethod
    def _of_homes(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if levels and levels[-1] > 1:
            raise InputError("hosting-capacity", "heat_pumps", levels[-1], "a share of homes from 0 to 1")
        return levels

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.asked:
            raise InputError("hosting-capacity", "cases", list(self.cases), "pv or hp among them where quick")
        return self

    @property
    def asked(self) -> tuple[CaseName, ...]:
        """The cases that are run."""
        return tuple(case for case in self.cases if not self.quick or case in ("pv", "hp"))
