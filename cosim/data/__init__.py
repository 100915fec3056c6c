"""The embedded measured data: four weeks of SimBench profiles, one per season of 2016.

Homes, PV plants, heat pumps and EV home chargers at 15 min, in UTC. How the weeks were chosen, what the
values mean and what is known of their clocks: `cosim.data.make_extract`. Licence and attribution (ODbL 1.0):
``LICENSE-DATA.md`` beside this file. The whole year of four of the homes: `cosim.data.homes_year`.

The days of the extract are German calendar days (`TIMEZONE`), so that weekdays and evenings are where
people have them: a day starts at 23:00 UTC of the day before in the winter week and at 22:00 UTC
in the three others, and its 24 hours are complete. No clock change falls into these weeks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from io import BytesIO
from types import MappingProxyType
from typing import Literal

import pandas as pd

__all__ = [
    "PROFILES",
    "TIMEZONE",
    "WEEKS",
    "Profile",
    "day_start",
    "extract_days",
    "home_table",
    "load_extract",
    "profile_table",
]

TIMEZONE = "Europe/Berlin"

WEEKS: Mapping[str, date] = MappingProxyType(
    {
        "winter": date(2016, 12, 5),
        "spring": date(2016, 5, 2),
        "summer": date(2016, 6, 6),
        "autumn": date(2016, 10, 17),
    }
)
"""Monday of each season's representative week."""

Kind = Literal["home", "pv", "heat-pump", "ev"]
UNITS: Mapping[Kind, str] = MappingProxyType(
    {
        "home": "kW per MWh/a",
        "pv": "kW per kWp",
        "heat-pump": "kW per kW rated",
        "ev": "kW per kW rated",
    }
)


@dataclass(frozen=True)
class Profile:
    """One column of the extract.

    Attributes
    ----------
    name : str
        SimBench's name.
    kind : {"home", "pv", "heat-pump", "ev"}
        PV is generated power, the others are consumed; all values are >= 0.
    annual_kwh : float
        Energy of the whole year 2016 per unit of the scaling quantity: 1000 kWh per MWh/a for homes, the
        full-load hours for the others (950 for all PV).
    peak_kw : float
        Largest quarter-hour of 2016 per unit of the scaling quantity.
    """

    name: str
    kind: Kind
    annual_kwh: float
    peak_kw: float

    @property
    def unit(self) -> str:
        """What a value of 1 means."""
        return UNITS[self.kind]


PROFILES: tuple[Profile, ...] = (
    Profile("H0-A", "home", 1000.0, 0.818),
    Profile("H0-B", "home", 1000.0, 1.289),
    Profile("H0-C", "home", 1000.0, 0.970),
    Profile("H0-G", "home", 1000.0, 1.637),
    Profile("H0-H", "home", 1000.0, 0.172),  # nearly constant: more like a large building than a home
    Profile("H0-L", "home", 1000.0, 2.016),
    Profile("PV1", "pv", 950.0, 0.904),
    Profile("PV2", "pv", 950.0, 0.947),
    Profile("PV3", "pv", 950.0, 0.860),
    Profile("PV4", "pv", 950.0, 0.864),
    Profile("PV5", "pv", 950.0, 0.847),
    Profile("PV6", "pv", 950.0, 0.844),
    Profile("PV7", "pv", 950.0, 0.978),
    Profile("PV8", "pv", 950.0, 0.898),
    Profile("Air_Parallel_1", "heat-pump", 955.2, 1.0),
    Profile("Air_Parallel_2", "heat-pump", 952.8, 1.0),
    Profile("Soil_Alternative_1", "heat-pump", 1267.6, 1.0),
    Profile("Soil_Alternative_2", "heat-pump", 1469.2, 1.0),
    Profile("HLS_A_3.7", "ev", 207.2, 0.996),
    Profile("HLS_B_3.7", "ev", 215.2, 0.996),
    Profile("HLS_A_11.0", "ev", 95.7, 0.993),
    Profile("HLS_B_11.0", "ev", 144.3, 0.999),
)
"""The columns of the extract in their order, with figures of the whole year."""


def load_extract() -> pd.DataFrame:
    """The four weeks, ``(2688, 22)``, units as in `profile_table`; a copy that the caller may change.

    Returns
    -------
    DataFrame
        Index: starts of the quarter-hours in UTC, ascending, with a gap between the weeks. PV is power
        generated, everything else power consumed, all >= 0.
    """
    return _read().copy()


def extract_days() -> list[date]:
    """The 28 days of the extract, German calendar days, in the order of the calendar."""
    return [ts.date() for monday in sorted(WEEKS.values()) for ts in pd.date_range(monday, periods=7)]


def day_start(day: date) -> pd.Timestamp:
    """Start of a German calendar day in UTC."""
    return pd.Timestamp(day).tz_localize(TIMEZONE).tz_convert("UTC")


def profile_table() -> pd.DataFrame:
    """One row per profile: name, kind, unit, annual_kwh and peak_kw of the whole year per unit."""
    rows = [(p.name, p.kind, p.unit, p.annual_kwh, p.peak_kw) for p in PROFILES]
    return pd.DataFrame(rows, columns=["name", "kind", "unit", "annual_kwh", "peak_kw"])


def home_table(annual_mwh: float = 3.5) -> pd.DataFrame:
    """What each home looks like at a given annual consumption [MWh/a], over the 28 days.

    Returns
    -------
    DataFrame
        Per home: ``peak_kw`` (largest quarter-hour) and the mean, least and largest energy of a day in kWh.
    """
    homes = load_extract()[[p.name for p in PROFILES if p.kind == "home"]] * annual_mwh
    index = homes.index
    assert isinstance(index, pd.DatetimeIndex)
    daily_kwh = homes.groupby(index.tz_convert(TIMEZONE).date).sum() * 0.25
    return pd.DataFrame(
        {
            "peak_kw": homes.max(),
            "mean_day_kwh": daily_kwh.mean(),
            "least_day_kwh": daily_kwh.min(),
            "largest_day_kwh": daily_kwh.max(),
        }
    )


@cache
def _read() -> pd.DataFrame:
    return pd.read_parquet(BytesIO(files("cosim.data").joinpath("profiles.parquet").read_bytes()))
