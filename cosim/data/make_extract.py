"""Build ``profiles.parquet`` from the SimBench profiles of 2016: one representative week per season.

Run as ``python -m cosim.data.make_extract`` with the ``simbench`` extra installed.

Choice of the weeks
    For each season (DJF, MAM, JJA, SON of the calendar year 2016) the complete week, Monday 00:00 to
    Sunday 24:00, whose mean home load *h* (mean over the homes) and mean PV output *g* (mean over the PV
    profiles) are nearest to the season's means *H* and *G*: least ``hypot((h - H) / H, (g - G) / G)``. All
    seven days lie in the season, and a week in which the clocks change is not complete. The rule reads the
    profiles alone, never a result of a simulation.

Normalisation
    Homes: ``p_kw = value * annual_mwh``, as each profile is scaled so that the whole year integrates to
    1 MWh. PV: kW per kWp, each profile scaled so that the whole year integrates to `PV_YIELD_H` full-load
    hours. (As published they are kW per kW of rated power, with 575 to 697 full-load hours and peaks near
    0.6, about a third below what German roofs yield.) Heat pumps and EV home chargers: kW per kW of the rated
    active power that SimBench scales with (pLoad), as published. Heat pumps and chargers are those of
    SimBench's scenario 2; homes and PV are the same in all three scenarios. Values are rounded to 1e-5.

Clock
    The stamps of SimBench are Central European wall-clock time: 02:00 is missing on 27 March and there
    twice on 30 October. They are read as such and stored in UTC; rows that are simultaneous in SimBench
    stay so. Not every series keeps that clock, and nothing is corrected here (figures of the whole year):

    - Farms, shops and H0-H shift by one hour in UTC at both clock changes, as the stamps have it.
    - H0-A, -B, -C, -G and -L show no such shift: from April to October their people live by standard time,
      one hour late against the wall clock.
    - PV1 to PV6 have their centre of energy between 09:15 and 11:00 UTC (equation of time removed),
      all year round, against a solar noon of 11:20 UTC at 10 degrees East, and some output before sunrise
      (PV2: 0.9 % of its energy before the sun rises in Dresden, 1.8 % in Frankfurt). UTC data stamped as
      standard time would look so; panels facing east explain a part, but no power before sunrise. PV7
      and PV8 centre at 12:00 and 11:20 UTC. Expect up to an hour's error in a study of self-consumption.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from cosim.data import PROFILES, TIMEZONE

__all__ = ["SEASONS", "choose_weeks", "extract", "main", "simbench_year", "write"]

SEASONS = {"winter": (12, 1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}
STEP_H = 0.25
PV_YIELD_H = 950.0
"""Yield of a typical roof [kWh per kWp and year]: within the 816 to 1049 measured on 23,944 German roofs from 2012
to 2018 (te Heesen, Herbort and Rumpler, Solar Energy 194, 2019, p. 128)."""
DECIMALS = 5


def simbench_year() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The year's profiles, normalised: homes, heat pumps and chargers; PV.

    Returns
    -------
    tuple of DataFrame
        ``(35136, n)`` each, index in `TIMEZONE`; units as in `cosim.data.profile_table`.
    """
    import simbench  # an extra, needed here alone

    profiles = simbench.get_all_simbench_profiles(2)
    index = _wall_clock(profiles["load"]["time"])
    of_kind = {kind: [p.name for p in PROFILES if p.kind == kind] for kind in ("home", "heat-pump", "ev", "pv")}
    loads = pd.DataFrame(
        {
            name: profiles["load"][f"{name}_pload"].to_numpy(float)
            for kind in ("home", "heat-pump", "ev")
            for name in of_kind[kind]
        },
        index=index,
    )
    for name in of_kind["home"]:
        loads[name] *= 1000.0 / (STEP_H * loads[name].sum())  # kW per MWh/a: 1000 kWh in the year
    pv = profiles["renewables"][of_kind["pv"]].set_axis(_wall_clock(profiles["renewables"]["time"]))
    return loads, pv * (PV_YIELD_H / (STEP_H * pv.sum()))


def choose_weeks(homes: pd.DataFrame, pv: pd.DataFrame) -> dict[str, pd.Timestamp]:
    """Monday 00:00, local time, of each season's representative week; the rule is the module's docstring."""
    year = pd.DataFrame({"home": homes.mean(axis=1), "pv": pv.mean(axis=1)})
    chosen = {}
    for season, months in SEASONS.items():
        of_season = year.loc[np.isin(pd.DatetimeIndex(year.index).month, months), :]
        mean = of_season.mean()
        distance = {}
        for monday in _mondays(of_season):
            week = of_season[(of_season.index >= monday) & (of_season.index < monday + pd.DateOffset(days=7))]
            if len(week) == 7 * 24 / STEP_H:
                distance[monday] = float(np.linalg.norm((week.mean() - mean) / mean))
        chosen[season] = min(distance, key=distance.__getitem__)
    return chosen


def extract(loads: pd.DataFrame, pv: pd.DataFrame) -> pd.DataFrame:
    """The four weeks of all profiles, ``(2688, n)``, in the order of the calendar, index in UTC."""
    homes = loads[[p.name for p in PROFILES if p.kind == "home"]]
    profiles = pd.concat([loads, pv], axis=1)[[p.name for p in PROFILES]]
    mondays = sorted(choose_weeks(homes, pv).values())
    weeks = [
        profiles[(profiles.index >= monday) & (profiles.index < monday + pd.DateOffset(days=7))] for monday in mondays
    ]
    data = pd.concat(weeks).round(DECIMALS)
    data.index = data.index.tz_convert("UTC").rename("time")  # type: ignore[attr-defined]
    return data


def write(data: pd.DataFrame, path: Path) -> None:
    """Write the extract; the same data and the same pyarrow give the same bytes."""
    data.to_parquet(path, engine="pyarrow", compression="zstd", compression_level=19)


def main() -> None:
    """Write ``profiles.parquet`` beside this file."""
    write(extract(*simbench_year()), Path(__file__).with_name("profiles.parquet"))


def _wall_clock(stamps: pd.Series) -> pd.DatetimeIndex:
    naive = pd.DatetimeIndex(pd.to_datetime(stamps, format="%d.%m.%Y %H:%M"))
    return naive.tz_localize(TIMEZONE, ambiguous="infer")


def _mondays(year: pd.DataFrame) -> list[pd.Timestamp]:
    index = year.index
    assert isinstance(index, pd.DatetimeIndex)
    return list(index[(index.dayofweek == 0) & (index.hour == 0) & (index.minute == 0)])


if __name__ == "__main__":
    main()
