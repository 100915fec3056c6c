"""Measured loads in the place of invented ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from agents.facility import PLANTS
from cosim.facility_series import read_background_kw, read_needs
from feeders.errors import InputError

TIMES = pd.date_range("2018-07-23T06:00Z", periods=4, freq="15min")
OSP = PLANTS["One Sun Plaza"]
STUDIOS = PLANTS["ABQ Studios"]


def written(folder: Path, header: str, rows: list[str], start: str = "2018-07-23T06:00Z") -> Path:
    path = folder / "loads.csv"
    times = pd.date_range(start, periods=len(rows), freq="15min")
    lines = [f"{time:%Y-%m-%dT%H:%MZ},{row}" for time, row in zip(times, rows, strict=True)]
    path.write_text("\n".join([f"time,{header}", *lines]) + "\n")
    return path


def test_a_file_gives_the_needs_of_the_steps_that_are_asked_for(tmp_path: Path) -> None:
    rows = [f"{k},{10 * k},{0.1 * k:.1f}" for k in range(8)]
    path = written(tmp_path, "electric_kw,cooling_kw,pv_per_kw", rows, "2018-07-23T05:30Z")
    need = read_needs(path, OSP, TIMES)
    assert need.electric_kw.tolist() == [2.0, 3.0, 4.0, 5.0]
    assert need.cooling_kw.tolist() == [20.0, 30.0, 40.0, 50.0]
    assert need.pv_per_kw == pytest.approx([0.2, 0.3, 0.4, 0.5])
    assert not need.heat_kw.any()
    assert (need.time(0), need.step_h) == ("2018-07-23T06:00Z", 0.25)


def test_naive_times_follow_their_zone(tmp_path: Path) -> None:
    path = tmp_path / "loads.csv"
    path.write_text("time,electric_kw,cooling_kw\n" + "".join(f"2018-07-23 00:{15 * k:02d},{k},0\n" for k in range(4)))
    need = read_needs(path, STUDIOS, TIMES, timezone="America/Denver")
    assert need.electric_kw.tolist() == [0.0, 1.0, 2.0, 3.0]


FOUR = ["1,2"] * 4


@pytest.mark.parametrize(
    ("header", "rows", "start", "what"),
    [
        (
            "electric_kw,cooling_kw",
            ["1,2", "1,-2", "1,2", "1,2"],
            "2018-07-23T06:00Z",
            "'cooling_kw' at 2018-07-23T06:15Z: -2",
        ),
        ("electric_kw,cooling_kw", ["1,2", "nan,2", "1,2", "1,2"], "2018-07-23T06:00Z", "row 3, column 'electric_kw'"),
        ("electric_kw,cooling_kw", FOUR[:3], "2018-07-23T06:00Z", "covers 2018-07-23T06:00Z to 2018-07-23T06:45Z"),
        ("electric_kw,cooling_kw", FOUR, "2018-07-23T06:15Z", "covers"),
        ("electric_kw,cooling_kw", ["1,2"] * 6, "2018-07-23T05:55Z", "a row at 2018-07-23T06:00Z"),
        ("electric_kw", ["1"] * 4, "2018-07-23T06:00Z", "a column 'cooling_kw'"),
        ("electric_kw,cooling_kw,heating", ["1,2,3"] * 4, "2018-07-23T06:00Z", "'heating' is not allowed"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(
    tmp_path: Path, header: str, rows: list[str], start: str, what: str
) -> None:
    path = written(tmp_path, header, rows, start)
    with pytest.raises(InputError) as caught:
        read_needs(path, STUDIOS, TIMES)
    assert what in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_plant_with_sun_asks_for_the_sun(tmp_path: Path) -> None:
    path = written(tmp_path, "electric_kw,cooling_kw", FOUR)
    read_needs(path, STUDIOS, TIMES)
    with pytest.raises(InputError, match="pv_per_kw"):
        read_needs(path, OSP, TIMES)
    with pytest.raises(InputError, match="solar_per_kw"):
        read_needs(path, PLANTS["UNM ME"], TIMES)


def test_a_background_may_feed_in(tmp_path: Path) -> None:
    path = written(tmp_path, "mall,school", ["10,-5"] * 4)
    found = read_background_kw(path, TIMES)
    assert list(found) == ["mall", "school"]
    assert np.array_equal(found.to_numpy(), [[10.0, -5.0]] * 4)
    assert found.index.equals(TIMES)


def test_steps_of_another_length_and_single_ones_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "electric_kw,cooling_kw", FOUR)
    with pytest.raises(InputError, match="30 min apart"):
        read_needs(path, STUDIOS, pd.date_range("2018-07-23T06:00Z", periods=2, freq="30min"))
    with pytest.raises(InputError, match="two steps"):
        read_needs(path, STUDIOS, TIMES[:1])
