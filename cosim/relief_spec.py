"""Congestion relief in a scenario: an operator's measures, against which load, and what it expects of a day."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["CurASpec", "CurBSpec", "Measure", "ProASpec", "ProBSpec", "ReliefSpec"]

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]

Measure = Literal["cur-a", "cur-b", "pro-a", "pro-b"]


class CurASpec(Strict):
    """Chargers are capped from the first congested step to the end of the day; what is owed is charged after it."""

    cap_kw: NotNegative = 3.7


class CurBSpec(Strict):
    """Heat pumps are capped for some hours; the heat they owe is made up for afterwards."""

    heat_cap: Share = Field(0.3, description="share of what a heat pump can give")
    hours: Positive = 2.0
    makeup_h: Positive = Field(6.0, description="hours afterwards over which the heat is made up for")
    start: Literal["onset", "residual"] = Field(
        "onset", description="first congested step of the day, or the first that the other measures leave so"
    )


class ProASpec(Strict):
    """Stores charge from the grid in the hours of least load before the first congested step."""

    hours: Positive = 2.0
    capped: bool = Field(True, description="whether only up to cap_share of the threshold at the head transformer")
    cap_share: Positive = 0.9


class ProBSpec(Strict):
    """Stores hold what they have until the first congested step of the day."""

    between: bool = Field(False, description="whether they hold between congested steps too, up to the last one")


class ReliefSpec(Strict):
    """An operator that looks at each day the evening before, and asks for relief where its threshold is exceeded.

    The load is what all homes take without storage, and the net's own loads, without losses. Tables of measures that
    are not named do nothing.
    """

    measures: Annotated[tuple[Measure, ...], Field(strict=False)] = ("cur-a", "cur-b", "pro-a", "pro-b")
    threshold_kw: Positive | None = Field(None, description="load at the head transformer that is congestion")
    threshold_share: Positive | None = Field(
        None, description="the same as a share of that transformer's rating; 1 where neither is given"
    )
    forecast: Literal["perfect", "persistence", "noisy"] = "perfect"
    forecast_error: NotNegative = Field(0.0, description="relative standard deviation, of a noisy forecast")
    cur_a: CurASpec = CurASpec()
    cur_b: CurBSpec = CurBSpec()
    pro_a: ProASpec = ProASpec()
    pro_b: ProBSpec = ProBSpec()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.threshold_kw is not None and self.threshold_share is not None:
            allowed = f"one of the two: threshold_kw is {self.threshold_kw:g}"
            raise InputError("", "threshold_share", self.threshold_share, allowed)
        if self.forecast_error and self.forecast != "noisy":
            raise InputError("", "forecast_error", self.forecast_error, 'a forecast "noisy" to go with it')
        if not self.measures:
            raise InputError("", "measures", [], f"at least one of {', '.join(get_args(Measure))}")
        for name in self.measures:
            if self.measures.count(name) > 1:
                raise InputError("", "measures", list(self.measures), f"each once: {name} is there several times")
        return self
