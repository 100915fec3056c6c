"""The distribution system operator in a scenario: what it watches, and the signal that it answers with."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, field_validator, model_validator

from agents.dso.coordination import Options
from cosim.data import TIMEZONE
from cosim.series import zone
from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["WORST", "DsoSpec", "Hours", "WatchSpec"]

WORST = "worst"
"""In place of a bus: that of the connection buses which is worst off while all plan against the tariff."""

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


class Hours(Strict):
    """A window of the local day, "HH:MM", end excluded; where the end is before the start it goes past midnight."""

    start: str
    end: str

    @model_validator(mode="after")
    def _check(self) -> Self:
        for field, clock in (("start", self.start), ("end", self.end)):
            if not _CLOCK.fullmatch(clock):
                raise InputError("", field, clock, 'local time as "HH:MM", from "00:00" to "24:00"')
        if _minute(self.start) == _minute(self.end) or self.start == "24:00":
            raise InputError("", "start", self.start, f"a start that differs from the end, {self.end}")
        return self

    def hold(self, minute: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Whether minutes of the day are in the window."""
        start, end = _minute(self.start), _minute(self.end)
        after, before = minute >= start, minute < end
        return after & before if start < end else after | before


class WatchSpec(Strict):
    """One quantity that the operator watches, and its limit."""

    kind: Literal["voltage", "voltage-high", "line", "transformer"] = Field(
        "voltage", description="voltage that must not be too low, or too high; loading of a line or transformer"
    )
    element: int | str = Field(
        WORST, description="index or name of the bus, line or transformer; worst: of the buses, for kind voltage"
    )
    limit: Positive | None = Field(
        None, description="voltage [p.u.], by default vm_ref_pu or voltage.vm_max_pu; share of the rating, by default 1"
    )


class DsoSpec(Strict):
    """An operator that rehearses each day with the prosumers the evening before, and publishes what they plan against.

    Bills stay on the tariff. See `cosim.evening` for what is known when.
    """

    signal: str = Field("source", description="how what is watched becomes what is published, see agents.dso.signals")
    parameters: dict[str, bool | int | float] = Field(default={}, description="of the signal, by name")
    vm_ref_pu: Positive | None = Field(None, description="least voltage watched for; voltage.vm_min_pu by default")
    margin_pu: NotNegative = Field(2e-4, description="how far within the limits the signal aims")
    watch: Annotated[tuple[WatchSpec, ...], Field(strict=False)] = (WatchSpec(),)
    active: Annotated[tuple[Hours, ...], Field(strict=False)] = Field(
        (), description="local hours in which limits count and prices may differ; none: always"
    )
    timezone: str = Field(TIMEZONE, description="IANA zone of the active hours")
    iterations: Annotated[int, Field(ge=1, le=1000)] = Field(
        12, description="rehearsals at most, beside that of the tariff"
    )
    patience: Annotated[int, Field(ge=1)] = Field(3, description="ends after so many without improvement")
    tolerance_pu_h: NotNegative = Field(1e-5, description="ends where a day's shortfall is no more")
    share: Share = Field(1.0, description="chance of each prosumer that optimises to take part")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zone(name, "", field="")
        return name

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.watch:
            raise InputError("", "watch", [], "at least one quantity; without the key, the worst voltage")
        return self

    def options(self) -> Options:
        """How long to rehearse, as the operator takes it."""
        return Options(
            max_iterations=self.iterations,
            tolerance_pu_h=self.tolerance_pu_h,
            patience=self.patience,
            margin_pu=self.margin_pu,
        )

    def active_steps(self, times: pd.DatetimeIndex) -> npt.NDArray[np.bool_]:
        """Which of the steps that start at `times` (UTC) are in the active hours, shape (n,)."""
        local = times.tz_convert(self.timezone)
        minute = np.asarray(local.hour * 60 + local.minute, dtype=np.int64)
        if not self.active:
            return np.ones(len(minute), dtype=bool)
        found: npt.NDArray[np.bool_] = np.any([hours.hold(minute) for hours in self.active], axis=0)
        return found


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
