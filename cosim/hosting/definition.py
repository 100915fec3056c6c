"""What is asked when a hosting capacity is asked for."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cosim.hosting.capacity import Der
from cosim.strict import Strict

__all__ = ["Definition", "Penetration"]

Share = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]


class Penetration(Strict):
    """How much of each device there is: PV and batteries as shares of the peak load, cars and heat pumps of homes."""

    pv: NotNegative = 0.0
    battery: NotNegative = 0.0
    ev: Share = 0.0
    hp: Share = 0.0


class Definition(Strict):
    """A hosting capacity, as everything that it depends on beside the feeder and its day.

    Attributes
    ----------
    der : {"pv", "battery", "ev", "hp"}
        What is added.
    fixed : Penetration
        What is there already; of `der` itself it is where the search starts from.
    siting : {"random-units", "scaled"}
        Units of random size at random nodes, one after the other, so that a higher level has all units of a lower one;
        or weights drawn once for all nodes, scaled together.
    seed : int
        Of where everything is.
    unit_kw : float
        Mean PV or battery unit of "random-units" [kW]; sizes are uniform from half to one and a half of it. Cars and
        heat pumps come one by one.
    step, most : float
        Penetration is raised by `step` up to `most`; a reported level is a multiple of the step.
    curtailment : float
        Share of the day's PV energy that may be curtailed.
    heat_pumps : {"rated", "set-point"}
        Static profile of heat pumps: up to the full rating in the evening, or what holds the set-point.
    """

    der: Der = "pv"
    fixed: Penetration = Penetration()
    siting: Literal["random-units", "scaled"] = "random-units"
    seed: int = Field(0, ge=0)
    unit_kw: float = Field(35.0, gt=0)
    step: float = Field(0.01, gt=0, le=1)
    most: float = Field(4.0, gt=0)
    curtailment: Share = 0.0
    heat_pumps: Literal["rated", "set-point"] = "set-point"
