"""A region's year as a whole: what is in it, what it depends on, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim.region import Penetration, RegionCase, Sizes, reference_year, region_case
from cosim.region.calendar import year_times
from cosim.region.pv import kw_per_kwp
from feeders.errors import InputError, InputErrors
from feeders.region import Region
from tests.cosim.region.small_region import small_region

COUNTS = {"A": 6, "B": 4, "C": 5}
TIMES = year_times(2030)


@pytest.fixture(scope="module")
def region() -> Region:
    return small_region(COUNTS)


@pytest.fixture(scope="module")
def case(region: Region) -> RegionCase:
    return region_case(region, 1)


def own_table(names: list[str], times: pd.DatetimeIndex = TIMES) -> pd.DataFrame:
    return pd.DataFrame({name: np.full(len(times), 0.5 + row) for row, name in enumerate(names)}, index=times)


def test_shapes_and_energies(case: RegionCase) -> None:
    shape = (35040, 15)
    for inputs in (case.inputs, case.today):
        for name in ("p_load_kw", "p_pv_kw", "heat_kw", "p_ev_kw"):
            assert getattr(inputs, name).shape == shape
            assert getattr(inputs, name).flags.c_contiguous
    homes, assets = case.homes, case.assets
    assert list(homes.index) == list(case.region.homes.index) == assets.ids
    assert assets.station.tolist() == [0] * 6 + [1] * 4 + [2] * 5
    np.testing.assert_allclose(case.inputs.p_load_kw.sum(axis=0) / 4, homes["annual_kwh"], rtol=1e-12)
    np.testing.assert_allclose(homes["annual_kwh"], 3190 * homes["area_m2"] / 92, rtol=1e-12)
    heated = homes["heat_kwh"] > 0
    np.testing.assert_allclose(homes["heat_kwh"], np.where(heated, 40 * homes["area_m2"], 0), rtol=1e-12)
    np.testing.assert_allclose(case.inputs.heat_kw.sum(axis=0) / 4, homes["heat_kwh"], rtol=1e-12)
    assert heated.groupby(homes["station"]).sum().to_dict() == {"A": 4, "B": 2, "C": 3}  # 60 %: 3.6, 2.4, 3.0
    np.testing.assert_array_equal(assets.hp_kw, case.inputs.heat_kw.max(axis=0))
    np.testing.assert_array_equal(assets.ev_kw > 0, case.inputs.p_ev_kw.any(axis=0))
    assert set(case.sessions.home) == set(np.flatnonzero(assets.ev_kw))
    assert case.sessions.departure_step.max() <= 35040


def test_the_sun_is_one_and_plants_are_as_large_as_said(case: RegionCase) -> None:
    weather = reference_year(2030)
    for kwp, inputs in (("pv_kwp", case.inputs), ("pv_today_kwp", case.today)):
        size = {"pv_kwp": 8.0, "pv_today_kwp": 6.6}[kwp]
        for home, row in enumerate(case.homes.itertuples()):
            expected = getattr(row, kwp) * kw_per_kwp(weather, float(str(row.roof_deg)))
            np.testing.assert_allclose(inputs.p_pv_kw[:, home], expected, rtol=1e-12)
        assert set(case.homes[kwp]) == {0.0, size}
    np.testing.assert_array_equal(case.outdoor_c, weather.outdoor_c)


def test_today_has_the_same_load_and_neither_heat_nor_cars(case: RegionCase) -> None:
    np.testing.assert_array_equal(case.today.p_load_kw, case.inputs.p_load_kw)
    assert not case.today.heat_kw.any()
    assert not case.today.p_ev_kw.any()
    assert (case.homes["pv_today_kwp"] > 0).groupby(case.homes["station"]).sum().to_dict() == {"A": 2, "B": 1, "C": 1}


def test_the_same_seed_and_another(region: Region, case: RegionCase) -> None:
    again, other = region_case(region, 1), region_case(region, 2)
    pd.testing.assert_frame_equal(case.homes, again.homes)
    for name in ("p_load_kw", "p_pv_kw", "heat_kw", "p_ev_kw"):
        np.testing.assert_array_equal(getattr(case.inputs, name), getattr(again.inputs, name))
        assert not np.array_equal(getattr(case.inputs, name), getattr(other.inputs, name))


def test_a_change_changes_that_alone(region: Region, case: RegionCase) -> None:
    """More heat pumps, and homes less: all that remains is as it was."""
    more = region_case(region, 1, average=Penetration(heat_pump=1.0), sizes=Sizes(battery_kw=5.0))
    for name in ("p_load_kw", "p_pv_kw", "p_ev_kw"):
        np.testing.assert_array_equal(getattr(case.inputs, name), getattr(more.inputs, name))
    had = case.assets.hp_kw > 0
    assert (more.assets.hp_kw > 0).all()
    np.testing.assert_array_equal(more.inputs.heat_kw[:, had], case.inputs.heat_kw[:, had])
    np.testing.assert_array_equal(more.assets.battery_kw, case.assets.battery_kw / 3 * 5)
    part = region_case(small_region({"B": 4}), 1, "focus-ev")  # B is the second station: focus-ev there too
    b = case.region.homes["station"].to_numpy() == "B"
    np.testing.assert_array_equal(part.inputs.p_load_kw, case.inputs.p_load_kw[:, b])
    np.testing.assert_array_equal(part.inputs.p_ev_kw, case.inputs.p_ev_kw[:, b])


def test_a_leap_year_ends_with_30_december(region: Region) -> None:
    case = region_case(region, 1, year=2028)
    assert len(case.times) == 35040
    assert case.times[-1] == pd.Timestamp("2028-12-30T23:45")


def test_own_profiles_take_the_place_of_made_ones(region: Region, case: RegionCase, tmp_path: Path) -> None:
    names = ["A-2", "C-0"]
    heated = case.homes.index[case.assets.hp_kw > 0][0]
    unheated = case.homes.index[case.assets.hp_kw == 0][0]
    heat, pv = own_table([heated, unheated]), own_table(["B-1"])
    heat.to_parquet(tmp_path / "heat.parquet")
    own_table(names).to_csv(tmp_path / "load.csv")
    own = region_case(
        region, 1, profiles={"load": tmp_path / "load.csv", "heat": str(tmp_path / "heat.parquet"), "pv": pv}
    )
    row = {name: place for place, name in enumerate(case.homes.index)}
    load = own.inputs.p_load_kw
    assert (load[:, row["A-2"]] == 0.5).all()
    assert (load[:, row["C-0"]] == 1.5).all()
    others = [place for name, place in row.items() if name not in names]
    np.testing.assert_array_equal(load[:, others], case.inputs.p_load_kw[:, others])
    assert own.homes.loc["A-2", "annual_kwh"] == pytest.approx(0.5 * 8760)
    assert (own.inputs.heat_kw[:, row[heated]] == 0.5).all()
    assert own.assets.hp_kw[row[heated]] == 0.5
    assert not own.inputs.heat_kw[:, row[unheated]].any()  # no heat pump, no heat
    assert (own.inputs.p_pv_kw[:, row["B-1"]] == 0.5).all()
    assert (own.today.p_pv_kw[:, row["B-1"]] == 0.5).all()


def shifted(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_axis(table.index + pd.Timedelta(minutes=15))


def with_value(value: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.iloc[7, 0] = value
        return table

    return change


WRONG = {
    "another year": (
        lambda t: t.set_axis(year_times(2029)),
        "own profiles (load): year: 2029 is not allowed; allowed: the year of the case, 2030",
    ),
    "rows": (
        lambda t: t.iloc[:-1],
        "own profiles (load): rows: 35039 is not allowed; allowed: 35040, a row per 15 min of 2030",
    ),
    "times": (
        shifted,
        "own profiles (load): times, row 1: '2030-01-01 00:15:00' is not allowed; allowed: 2030-01-01 00:00:00",
    ),
    "zone": (
        lambda t: t.tz_localize("UTC"),
        "own profiles (load): times: 'datetime64[ns, UTC]' is not allowed; "
        "allowed: times without a zone, in standard time",
    ),
    "home": (
        lambda t: t.rename(columns={"A-0": "A-9"}),
        "own profiles (load): home: 'A-9' is not allowed; allowed: a home of the region, such as A-5, A-4, A-3",
    ),
    "negative": (
        with_value(-0.5),
        "own profiles (load): A-0, 2030-01-01 01:45:00: -0.5 is not allowed; allowed: 0 or more [kW]",
    ),
    "missing": (
        with_value(np.nan),
        "own profiles (load): A-0, 2030-01-01 01:45:00: nan is not allowed; allowed: 0 or more [kW]",
    ),
}


@pytest.mark.parametrize(("change", "line"), WRONG.values(), ids=WRONG)
def test_wrong_profiles(region: Region, change: Callable[[pd.DataFrame], pd.DataFrame], line: str) -> None:
    with pytest.raises(InputErrors) as raised:
        region_case(region, 1, profiles={"load": change(own_table(["A-0"]))})
    assert raised.value.lines() == [line]


def test_wrong_files_and_kinds(region: Region, tmp_path: Path) -> None:
    with pytest.raises(InputErrors, match=r"gone\.csv: file: .*No such file"):
        region_case(region, 1, profiles={"load": tmp_path / "gone.csv"})
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(InputErrors, match=r"text\.parquet: file:"):
        region_case(region, 1, profiles={"load": tmp_path / "text.parquet"})
    with pytest.raises(InputErrors, match="own profiles: kind: 'gas' is not allowed; allowed: one of load, pv, heat"):
        region_case(region, 1, profiles={"gas": own_table(["A-0"])})  # type: ignore[dict-item]


def test_wrong_numbers(region: Region) -> None:
    with pytest.raises(InputErrors) as raised:
        Sizes(battery_kwh=-1.0, hp_oversize=0.5)
    assert raised.value.lines() == [
        "sizes: battery_kwh: -1.0 is not allowed; allowed: 0 or more",
        "sizes: hp_oversize: 0.5 is not allowed; allowed: 1 or more",
    ]
    with pytest.raises(InputErrors, match=r"sizes: ev_kw: 0\.0 is not allowed; allowed: above 0"):
        Sizes(ev_kw=0.0)
    with pytest.raises(InputError, match="seed: -1 is not allowed"):
        region_case(region, -1)
    with pytest.raises(InputError, match=r"penetration: today_pv: 1\.5 is not allowed"):
        region_case(region, 1, today_pv=1.5)
    with pytest.raises(InputError, match="year: 3030 is not allowed"):
        region_case(region, 1, year=3030)
    with pytest.raises(InputError, match="weather: times: '2029-01-01 00:00:00' is not allowed"):
        region_case(region, 1, weather=reference_year(2029))
