"""Real-time prices from a CSV file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from cosim.data import TIMEZONE
from cosim.series import read_series, require_span, zone
from cosim.tariff.base import TariffBase
from cosim.tariff.prices import Prices, step_minutes
from feeders.errors import InputError

__all__ = ["RealTimeTariff"]

Array = NDArray[np.float64]

RESOLUTIONS = (5, 15, 30, 60)


class RealTimeTariff(TariffBase):
    """Prices from a CSV file in the dialect of `cosim.series`, at 5, 15, 30 or 60 min.

    A price that lasts longer than a market step is held; shorter ones are averaged over the step.

    Attributes
    ----------
    file : str
        The file, relative to the scenario's folder.
    column : str
        The column of the buying price.
    column_sell : str, optional
        The column of the selling price, nowhere above the buying price; instead of `kappa`.
    unit : {"currency/kWh", "currency/MWh"}
    timezone : str, optional
        IANA zone of times without offset.
    local_timezone : str, optional
        IANA zone in which demand charges are read; `timezone` by default, or else that of the embedded profiles.
    label : {"start", "end"}
        Whether a time is the start of its interval or its end ("hour ending").
    """

    kind: Literal["real-time"] = "real-time"
    file: str = Field(min_length=1)
    column: str
    column_sell: str | None = None
    unit: Literal["currency/kWh", "currency/MWh"]
    timezone: str | None = None
    local_timezone: str | None = None
    label: Literal["start", "end"] = "start"

    @model_validator(mode="after")
    def _check(self) -> Self:
        for field, name in (("timezone", self.timezone), ("local_timezone", self.local_timezone)):
            if name is not None:
                zone(name, "tariff", field)
        self._refuse_two_sells(self.column_sell, "column_sell")
        return self

    @property
    def local_zone(self) -> str:
        """The zone in which demand charges are read."""
        return self.local_timezone or self.timezone or TIMEZONE

    def describe(self) -> str:
        """One line for people."""
        return f"real-time price, column {self.column!r} of {self.file} ({self.unit}, interval {self.label})"

    def prices(self, times: pd.DatetimeIndex, *, folder: Path = Path()) -> Prices:
        """Prices of the market steps that start at `times` (UTC), or `InputError`: bad file, too short."""
        path = folder / self.file
        wanted = [self.column] if self.column_sell is None else [self.column, self.column_sell]
        series = read_series(path, step_minutes=None, columns=wanted, timezone=self.timezone)
        resolution = self._resolution(series, str(path))
        if self.label == "end":
            series.index = pd.DatetimeIndex(series.index) - pd.Timedelta(minutes=resolution)
        values = _on_steps(series, times, resolution, str(path))
        values = values / 1000.0 if self.unit == "currency/MWh" else values
        if self.column_sell is None:
            return self._with_kappa(values[:, 0])
        return self._with_sell(values[:, 0], values[:, 1], times, str(path))

    def _resolution(self, series: pd.DataFrame, where: str) -> int:
        first, second = series.index[:2]
        minutes = (second - first).total_seconds() / 60
        if minutes not in RESOLUTIONS:
            raise InputError(where, "step", f"{minutes:g} min", f"{', '.join(map(str, RESOLUTIONS))} min")
        if first.minute % minutes or first.second:
            allowed = f"times at whole multiples of {minutes:g} min in the hour"
            raise InputError(where, "row 2, column 'time'", f"{first:%Y-%m-%dT%H:%M:%SZ}", allowed)
        return int(minutes)


def _on_steps(series: pd.DataFrame, times: pd.DatetimeIndex, resolution: int, where: str) -> Array:
    """The series on the market steps, ``(n_steps, n_columns)``: held if coarser, averaged if finer."""
    step = step_minutes(times) or 1.0  # a single step has the price of its first minute
    require_span(series, times[0], times[-1] + pd.Timedelta(minutes=step), where)
    row = series.index.searchsorted(times, side="right") - 1
    if step <= resolution:
        return series.to_numpy()[row]
    per_step, rest = divmod(step, resolution)
    if rest:
        raise InputError(where, "step", f"{resolution} min", f"a divisor or multiple of the market step, {step:g} min")
    sums = np.zeros((len(times), series.shape[1]))
    for offset in range(int(per_step)):
        sums += series.to_numpy()[row + offset]
    return sums / per_step
