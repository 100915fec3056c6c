"""Which week of large customers, on which feeder: the settings of `cosim.collective`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches

from pydantic import Field, field_validator

from cosim.strict import Strict
from cosim.tariff import PRESETS
from feeders.errors import InputError

__all__ = ["WeekSettings"]


class WeekSettings(Strict):
    """Which week, on which feeder.

    Attributes
    ----------
    feeder : str
        A feeder by name.
    places : mapping of str to int or str
        Bus of each facility, by index or name. By default those that the stand-in feeder names; on any other feeder
        the connection buses that are nearest to the same shares of the greatest electrical distance.
    start : date
        First local day, a Monday; the source's week is 23 to 29 July.
    days : int
        Number of days.
    loads : mapping of str to str
        CSV files in place of the made loads of facilities, by their names; see `cosim.facility_series`.
    background_file : str, optional
        CSV file in place of the made background, a column for each loaded bus of the net in the order of its buses.
    v_ref_pu : float
        Reference voltage, below which the operator acts [p.u.].
    baseline_above_pu : float
        By how much the lowest watched voltage between 06:00 and 08:00 of working days is above it without any plant.
    preset : str
        Time-of-use tariff.
    max_iterations, margin_pu
        As of `agents.dso.Options`.
    """

    feeder: str = "parametric-12kv"
    places: Mapping[str, int | str] = Field(default={})
    start: date = Field(default=date(2012, 7, 23), strict=False)
    days: int = Field(default=7, ge=1, le=31)
    loads: Mapping[str, str] = Field(default={})
    background_file: str | None = None
    v_ref_pu: float = Field(default=0.960, gt=0.5, lt=1.5)
    baseline_above_pu: float = Field(default=0.0005, ge=0.0, le=0.1)
    preset: str = "working-day-peak"
    max_iterations: int = Field(default=6, ge=0, le=1000)
    margin_pu: float = Field(default=2e-4, ge=0.0, le=0.01)

    @field_validator("preset")
    @classmethod
    def _known(cls, preset: str) -> str:
        if preset not in PRESETS:
            near = ", ".join(get_close_matches(preset, PRESETS, n=3, cutoff=0.0))
            raise InputError("", "", preset, f"a time-of-use tariff by name; nearest: {near}")
        return preset
