"""A user's own profiles of homes, instead of made ones: checked against the homes and the year of the case."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from feeders.errors import InputError, InputErrors

__all__ = ["OwnProfiles", "ProfileKind", "own_profiles", "put_in"]

Array = npt.NDArray[np.float64]

ProfileKind = Literal["load", "pv", "heat"]
"""Electric load but for heat pump and charger; PV power generated; heat demand. All in kW, >= 0."""

OwnProfiles = Mapping[ProfileKind, pd.DataFrame | str | Path]
"""Tables by kind, or the files they are in: a column per home, by its name, and a row per market step of the year."""


def own_profiles(given: OwnProfiles, names: list[str], times: pd.DatetimeIndex) -> dict[ProfileKind, pd.DataFrame]:
    """The tables, read and checked; homes that a table has not keep their made profiles.

    A file is CSV or Parquet. The times are the first column of a CSV and the index of a Parquet file or table: the
    beginnings of all market steps of the case's year, in standard time and without a zone.

    Raises
    ------
    InputErrors
        For unknown kinds, files that cannot be read, times of another year or another step, homes that the region has
        not, and values that are missing, negative or not finite; one line each.
    """
    tables: dict[ProfileKind, pd.DataFrame] = {}
    problems: list[InputError] = []
    for kind, source in given.items():
        if kind not in get_args(ProfileKind):
            allowed = f"one of {', '.join(get_args(ProfileKind))}"
            problems.append(InputError("own profiles", "kind", kind, allowed))
            continue
        where = f"own profiles ({kind})" if isinstance(source, pd.DataFrame) else str(source)
        try:
            table = source if isinstance(source, pd.DataFrame) else _read(Path(source))
            _check_times(where, table, times)
        except InputError as error:
            problems.append(error)
            continue
        problems += _unknown_homes(where, table, names) + _bad_values(where, table)
        tables[kind] = table
    if problems:
        raise InputErrors(problems)
    return tables


def put_in(values: Array, table: pd.DataFrame | None, names: list[str]) -> None:
    """Replace the columns of the homes that the table has, in place; values shape (T, n)."""
    if table is not None:
        values[:, pd.Index(names).get_indexer(pd.Index(table.columns))] = table.to_numpy(float)


def _read(path: Path) -> pd.DataFrame:
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, index_col=0, parse_dates=True)
    except (OSError, ValueError) as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(str(path), "file", first_line, "a CSV or Parquet file, a column per home") from None


def _check_times(where: str, table: pd.DataFrame, times: pd.DatetimeIndex) -> None:
    index = table.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None:
        raise InputError(where, "times", str(index.dtype), "times without a zone, in standard time")
    year = times[0].year
    if len(index) and (index.year != year).all():
        raise InputError(where, "year", int(index[0].year), f"the year of the case, {year}")
    if len(index) != len(times):
        raise InputError(where, "rows", len(index), f"{len(times)}, a row per 15 min of {year}")
    if not (index == times).all():
        row = int(np.argmin(index == times))
        raise InputError(where, f"times, row {row + 1}", str(index[row]), str(times[row]))


def _unknown_homes(where: str, table: pd.DataFrame, names: list[str]) -> list[InputError]:
    known = set(names)
    problems = []
    for name in table.columns:
        if name not in known:
            near = ", ".join(get_close_matches(str(name), names, n=3, cutoff=0.0))
            problems.append(InputError(where, "home", name, f"a home of the region, such as {near}"))
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        problems.append(InputError(where, "home", twice, "each home once"))
    return problems


def _bad_values(where: str, table: pd.DataFrame) -> list[InputError]:
    problems = []
    for name in table.columns[: 0 if not table.columns.is_unique else None]:
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(float)
        good = np.isfinite(values) & (values >= 0)
        if not good.all():
            row = int(np.argmin(good))
            found = table[name].tolist()[row]
            problems.append(InputError(where, f"{name}, {table.index[row]}", found, "0 or more [kW]"))
    return problems
