"""Real-time prices from a file: resolutions, labels, units, refusals, a real series."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cosim.tariff import RealTimeTariff
from feeders.errors import InputError

NYISO = Path(__file__).parents[2].parent / "shared" / "data" / "prices" / "nyiso_rt_hourly.csv"


def quarters(first: str, n: int = 96) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=n, freq="15min", tz="UTC")


def price_file(folder: Path, first: str, minutes: int, prices: list[float], sell: list[float] | None = None) -> None:
    times = pd.date_range(first, periods=len(prices), freq=f"{minutes}min")
    lines = [
        f"{time:%Y-%m-%dT%H:%MZ},{buy},{low}" for time, buy, low in zip(times, prices, sell or prices, strict=True)
    ]
    (folder / "p.csv").write_text("\n".join(["time,p,sell", *lines]))


def real_time(**changes: Any) -> RealTimeTariff:
    return RealTimeTariff(**({"file": "p.csv", "column": "p", "unit": "currency/kWh"} | changes))


@pytest.mark.parametrize(
    ("minutes", "prices", "expected"),
    [
        (60, [1.0, 2.0], [1, 1, 1, 1, 2, 2, 2, 2]),
        (30, [1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2, 3, 3, 4, 4]),
        (15, [1.0, 2, 3, 4, 5, 6, 7, 8], [1, 2, 3, 4, 5, 6, 7, 8]),
        (5, [float(i) for i in range(24)], [1, 4, 7, 10, 13, 16, 19, 22]),  # mean of three: 0, 1, 2 -> 1
    ],
)
def test_resolutions_on_quarter_hours(tmp_path: Path, minutes: int, prices: list[float], expected: list[int]) -> None:
    price_file(tmp_path, "2019-07-22T00:00", minutes, prices)
    found = real_time().prices(quarters("2019-07-22", 8), folder=tmp_path)
    assert found.price_buy.tolist() == expected
    assert found.price_sell.tolist() == expected


def test_a_run_may_start_within_an_hour_and_be_one_step_long(tmp_path: Path) -> None:
    price_file(tmp_path, "2019-07-22T00:00", 60, [1.0, 2.0])
    assert real_time().prices(quarters("2019-07-22T00:45", 2), folder=tmp_path).price_buy.tolist() == [1, 2]
    assert real_time().prices(quarters("2019-07-22T01:45", 1), folder=tmp_path).price_buy.tolist() == [2]


def test_unit_label_and_kappa(tmp_path: Path) -> None:
    # Hour ending 01:00 at 50 currency/MWh is 0.05 currency/kWh from 00:00 on; a negative price is not scaled.
    price_file(tmp_path, "2019-07-22T01:00", 60, [50.0, -20.0])
    tariff = real_time(unit="currency/MWh", label="end", kappa=0.5)
    found = tariff.prices(quarters("2019-07-22T00:30", 4), folder=tmp_path)
    np.testing.assert_allclose(found.price_buy, [0.05, 0.05, -0.02, -0.02], rtol=1e-15)
    np.testing.assert_allclose(found.price_sell, [0.025, 0.025, -0.02, -0.02], rtol=1e-15)


def test_selling_column(tmp_path: Path) -> None:
    price_file(tmp_path, "2019-07-22T00:00", 60, [3.0, 2.0], sell=[1.0, 2.5])
    tariff = real_time(column_sell="sell")
    assert tariff.prices(quarters("2019-07-22", 4), folder=tmp_path).price_sell.tolist() == [1.0] * 4
    with pytest.raises(InputError, match=r"p\.csv: price_sell at 2019-07-22T01:00Z: 2\.5 .*at most .* 2 "):
        tariff.prices(quarters("2019-07-22", 5), folder=tmp_path)


@pytest.mark.parametrize(
    ("first", "minutes", "changes", "said"),
    [
        ("2019-07-22T00:00", 10, {}, "step: '10 min' is not allowed; allowed: 5, 15, 30, 60 min"),
        ("2019-07-22T00:07", 60, {}, "2019-07-22T00:07:00Z"),
        ("2019-07-22T00:00", 5, {}, "covers 2019-07-22T00:00Z to 2019-07-22T00:20Z"),
        ("2019-07-22T01:00", 60, {}, "covers 2019-07-22T01:00Z"),
        ("2019-07-22T00:00", 60, {"label": "end"}, None),
        ("2019-07-22T00:00", 60, {"column": "sel"}, "nearest: sell"),
        ("2019-07-22T00:00", 60, {"file": "q.csv"}, "No such file"),
        ("2019-07-22T00:00", 60, {"timezone": "UTC"}, "row 2, column 'time'"),
    ],
)
def test_files_that_cannot_give_the_prices(
    tmp_path: Path, first: str, minutes: int, changes: dict[str, Any], said: str | None
) -> None:
    price_file(tmp_path, first, minutes, [1.0, 2.0, 3.0, 4.0])
    tariff, day = real_time(**changes), quarters("2019-07-22", 12)
    if said is None:  # the last hour ends at 03:00, where the horizon ends too
        assert tariff.prices(day, folder=tmp_path).price_buy.tolist() == [2.0] * 4 + [3.0] * 4 + [4.0] * 4
        return
    with pytest.raises(InputError) as refused:
        tariff.prices(day, folder=tmp_path)
    assert said in str(refused.value)
    assert str(tmp_path) in refused.value.where


def test_prices_and_steps_that_do_not_fit(tmp_path: Path) -> None:
    price_file(tmp_path, "2019-07-22T00:00", 15, [1.0, 2.0, 3.0, 4.0])
    steps = pd.date_range("2019-07-22", periods=2, freq="20min", tz="UTC")
    with pytest.raises(InputError, match=r"'15 min' .*market step, 20 min"):
        real_time().prices(steps, folder=tmp_path)


def nyiso(day: str, folder: Path, drop_hours: tuple[int, ...] = ()) -> pd.Series:
    """A day of real prices written in our dialect, naive local time; returns what was written."""
    data = pd.read_csv(NYISO)
    data = data[(data["date"] == day) & ~data["hour_ending"].isin(drop_hours)]
    prices = data.set_index("hour_ending")["NYC"]
    lines = [f"{day}T{hour - 1:02d}:00,{price}" for hour, price in zip(prices.index, prices, strict=True)]
    (folder / "nyc.csv").write_text("\n".join(["time,nyc", *lines]))
    return prices


def nyc() -> RealTimeTariff:
    return RealTimeTariff(file="nyc.csv", column="nyc", unit="currency/MWh", timezone="America/New_York")


@pytest.mark.skipif(not NYISO.exists(), reason="the NYISO series is not here")
def test_real_prices_of_a_summer_day(tmp_path: Path) -> None:
    prices = nyiso("2019-07-22", tmp_path)
    found = nyc().prices(quarters("2019-07-22T04:00"), folder=tmp_path)  # midnight in New York, UTC-4
    np.testing.assert_allclose(found.price_buy, np.repeat(prices.to_numpy(), 4) / 1000)


@pytest.mark.skipif(not NYISO.exists(), reason="the NYISO series is not here")
def test_clock_changes_in_a_series_with_24_hours_every_day(tmp_path: Path) -> None:
    # The file repeats hour ending 2 as hour 3 in spring, and leaves out one of the two hours 2 in autumn.
    nyiso("2019-03-10", tmp_path)
    with pytest.raises(InputError, match=r"row 4, .*2019-03-10 02:00.*clocks skip this hour"):
        nyc().prices(quarters("2019-03-10T05:00", 92), folder=tmp_path)
    prices = nyiso("2019-03-10", tmp_path, drop_hours=(3,))
    found = nyc().prices(quarters("2019-03-10T05:00", 92), folder=tmp_path)
    np.testing.assert_allclose(found.price_buy, np.repeat(prices.to_numpy(), 4) / 1000)
    nyiso("2019-11-03", tmp_path)
    with pytest.raises(InputError, match=r"row 4, time 2019-11-03T02:00.*120 min.*gap"):
        nyc().prices(quarters("2019-11-03T04:00"), folder=tmp_path)
