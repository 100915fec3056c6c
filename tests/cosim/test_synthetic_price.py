"""The synthetic price: keyed on the date, closed form without noise, documented statistics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cosim.tariff import SyntheticTariff
from cosim.tariff.synthetic import DIURNAL_SHAPE

HERE = Path(__file__).parent
NYISO = Path(__file__).parents[2].parent / "shared" / "data" / "prices" / "nyiso_rt_hourly.csv"


def quarters(first: str, n: int = 96) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=n, freq="15min", tz="UTC")


def test_a_day_has_the_same_prices_wherever_the_run_starts() -> None:
    tariff = SyntheticTariff(seed=3)
    year = pd.Series(tariff.prices(quarters("2016-01-01", 366 * 96), folder=HERE).price_buy)
    year.index = quarters("2016-01-01", 366 * 96)
    late = quarters("2016-10-29T17:30", 200)
    assert tariff.prices(late, folder=HERE).price_buy.tolist() == year[late].tolist()
    minutes = pd.date_range("2016-02-29T13:00", periods=60, freq="min", tz="UTC")
    assert set(tariff.prices(minutes, folder=HERE).price_buy) == {year["2016-02-29T13:00Z"]}


def test_seeds_differ() -> None:
    day = quarters("2016-06-06")
    one, two = (SyntheticTariff(seed=seed).prices(day, folder=HERE).price_buy for seed in (1, 2))
    assert not (one == two).any(axis=0)


def test_without_noise_it_is_the_diurnal_shape_of_local_hours() -> None:
    tariff = SyntheticTariff(volatility=0.0, spike_rate=0.0, negative_rate=0.0, timezone="Europe/Berlin")
    found = tariff.prices(quarters("2016-06-05T22:00"), folder=HERE).price_buy  # midnight in Berlin
    np.testing.assert_allclose(found, np.repeat(DIURNAL_SHAPE, 4) * 0.0264, rtol=1e-15)
    assert np.mean(DIURNAL_SHAPE) == pytest.approx(1.0, abs=0.005)  # typed with two decimals


def test_synthetic_statistics_are_the_documented_ones() -> None:
    # 20 years of hours. Expected values are the module's estimates; tolerances are about four standard errors
    # of a sample of this size (175,000 hours, of which about one in ten is independent in x).
    hours = pd.date_range("2001-01-01", periods=20 * 8766, freq="h", tz="UTC")
    price = SyntheticTariff(seed=11, timezone="UTC").prices(hours, folder=HERE).price_buy
    usual = SyntheticTariff(seed=11, timezone="UTC", spike_rate=0.0).prices(hours, folder=HERE).price_buy
    assert np.mean(price < 0) == pytest.approx(0.0017, abs=0.0004)
    assert -price[price < 0].mean() == pytest.approx(0.0304, rel=0.2)
    spike = price > usual
    assert np.mean(spike) == pytest.approx(0.0276, abs=0.0016)
    assert (price - usual)[spike].mean() == pytest.approx(0.0783, rel=0.06)
    usual = np.where(usual > 0, usual, np.nan)
    assert np.nanmean(usual) == pytest.approx(0.0264, rel=0.012)
    by_hour = np.nanmean(usual.reshape(-1, 24), axis=0) / np.nanmean(usual)
    np.testing.assert_allclose(by_hour, DIURNAL_SHAPE, atol=0.025)
    x = np.log(usual / np.tile(DIURNAL_SHAPE, len(hours) // 24)).reshape(-1, 24)
    assert np.nanstd(x) == pytest.approx(0.351, rel=0.012)
    pair = np.isfinite(x[:, :-1]) & np.isfinite(x[:, 1:])
    assert np.corrcoef(x[:, :-1][pair], x[:, 1:][pair])[0, 1] == pytest.approx(0.817, abs=0.01)
    # With the spikes the mean is 0.0264 + 0.0276 * 0.0783 = 0.0286, against 0.0282 in the real series.
    assert price.mean() == pytest.approx(0.0286, rel=0.012)


@pytest.mark.skipif(not NYISO.exists(), reason="the NYISO series is not here")
def test_the_defaults_are_those_of_the_real_series() -> None:
    data = pd.read_csv(NYISO)
    data = data[data["date"].str.startswith("2019")]
    price, hour = data["NYC"] / 1000, data["hour_ending"]
    log = np.log(price.where(price > 0))
    log = log - log.groupby(hour).transform("median")
    robust = 1.4826 * (log - log.median()).abs().median()
    spike, low = log > 3 * robust, log < -3 * robust
    usual = price.where(~(spike | low | (price < 0)))
    by_hour = usual.groupby(hour).mean()
    x = pd.Series(np.log(usual / hour.map(by_hour)))
    tariff = SyntheticTariff()
    assert len(price) == 8736
    assert tariff.mean_price == pytest.approx(usual.mean(), abs=5.1e-5)
    np.testing.assert_allclose(DIURNAL_SHAPE, by_hour / usual.mean(), atol=0.0051)
    assert tariff.spike_rate == pytest.approx(spike.mean(), abs=5.1e-5)
    assert tariff.spike_size == pytest.approx((price - hour.map(by_hour))[spike].mean(), abs=5.1e-5)
    assert tariff.negative_rate == pytest.approx((price < 0).mean(), abs=5.1e-5)
    assert tariff.negative_size == pytest.approx(-price[price < 0].mean(), abs=5.1e-5)
    assert tariff.volatility == pytest.approx(x.std(), abs=5.1e-4)
    assert tariff.persistence == pytest.approx(x.corr(x.shift()), abs=5.1e-4)


def test_it_says_that_it_is_synthetic() -> None:
    assert "synthetic" in SyntheticTariff().describe()
    assert "synthetic" in str(SyntheticTariff.__doc__).lower()
