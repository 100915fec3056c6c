"""Load and PV of a scenario's prosumers on its market steps, from the embedded extract or the user's file."""

from __future__ import annotations

from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.data import PROFILES, WEEKS, load_extract
from cosim.scenario import ProsumerSpec, Scenario
from cosim.series import read_series
from feeders.errors import InputError

__all__ = ["market_times", "prosumer_profile", "scenario_profiles"]

Array = npt.NDArray[np.float64]


def market_times(scenario: Scenario) -> pd.DatetimeIndex:
    """Beginnings of the market steps, UTC."""
    return _times(scenario.start, scenario.days, scenario.market_step_min)


def _times(start: datetime, days: int, step_min: int) -> pd.DatetimeIndex:
    return pd.date_range(start, periods=days * 24 * 60 // step_min, freq=f"{step_min}min", name="time")


def scenario_profiles(scenario: Scenario) -> tuple[Array, Array]:
    """Load and available PV power of each prosumer [kW], shape (n_steps, n_prosumers) each.

    Embedded homes are in kW per MWh a year and scaled by ``load_annual_mwh``; columns of a file are in kW.

    Raises
    ------
    InputError
        When a profile is unknown, does not cover the run, is negative, or does not fit the market step.
    """
    people = scenario.prosumers
    shape = (len(market_times(scenario)), len(people))
    load, pv = np.empty(shape), np.empty(shape)
    for row, prosumer in enumerate(people):
        scale = prosumer.load_annual_mwh if scenario.profiles_file is None else 1.0
        load[:, row] = prosumer_profile(scenario, prosumer, "load_profile") * scale
        pv[:, row] = prosumer_profile(scenario, prosumer, "pv_profile") * prosumer.pv_kwp
    return load, pv


def prosumer_profile(scenario: Scenario, prosumer: ProsumerSpec, field: str) -> Array:
    """The profile that a field of a prosumer names, before scaling, shape (n_steps,); errors as above."""
    name: str = getattr(prosumer, field)
    where, path = "scenario", f"prosumers.{prosumer.id}.{field}"
    source = scenario.profiles_file
    known = _names(source, pv=field == "pv_profile")
    if name not in known:
        near = get_close_matches(name, known, n=3, cutoff=0.3) or known[:3]
        owner = "the embedded extract" if source is None else source
        raise InputError(where, path, name, f"a profile of {owner}; nearest: {', '.join(near)}")
    values = _values(source, _modified_ns(source), name, scenario.start, scenario.days, scenario.market_step_min)
    if not (values >= 0).all():
        step = int(np.argmin(values))
        at = market_times(scenario)[step]
        raise InputError(where, path, float(values[step]), f"power >= 0 ({name} at {at:%Y-%m-%d %H:%M} UTC)")
    return values


def _names(source: str | None, *, pv: bool) -> list[str]:
    if source is not None:
        return list(_table(source).columns)
    return [profile.name for profile in PROFILES if (profile.kind == "pv") == pv]


def _table(source: str | None) -> pd.DataFrame:
    return _extract() if source is None else _file(source, _modified_ns(source))


def _modified_ns(source: str | None) -> int:
    """Part of every cache key, so that a changed file is read again."""
    return 0 if source is None else Path(source).stat().st_mtime_ns


@lru_cache(maxsize=1)
def _extract() -> pd.DataFrame:
    return load_extract()


@lru_cache(maxsize=8)
def _file(source: str, _modified_ns: int) -> pd.DataFrame:
    return read_series(Path(source), step_minutes=None)


@lru_cache(maxsize=4096)
def _values(source: str | None, _modified_ns: int, name: str, start: datetime, days: int, step_min: int) -> Array:
    values = _on_steps(_table(source)[name], _times(start, days, step_min), step_min, source)
    values.flags.writeable = False  # shared by all who ask for it
    return values


def _on_steps(series: pd.Series[float], times: pd.DatetimeIndex, step_min: int, source: str | None) -> Array:
    """A series on market steps: held where it is coarser, averaged where it is finer."""
    index = pd.DatetimeIndex(series.index)
    series_min = _step_min(index, step_min, source)
    fine_min = min(step_min, series_min)
    n_fine = len(times) * (step_min // fine_min)
    fine = pd.date_range(times[0], periods=n_fine, freq=f"{fine_min}min")
    row = np.asarray(index.searchsorted(fine, side="right")) - 1
    covered = (row >= 0) & (fine - index[row] < pd.Timedelta(minutes=series_min))
    if not covered.all():
        raise _uncovered(index, times, step_min, source)
    held = series.to_numpy(dtype=np.float64)[row].reshape(len(times), -1)
    mean: Array = held.mean(axis=1)
    return mean


def _step_min(index: pd.DatetimeIndex, step_min: int, source: str | None) -> int:
    """Step of a series [min]; refused unless it and the market step fit into one another."""
    minutes = (index[1] - index[0]).total_seconds() / 60
    if minutes % 1 or max(step_min, minutes) % min(step_min, minutes):
        allowed = f"whole minutes, a divisor or multiple of the market step, {step_min} min"
        if source is None:
            raise InputError("scenario", "market_step_min", step_min, "a divisor or multiple of the profiles' 15 min")
        raise InputError(source, "step", f"{minutes:g} min", allowed)
    return int(minutes)


def _uncovered(index: pd.DatetimeIndex, times: pd.DatetimeIndex, step_min: int, source: str | None) -> InputError:
    run = _span(times[0], times[-1] + pd.Timedelta(minutes=step_min))
    if source is None:
        weeks = ", ".join(f"{monday:%Y-%m-%d}" for monday in sorted(WEEKS.values()))
        allowed = f"a run within one of the extract's weeks, from midnight in Germany on {weeks}; or a profiles_file"
        return InputError("scenario", "start, days", run, allowed)
    have = _span(index[0], index[-1] + (index[1] - index[0]))
    return InputError(source, "time", have, f"a profile not shorter than the run, {run}")


def _span(first: pd.Timestamp, end: pd.Timestamp) -> str:
    return f"{first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
