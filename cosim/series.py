"""Time series from CSV, in one dialect: what does not fit is refused by file, row and column.

The dialect: UTF-8 (a byte order mark is fine), comma between columns, point in decimals, the header
``time,<name>,...``, one row per step, ascending and without a gap. Times are ISO 8601:
``2019-07-22T14:00Z``, ``2019-07-22 14:00:00-04:00``, or all naive (``2019-07-22T14:00``) with the time zone
declared by the caller. Naive times follow the clock changes of their zone: the hour that is skipped in
spring may not be there, the hour that is repeated in autumn must be there twice.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

from feeders.errors import InputError

__all__ = ["IANA_EXAMPLES", "NUMBER", "Row", "csv_rows", "read_series", "require_span", "zone"]

IANA_EXAMPLES = 'an IANA time zone, e.g. "Europe/Berlin", "America/New_York" or "UTC"'

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_NUMBER_ALLOWED = "a finite number with a decimal point, e.g. 0.25; no empty cell, NaN or unit"
_TIME_ALLOWED = "ISO 8601, e.g. 2019-07-22T14:00Z, 2019-07-22T14:00+02:00, or without offset 2019-07-22T14:00"

Row = tuple[int, list[str]]  # row number in the file, cells


def read_series(
    path: Path, *, step_minutes: int | None, columns: Sequence[str] | None = None, timezone: str | None = None
) -> pd.DataFrame:
    """Read a time series from a CSV file of the dialect above.

    Parameters
    ----------
    path : Path
        The file.
    step_minutes : int or None
        The step that every row must keep [min]; None takes the distance of the first two rows.
    columns : sequence of str, optional
        The columns to read, in this order; None reads all. Other columns are not looked at.
    timezone : str, optional
        IANA name of the zone of naive times; required with them, refused with times that have an offset.

    Returns
    -------
    DataFrame
        float64, ``(n_rows, n_columns)``, index ``time`` in UTC.

    Raises
    ------
    InputError
        The first offence, with the file, the row (the header is row 1) and column or time, and the value.
    """
    where = str(path)
    rows = csv_rows(path, where)
    header = _header(next(rows, (1, [])), where)
    wanted = _wanted(header, columns, where)
    body = list(rows)
    _check_width(body, header, where)
    times = _times(body, timezone, where)
    _check_steps(times, body, step_minutes, where)
    data = {name: _numbers(body, header.index(name), name, where) for name in wanted}
    index = pd.DatetimeIndex(times, name="time").as_unit("ns")
    return pd.DataFrame(data, index=index, columns=wanted, dtype=float)


def require_span(frame: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp, where: str) -> None:
    """Raise `InputError` unless the rows cover [start, end); the last row lasts one step, as the others."""
    first, last = frame.index[0], frame.index[-1]
    until = last + (frame.index[1] - first) if len(frame) > 1 else last
    if start < first or end > until:
        raise InputError(
            where,
            "time",
            f"covers {_utc(first)} to {_utc(until)}",
            f"a series that is not shorter than the horizon, {_utc(start)} to {_utc(end)}",
        )


def zone(name: str, where: str, field: str = "timezone") -> ZoneInfo:
    """The time zone of that IANA name, or an `InputError`."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:  # unknown, a path, or a folder of the database
        raise InputError(where, field, name, IANA_EXAMPLES) from error


def csv_rows(path: Path, where: str) -> Iterator[Row]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(where, "file", error.strerror, "a CSV file that can be read") from error
    except UnicodeDecodeError as error:
        raise InputError(where, f"byte {error.start}", error.object[error.start], "text in UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise InputError(where, f"row {reader.line_num}", str(error), "comma-separated values") from error


def _header(row: Row, where: str) -> list[str]:
    cells = row[1]
    if not cells or cells[0] != "time" or len(cells) < 2:
        raise InputError(where, "row 1", ",".join(cells), "a header 'time,<name>,...', separated by commas")
    for position, name in enumerate(cells):
        if not name.strip() or name != name.strip():
            raise InputError(where, f"row 1, column {position + 1}", name, "a name without spaces around it")
        if name in cells[:position]:
            raise InputError(where, f"row 1, column {position + 1}", name, "each column name once")
    return cells


def _wanted(header: list[str], columns: Sequence[str] | None, where: str) -> list[str]:
    names = header[1:]
    for name in columns or ():
        if name not in names:
            near = get_close_matches(name, names, n=3, cutoff=0.4) or names[:3]
            raise InputError(where, "column", name, f"a column of the file; nearest: {', '.join(near)}")
    return names if columns is None else list(columns)


def _check_width(body: list[Row], header: list[str], where: str) -> None:
    if not body:
        raise InputError(where, "row 2", "end of the file", "at least one row of data")
    for number, cells in body:
        if len(cells) != len(header):
            allowed = f"{len(header)} cells as in the header, separated by commas, with a decimal point"
            raise InputError(where, f"row {number}", ",".join(cells), allowed)


def _numbers(body: list[Row], position: int, name: str, where: str) -> list[float]:
    values = []
    for number, cells in body:
        cell = cells[position]
        if not NUMBER.fullmatch(cell) or not math.isfinite(value := float(cell)):
            raise InputError(where, f"row {number}, column {name!r}", cell, _NUMBER_ALLOWED)
        values.append(value)
    return values


def _times(body: list[Row], timezone: str | None, where: str) -> list[datetime]:
    declared = None if timezone is None else zone(timezone, where)
    times: list[datetime] = []
    for number, cells in body:
        field = f"row {number}, column 'time'"
        stamp = _iso(cells[0], field, where)
        if stamp.tzinfo is None and declared is None:
            allowed = f"a time with Z or an offset, or a declared time zone: {IANA_EXAMPLES}"
            raise InputError(where, field, cells[0], allowed)
        if stamp.tzinfo is not None and declared is not None:
            raise InputError(where, field, cells[0], f"times without offset, as time zone {timezone!r} is declared")
        if declared is not None:
            stamp = _in_zone(stamp.replace(tzinfo=declared), times[-1] if times else None, field, where)
        times.append(stamp.astimezone(UTC))
    return times


def _iso(cell: str, field: str, where: str) -> datetime:
    if not _TIME.fullmatch(cell):
        raise InputError(where, field, cell, _TIME_ALLOWED)
    try:
        stamp = datetime.fromisoformat(cell)
    except ValueError as error:
        raise InputError(where, field, cell, _TIME_ALLOWED) from error
    if not 1900 <= stamp.year < 2200:  # pandas ends in 2262, and a year 0219 is a slip
        raise InputError(where, field, cell, "a year from 1900 to 2199")
    return stamp


def _in_zone(stamp: datetime, before: datetime | None, field: str, where: str) -> datetime:
    """Of the two readings of a repeated hour the first one that is later than the row before."""
    if stamp.astimezone(UTC).astimezone(stamp.tzinfo).replace(tzinfo=None) != stamp.replace(tzinfo=None):
        allowed = f"a time that exists in {stamp.tzinfo}: the clocks skip this hour"
        raise InputError(where, field, stamp.strftime("%Y-%m-%d %H:%M"), allowed)
    if before is not None and stamp.astimezone(UTC) <= before < stamp.replace(fold=1).astimezone(UTC):
        return stamp.replace(fold=1)
    return stamp


def _check_steps(times: list[datetime], body: list[Row], step_minutes: int | None, where: str) -> None:
    if step_minutes is None and len(times) < 2:
        raise InputError(where, "row 3", "end of the file", "at least two rows, whose distance is the step")
    step = step_minutes if step_minutes is not None else (times[1] - times[0]).total_seconds() / 60
    for before, time, (number, cells) in zip(times, times[1:], body[1:], strict=False):
        found = (time - before).total_seconds() / 60
        if found == step and found > 0:
            continue
        if found <= 0:
            fault = "twice the same time" if found == 0 else "earlier than the row before (unsorted)"
        elif found > step:
            fault = f"{found:g} min after the row before (gap or wrong step)"
        else:
            fault = f"{found:g} min after the row before (wrong step)"
        allowed = f"rows in ascending order, {step:g} min apart" if step > 0 else "rows in ascending order"
        raise InputError(where, f"row {number}, time {cells[0]} ({_utc(time)})", fault, allowed)


def _utc(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%MZ")
