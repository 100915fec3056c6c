"""What a facility must meet over the steps that it plans, what the sun offers it, and how its stores begin and end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from agents.facility.plant import STORES, Plant
from feeders.errors import InputError

__all__ = ["Ends", "Needs", "check_ends"]

Array = npt.NDArray[np.float64]

_COLUMNS = ("electric_kw", "cooling_kw", "heat_kw", "pv_per_kw", "solar_per_kw")
_LARGEST = 1e9  # beyond it a number is a mistake, and HiGHS takes 1e20 for infinite


@dataclass(frozen=True, eq=False)
class Needs:
    """Loads of a facility and the sun on its roof over T steps; arrays of shape (T,), all >= 0.

    Parameters
    ----------
    start : datetime
        Beginning of the first step, with its offset from UTC.
    step_h : float
        Length of a step [h].
    electric_kw : array
        Electric load without cooling [kW].
    cooling_kw, heat_kw : array
        Thermal loads [kW thermal].
    pv_per_kw, solar_per_kw : array
        What PV and solar collectors can give at most, per kW of rating.

    Raises
    ------
    InputError
        For arrays of different lengths, a negative load or one that is not finite, a start without offset.
    """

    start: datetime
    step_h: float
    electric_kw: Array
    cooling_kw: Array
    heat_kw: Array
    pv_per_kw: Array
    solar_per_kw: Array

    def __post_init__(self) -> None:
        if self.start.tzinfo is None:
            raise InputError("needs", "start", str(self.start), "a time with its offset from UTC")
        if not 0 < self.step_h <= 24:
            raise InputError("needs", "step_h", self.step_h, "a number of hours above 0 and at most 24")
        n = np.size(self.electric_kw)
        for name in _COLUMNS:
            column = np.array(getattr(self, name), dtype=np.float64)
            if column.shape != (n,) or n < 1:
                raise InputError("needs", name, column.shape, "one shape (T,) for all, T >= 1")
            wrong = ~((column >= 0) & (column < _LARGEST))
            if wrong.any():
                step = int(np.argmax(wrong))
                raise InputError("needs", f"{name} at {self.time(step)}", float(column[step]), "a finite number >= 0")
            object.__setattr__(self, name, column)

    @property
    def n_steps(self) -> int:
        """Number of steps T."""
        return len(self.electric_kw)

    def part(self, first: int, last: int) -> Self:
        """The same over the steps [first, last)."""
        columns = {name: getattr(self, name)[first:last] for name in _COLUMNS}
        return replace(self, start=self.start + timedelta(hours=first * self.step_h), **columns)

    def coarse(self, k: int) -> Self:
        """The means of every k steps, whose number is a multiple of k."""
        columns = {name: getattr(self, name).reshape(-1, k).mean(axis=1) for name in _COLUMNS}
        return replace(self, step_h=k * self.step_h, **columns)

    def load_kw(self, carrier: str) -> Array:
        """The load of a carrier of `agents.facility.plant.CARRIERS`, shape (T,) [kW]."""
        return {"electricity": self.electric_kw, "cooling": self.cooling_kw, "heat": self.heat_kw}[carrier]

    def time(self, step: int) -> str:
        """When a step begins, in UTC and ISO 8601."""
        return f"{self.start.astimezone(UTC) + timedelta(hours=step * self.step_h):%Y-%m-%dT%H:%MZ}"


@dataclass(frozen=True)
class Ends:
    """Energy of a store at the beginning and at the end of the steps that are planned.

    Parameters
    ----------
    start_kwh : float, optional
        At the beginning [kWh]; None leaves it to the plan.
    end_kwh : float, ``"start"`` or ``"free"``
        At the end [kWh]: as at the beginning, or left to the plan, or a number. Where the beginning is free the end is
        as the beginning, since energy would be had for nothing otherwise.

    Raises
    ------
    InputError
        For an energy that is negative or not finite, or a free beginning without the same end.
    """

    start_kwh: float | None = None
    end_kwh: float | Literal["start", "free"] = "start"

    def __post_init__(self) -> None:
        for name in ("start_kwh", "end_kwh"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str) and not 0 <= value < _LARGEST:
                raise InputError("Ends", name, value, "a finite energy >= 0")
        if isinstance(self.end_kwh, str) and self.end_kwh not in ("start", "free"):
            raise InputError("Ends", "end_kwh", self.end_kwh, 'an energy, "start" or "free"')
        if self.start_kwh is None and self.end_kwh != "start":
            raise InputError("Ends", "end_kwh", self.end_kwh, '"start" where the energy at the beginning is free')


def check_ends(plant: Plant, ends: Mapping[str, Ends]) -> dict[str, Ends]:
    """The ends of each of a plant's stores; those that are not named begin anywhere and end as they began.

    Raises
    ------
    InputError
        For a store that the plant does not have, and an energy that its store cannot hold.
    """
    stores = plant.stores
    for name, end in ends.items():
        if name not in stores:
            raise InputError("ends", name, end, f"a store of the plant: {', '.join(stores) or 'it has none'}")
        low, high = stores[name].energy_min_kwh, stores[name].capacity_kwh
        for what, value in (("start_kwh", end.start_kwh), ("end_kwh", end.end_kwh)):
            if isinstance(value, float | int) and not low <= value <= high:
                raise InputError("ends", f"{name}.{what}", value, f"from {low:g} to {high:g} kWh, what the store holds")
    return {name: ends.get(name, Ends()) for name in STORES if name in stores}
