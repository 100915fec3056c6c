"""The CSV dialect: one good file in several spellings, every refusal with its place and value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.series import read_series, require_span
from feeders.errors import InputError

GOOD = "time,load,pv\n2019-07-22T00:00Z,1.5,0\n2019-07-22T00:15Z,-2e-1,.25\n2019-07-22T00:30Z,3.,1\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "series.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def rows(*lines: str) -> str:
    return "\n".join(["time,load", *lines]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n"),
        GOOD.rstrip("\n"),
        GOOD.replace("T", " "),
        GOOD.replace("Z", ":00Z"),
        GOOD.replace("2019-07-22T00", "2019-07-22T02").replace("Z", "+02:00"),
    ],
    ids=["plain", "bom", "crlf", "no-last-newline", "space", "seconds", "offset"],
)
def test_spellings_of_the_same_series(tmp_path: Path, text: str | bytes) -> None:
    frame = read_series(write(tmp_path, text), step_minutes=15)
    assert list(frame.columns) == ["load", "pv"]
    assert frame.index.equals(pd.date_range("2019-07-22", periods=3, freq="15min", tz="UTC"))
    assert (frame.dtypes == "float64").all()
    np.testing.assert_array_equal(frame.to_numpy(), [[1.5, 0.0], [-0.2, 0.25], [3.0, 1.0]])


def test_columns_are_read_in_the_order_asked_and_the_others_not_looked_at(tmp_path: Path) -> None:
    path = write(tmp_path, "time,note,a,b\n2019-07-22T00:00Z,sunny,1,2\n2019-07-22T01:00Z,,3,4\n")
    frame = read_series(path, step_minutes=None, columns=["b", "a"])
    assert frame.to_dict("list") == {"b": [2.0, 4.0], "a": [1.0, 3.0]}


REFUSALS = {
    "semicolon": ("time;load\n2019-07-22T00:00Z;1\n", ["row 1", "time;load", "commas"]),
    "decimal comma": (rows("2019-07-22T00:00Z,1,5"), ["row 2", "1,5", "decimal point"]),
    "quoted decimal comma": (rows('2019-07-22T00:00Z,"1,5"'), ["row 2, column 'load'", "1,5"]),
    "day first": (rows("22/07/2019 00:00,1"), ["row 2, column 'time'", "22/07/2019", "ISO 8601"]),
    "ambiguous day first": (rows("01/02/2019 00:00,1"), ["row 2, column 'time'", "01/02/2019"]),
    "dotted date": (rows("22.07.2019 00:00,1"), ["row 2, column 'time'", "22.07.2019"]),
    "date alone": (rows("2019-07-22,1"), ["row 2, column 'time'", "2019-07-22"]),
    "compact date": (rows("20190722T0000Z,1"), ["row 2, column 'time'"]),
    "no such day": (rows("2019-02-29T00:00Z,1"), ["row 2, column 'time'", "2019-02-29"]),
    "hour 24": (rows("2019-07-22T24:00Z,1"), ["row 2, column 'time'", "24:00"]),
    "year": (rows("0219-07-22T00:00Z,1"), ["row 2, column 'time'", "0219", "1900"]),
    "nan": (rows("2019-07-22T00:00Z,1", "2019-07-22T00:15Z,NaN"), ["row 3, column 'load'", "NaN", "finite"]),
    "NA": (rows("2019-07-22T00:00Z,NA"), ["row 2, column 'load'", "'NA'"]),
    "inf": (rows("2019-07-22T00:00Z,inf"), ["row 2, column 'load'", "inf"]),
    "overflow": (rows("2019-07-22T00:00Z,1e999"), ["row 2, column 'load'", "1e999"]),
    "empty cell": (rows("2019-07-22T00:00Z,"), ["row 2, column 'load'", "''"]),
    "text": (rows("2019-07-22T00:00Z,3 kW"), ["row 2, column 'load'", "3 kW"]),
    "dash": (rows("2019-07-22T00:00Z,-"), ["row 2, column 'load'", "'-'"]),
    "space": (rows("2019-07-22T00:00Z, 1"), ["row 2, column 'load'", "' 1'"]),
    "underscore": (rows("2019-07-22T00:00Z,1_000"), ["row 2, column 'load'", "1_000"]),
    "other digits": (rows("2019-07-22T00:00Z,\u0661"), ["row 2, column 'load'", "\u0661"]),
    "too few cells": (rows("2019-07-22T00:00Z,1", "2019-07-22T00:15Z"), ["row 3", "2 cells"]),
    "blank line": (rows("2019-07-22T00:00Z,1", "", "2019-07-22T00:15Z,1"), ["row 3", "2 cells"]),
    "open quote": (rows('2019-07-22T00:00Z,"1'), ["row 2", "comma-separated"]),
    "duplicate column": ("time,p,p\n2019-07-22T00:00Z,1,2\n", ["row 1, column 3", "'p'", "once"]),
    "unnamed column": ("time,,p\n2019-07-22T00:00Z,1,2\n", ["row 1, column 2", "name"]),
    "padded column": ("time, p\n2019-07-22T00:00Z,1\n", ["row 1, column 2", "' p'"]),
    "no time column": ("date,p\n2019-07-22T00:00Z,1\n", ["row 1", "date,p", "time,<name>"]),
    "only times": ("time\n2019-07-22T00:00Z\n", ["row 1", "time,<name>"]),
    "empty file": ("", ["row 1"]),
    "no rows": ("time,load\n", ["row 2", "at least one row"]),
    "naive without zone": (rows("2019-07-22T00:00,1"), ["row 2, column 'time'", "declared time zone"]),
    "gap": (
        rows("2019-07-22T00:00Z,1", "2019-07-22T00:15Z,1", "2019-07-22T00:45Z,1"),
        ["row 4", "2019-07-22T00:45Z", "30 min after", "gap", "15 min apart"],
    ),
    "twice": (rows("2019-07-22T00:00Z,1", "2019-07-22T00:00Z,2"), ["row 3", "2019-07-22T00:00Z", "twice"]),
    "unsorted": (
        rows("2019-07-22T00:00Z,1", "2019-07-22T00:15Z,1", "2019-07-22T00:10Z,1"),
        ["row 4", "2019-07-22T00:10Z", "unsorted"],
    ),
    "wrong step": (
        rows("2019-07-22T00:00Z,1", "2019-07-22T00:05Z,2"),
        ["row 3", "5 min after", "wrong step"],
    ),
    "utf-16": (rows("2019-07-22T00:00Z,1").encode("utf-16"), ["byte 0", "UTF-8"]),
    "latin-1": ("time,größe\n2019-07-22T00:00Z,1\n".encode("latin-1"), ["byte 7", "UTF-8"]),
}


@pytest.mark.parametrize(("text", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusal_says_where_and_what(tmp_path: Path, text: str | bytes, said: list[str]) -> None:
    path = write(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_series(path, step_minutes=15)
    assert refused.value.where == str(path)
    for part in said:
        assert part in str(refused.value)


def test_missing_column_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'laod' is not allowed; allowed: a column of the file; nearest: load"):
        read_series(write(tmp_path, GOOD), step_minutes=15, columns=["laod"])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_series(tmp_path / "none.csv", step_minutes=15)


def test_one_row_has_no_step(tmp_path: Path) -> None:
    path = write(tmp_path, rows("2019-07-22T00:00Z,1"))
    assert len(read_series(path, step_minutes=15)) == 1
    with pytest.raises(InputError, match=r"row 3.*at least two rows"):
        read_series(path, step_minutes=None)


@pytest.mark.parametrize("backwards", [("00:15", "00:00"), ("00:00", "00:00")])
def test_step_from_the_first_two_rows_must_be_forward(tmp_path: Path, backwards: tuple[str, str]) -> None:
    text = rows(*(f"2019-07-22T{time}Z,1" for time in backwards))
    with pytest.raises(InputError, match="row 3"):
        read_series(write(tmp_path, text), step_minutes=None)


@pytest.mark.parametrize("name", ["Europe/Berln", "", "../etc/passwd", "Europe", "CEST", "a\0b"])
def test_unknown_time_zone(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"timezone: .*IANA"):
        read_series(write(tmp_path, rows("2019-07-22T00:00,1")), step_minutes=15, timezone=name)


def test_offset_and_declared_zone_contradict(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"row 2, column 'time'.*without offset"):
        read_series(write(tmp_path, GOOD), step_minutes=15, timezone="Europe/Berlin")


def local_day(day: str, hours: list[int]) -> str:
    return rows(*(f"{day}T{hour:02d}:00,{i}" for i, hour in enumerate(hours)))


def test_spring_day_of_23_hours(tmp_path: Path) -> None:
    text = local_day("2016-03-27", [0, 1, *range(3, 24)])  # 02:00 does not exist in Berlin
    frame = read_series(write(tmp_path, text), step_minutes=60, timezone="Europe/Berlin")
    assert frame.index.equals(pd.date_range("2016-03-26T23:00Z", "2016-03-27T21:00Z", freq="h"))
    with pytest.raises(InputError, match=r"row 4, column 'time'.*2016-03-27 02:00.*clocks skip this hour"):
        read_series(write(tmp_path, local_day("2016-03-27", [*range(24)])), step_minutes=60, timezone="Europe/Berlin")


def test_autumn_day_of_25_hours(tmp_path: Path) -> None:
    text = local_day("2016-10-30", [0, 1, 2, 2, *range(3, 24)])  # 02:00 is there twice in Berlin
    frame = read_series(write(tmp_path, text), step_minutes=60, timezone="Europe/Berlin")
    assert frame.index.equals(pd.date_range("2016-10-29T22:00Z", "2016-10-30T22:00Z", freq="h"))
    with pytest.raises(InputError, match=r"row 5, time 2016-10-30T03:00 .*120 min after.*gap"):
        read_series(write(tmp_path, local_day("2016-10-30", [*range(24)])), step_minutes=60, timezone="Europe/Berlin")


def test_leap_day(tmp_path: Path) -> None:
    text = rows("2016-02-28T23:00,1", "2016-02-29T00:00,2")
    frame = read_series(write(tmp_path, text), step_minutes=60, timezone="UTC")
    assert frame.index[1] == pd.Timestamp("2016-02-29T00:00Z")


def test_span(tmp_path: Path) -> None:
    frame = read_series(write(tmp_path, GOOD), step_minutes=15)  # covers 00:00 to 00:45
    start, end = pd.Timestamp("2019-07-22T00:00Z"), pd.Timestamp("2019-07-22T00:45Z")
    require_span(frame, start, end, "load.csv")
    minute = pd.Timedelta(minutes=1)
    for first, last in ((start - minute, end), (start, end + minute)):
        with pytest.raises(InputError) as refused:
            require_span(frame, first, last, "load.csv")
        assert "covers 2019-07-22T00:00Z to 2019-07-22T00:45Z" in str(refused.value)
        assert f"{first:%Y-%m-%dT%H:%MZ} to {last:%Y-%m-%dT%H:%MZ}" in str(refused.value)


@given(st.text(alphabet="0123456789-T:Z,.;+e\n\r\"' nai\0ö", max_size=60))
def test_anything_else_is_an_input_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = write(tmp_path_factory.getbasetemp(), "time,load\n2019-07-22T00:00Z,1\n" + text)
    try:
        frame = read_series(path, step_minutes=15)
    except InputError:
        return
    assert np.isfinite(frame.to_numpy()).all()
    assert (np.diff(frame.index) == np.timedelta64(15, "m")).all()
