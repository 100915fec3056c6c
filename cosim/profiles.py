"""Load and PV of a scenario's prosumers on its market steps, from the embedded extract or the user's file.

The extract has four measured weeks. With ``profiles = "repeated"`` they stand in for every date; how, says
`cosim.data.repeated`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.data import PROFILES, WEEKS, load_extract
from cosim.data.repeated import repeated_rows
from cosim.scenario import Scenario
from cosim.series import read_series
from feeders.errors import InputError

__all__ = ["Use", "device_profiles", "market_times", "profile_values", "scenario_profiles"]

Array = npt.NDArray[np.float64]

Use = Literal["load", "pv", "ev", "heat-pump", "outdoor"]
"""What a profile is taken as."""


@dataclass(frozen=True, eq=False)  # one is read for each source, and is itself
class _Table:
    """All profiles of a source: its file (None is the extract), their times, values (n_times, n_profiles), columns."""

    source: str | None
    times: pd.DatetimeIndex
    values: Array
    column: dict[str, int]


def market_times(scenario: Scenario, first_step: int = 0, n_steps: int | None = None) -> pd.DatetimeIndex:
    """Beginnings of market steps, UTC: of `n_steps` from `first_step` on, by default to the end of the run."""
    step = pd.Timedelta(minutes=scenario.market_step_min)
    n_run = scenario.days * 24 * 60 // scenario.market_step_min
    periods = n_run - first_step if n_steps is None else n_steps
    return pd.date_range(scenario.start + first_step * step, periods=periods, freq=step, name="time")


def scenario_profiles(scenario: Scenario, first_step: int = 0, n_steps: int | None = None) -> tuple[Array, Array]:
    """Load and available PV power of each prosumer [kW], shape (n_steps, n_prosumers) each.

    Embedded homes are in kW per MWh a year and scaled by ``load_annual_mwh``; columns of a file are in kW.

    Parameters
    ----------
    scenario : Scenario
        Whose prosumers; they must have been drawn or read.
    first_step, n_steps : int
        Which market steps; by default those of the whole run.

    Raises
    ------
    InputError
        When a profile is unknown, does not cover the steps, is negative, or does not fit the market step.
    """
    people = scenario.prosumers
    times = market_times(scenario, first_step, n_steps)
    fields = [f"prosumers.{p.id}" for p in people]
    load = _powers(scenario, [p.load_profile for p in people], [f"{f}.load_profile" for f in fields], times, "load")
    pv = _powers(scenario, [p.pv_profile for p in people], [f"{f}.pv_profile" for f in fields], times, "pv")
    if scenario.profiles_file is None:
        load *= np.array([p.load_annual_mwh for p in people])
    pv *= np.array([p.pv_kwp for p in people])
    return load, pv


def device_profiles(scenario: Scenario, first_step: int = 0, n_steps: int | None = None) -> tuple[Array, Array] | None:
    """What the chargers draw as cars come, and the heat pumps without storage [kW], shape (n_steps, n_prosumers) each.

    Profiles are in kW per kW rated, of a file too; 0 for who has none, or a car with a battery or a room instead of the
    profile (`cosim.home_models`), and None where nobody has charger or heat pump. Parameters and errors are those of
    `scenario_profiles`.
    """
    people = scenario.prosumers
    if not any(p.ev_charger_kw or p.hp_kw for p in people):
        return None
    times = market_times(scenario, first_step, n_steps)
    chargers = {k: (p.ev_profile, p.ev_charger_kw) for k, p in enumerate(people) if p.ev_charger_kw and not p.ev_kwh}
    pumps = {k: (p.heat_profile, p.hp_kw) for k, p in enumerate(people) if p.hp_kw and not p.room_r_k_per_kw}

    def power(owned: Mapping[int, tuple[str, float]], field: str, use: Use) -> Array:
        found: Array = np.zeros((len(times), len(people)))
        if owned:
            names, rated = zip(*owned.values(), strict=True)
            fields = [f"prosumers.{people[row].id}.{field}" for row in owned]
            found[:, list(owned)] = _powers(scenario, names, fields, times, use) * np.array(rated)
        return found

    return power(chargers, "ev_profile", "ev"), power(pumps, "heat_profile", "heat-pump")


def profile_values(
    scenario: Scenario, name: str, field: str, *, use: Use, first_step: int = 0, n_steps: int | None = None
) -> Array:
    """The profile called `name` before scaling, shape (n_steps,); errors as above, about `field` of the scenario."""
    return _powers(scenario, [name], [field], market_times(scenario, first_step, n_steps), use)[:, 0]


def _powers(
    scenario: Scenario, names: Sequence[str], fields: Sequence[str], times: pd.DatetimeIndex, use: Use
) -> Array:
    """Profiles by their names, shape (n_steps, n_names); `fields` are where the scenario names them."""
    source = scenario.profiles_file
    table = _table(source, _modified_ns(source))
    known = _names(table, use)
    first: dict[str, str] = {}  # where each is named first
    for name, field in zip(names, fields, strict=True):
        first.setdefault(name, field)
    for name, field in first.items():
        if name not in known:
            near = get_close_matches(name, known, n=3, cutoff=0.3) or list(known)[:3]
            owner = "the embedded extract" if source is None else source
            allowed = f"a profile of {owner}; nearest: {', '.join(near)}"
            raise InputError(
                "scenario", field, name, allowed if known else f"a column of profiles_file: {owner} has none"
            )
    repeated = scenario.profiles == "repeated"
    values = _on_steps(table, [known[name] for name in first], times, scenario.market_step_min, repeated=repeated)
    for name, field, column in zip(first, first.values(), values.T, strict=True):
        if use != "outdoor" and not (column >= 0).all():
            step = int(np.argmin(column))
            allowed = f"power >= 0 ({name} at {times[step]:%Y-%m-%d %H:%M} UTC)"
            raise InputError("scenario", field, float(column[step]), allowed)
    place = {name: column for column, name in enumerate(first)}
    return values[:, [place[name] for name in names]]


def _names(table: _Table, use: Use) -> dict[str, int]:
    """Columns of the profiles that may be so used: of the extract's, all but PV may be a load."""
    if table.source is not None:
        return table.column
    return {profile.name: table.column[profile.name] for profile in PROFILES if _fits(profile.kind, use)}


def _fits(kind: str, use: Use) -> bool:
    return kind != "pv" if use == "load" else kind == use


def _modified_ns(source: str | None) -> int:
    """Part of the cache key, so that a changed file is read again."""
    return 0 if source is None else Path(source).stat().st_mtime_ns


@lru_cache(maxsize=8)
def _table(source: str | None, _modified_ns: int) -> _Table:
    frame = load_extract() if source is None else read_series(Path(source), step_minutes=None)
    names = {str(name): place for place, name in enumerate(frame.columns)}
    return _Table(source, pd.DatetimeIndex(frame.index), frame.to_numpy(dtype=np.float64), names)


def _on_steps(
    table: _Table, columns: Sequence[int], times: pd.DatetimeIndex, step_min: int, *, repeated: bool
) -> Array:
    """Profiles on market steps, (n_steps, n_columns): held where they are coarser, averaged where they are finer."""
    row = _rows(table, times[0], len(times), step_min, repeated)
    shape = len(times), len(row) // len(times), len(columns)
    held = table.values[row[:, None], np.asarray(columns, dtype=np.intp)].reshape(shape)
    mean: Array = np.ascontiguousarray(held.swapaxes(1, 2)).mean(axis=2)
    return mean


@lru_cache(maxsize=64)  # an ensemble asks for the same few days again and again
def _rows(table: _Table, first: pd.Timestamp, n_steps: int, step_min: int, repeated: bool) -> npt.NDArray[np.int64]:
    """The samples of a table that hold in some market steps, each cut so that it has a whole number of them."""
    series_min = _step_min(table.times, step_min, table.source)
    fine_min = min(step_min, series_min)
    fine = pd.date_range(first, periods=n_steps * (step_min // fine_min), freq=f"{fine_min}min")
    if repeated:
        return repeated_rows(fine)
    row = np.asarray(table.times.searchsorted(fine, side="right"), dtype=np.int64) - 1
    covered = (row >= 0) & (fine - table.times[row] < pd.Timedelta(minutes=series_min))
    if not covered.all():
        raise _uncovered(table.times, first, first + pd.Timedelta(minutes=n_steps * step_min), table.source)
    row.flags.writeable = False  # shared by all who ask
    return row


def _step_min(index: pd.DatetimeIndex, step_min: int, source: str | None) -> int:
    """Step of a series [min]; refused unless it and the market step fit into one another."""
    minutes = (index[1] - index[0]).total_seconds() / 60
    if minutes % 1 or max(step_min, minutes) % min(step_min, minutes):
        allowed = f"whole minutes, a divisor or multiple of the market step, {step_min} min"
        if source is None:
            raise InputError("scenario", "market_step_min", step_min, "a divisor or multiple of the profiles' 15 min")
        raise InputError(source, "step", f"{minutes:g} min", allowed)
    return int(minutes)


def _uncovered(index: pd.DatetimeIndex, first: pd.Timestamp, end: pd.Timestamp, source: str | None) -> InputError:
    run = _span(first, end)
    if source is None:
        weeks = ", ".join(f"{monday:%Y-%m-%d}" for monday in sorted(WEEKS.values()))
        allowed = (
            f"a run within one of the extract's weeks, from midnight in Germany on {weeks}; "
            "a profiles_file; or profiles = repeated"
        )
        return InputError("scenario", "start, days", run, allowed)
    have = _span(index[0], index[-1] + (index[1] - index[0]))
    return InputError(source, "time", have, f"a profile not shorter than the run, {run}")


def _span(first: pd.Timestamp, end: pd.Timestamp) -> str:
    return f"{first:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC"
