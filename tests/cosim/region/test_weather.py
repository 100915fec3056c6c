"""Weather of the test reference year, and the sun on roofs."""

from __future__ import annotations

import sys
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from cosim.region import Weather, reference_year
from cosim.region.pv import ROOFS, draw_roofs, kw_per_kwp, pv_profiles
from feeders.errors import InputError, InputErrors


def raw_hours() -> pd.DataFrame:
    """The file by its columns' widths, as its header gives them (i2,2x,i4,2x,...), not as the code splits it."""
    path = files("demandlib").joinpath("vdi/resources_weather/TRY2010_12_Jahr.dat")
    lines = path.read_text(encoding="utf-8").split("***\n")[1].splitlines()
    columns = {"t": (38, 44), "B": (72, 76), "D": (78, 82)}
    return pd.DataFrame({name: [float(line[a:b]) for line in lines] for name, (a, b) in columns.items()})


def test_the_energy_of_the_sun_and_the_temperatures_are_those_of_the_file() -> None:
    weather, raw = reference_year(2030), raw_hours()
    assert len(raw) == 8760
    np.testing.assert_allclose(weather.horizontal_w_m2.sum() / 4, (raw["B"] + raw["D"]).sum(), rtol=0.005)
    np.testing.assert_allclose(weather.diffuse_w_m2.sum() / 4, raw["D"].sum(), rtol=0.005)
    np.testing.assert_allclose(weather.outdoor_c.mean(), raw["t"].mean(), atol=1e-9)
    hourly = weather.outdoor_c.reshape(-1, 4).mean(axis=1)
    # A quarter-hour is linear between hours' middles, so an hour's mean is 3/4 of itself and 1/8 of each neighbour.
    smooth = 0.75 * raw["t"] + 0.125 * (np.roll(raw["t"], 1) + np.roll(raw["t"], -1))
    np.testing.assert_allclose(hourly, smooth, atol=1e-9)


def test_the_sun_stands_where_it_should() -> None:
    weather = reference_year(2030)
    june = weather.times.normalize() == pd.Timestamp("2030-06-21")
    noon = weather.elevation_deg[june].argmax()
    assert weather.elevation_deg[june][noon] == pytest.approx(90 - 49.517 + 23.44, abs=0.05)  # Mannheim, solstice
    # 8.55 degrees east is 25.8 min behind Central European Time; the sun is 1.8 min late on 21 June: 12:27.6.
    assert weather.times[june][noon] == pd.Timestamp("2030-06-21T12:15")  # or 12:30: the middle nearest is 12:22:30
    assert abs(weather.azimuth_deg[june][noon] - 180) < 5
    assert (weather.horizontal_w_m2[weather.elevation_deg <= 0] == 0).all()


def test_hours_of_irradiance_are_those_of_true_solar_time() -> None:
    weather, raw = reference_year(2030), raw_hours()
    sun, month = (raw["B"] + raw["D"]).to_numpy(), weather.times[::4].month
    centre = [np.average(np.arange(8760)[month == m] % 24 + 0.5, weights=sun[month == m]) for m in range(1, 13)]
    assert np.abs(np.array(centre) - 12).max() < 0.1  # by clock, noon is between 12.2 and 12.7
    # So the sun that is made of it favours neither roof; a reading by the clock would favour the east by 14 %.
    east, west = kw_per_kwp(weather, 90.0).sum(), kw_per_kwp(weather, 270.0).sum()
    assert east == pytest.approx(west, rel=0.02)
    assert weather.direct_w_m2.max() < 1000  # nowhere is the sun so low that its share seems larger


def test_yields_of_german_roofs() -> None:
    weather = reference_year(2030)
    yields = {azimuth: kw_per_kwp(weather, azimuth).sum() / 4 for azimuth in ROOFS}
    mean = sum(ROOFS[azimuth] * value for azimuth, value in yields.items())
    assert 816 < mean < 1049  # kWh/kWp: te Heesen et al., Solar Energy 194 (2019), 23,944 roofs
    assert max(yields, key=yields.__getitem__) == 180.0


def test_power_of_a_roof_by_hand() -> None:
    # Sun in the south, 40 degrees up, on a roof of 35 degrees to the south: 15 degrees off its normal.
    one = np.ones(1)
    times = pd.date_range("2030-03-20T12:15", periods=1, freq="15min")
    weather = Weather(times, 10 * one, 600 * one, 100 * one, 40 * one, 180 * one, 2 * one, "made up")
    horizontal = 600 * np.sin(np.radians(40)) + 100
    sky, ground = (1 + np.cos(np.radians(35))) / 2, (1 - np.cos(np.radians(35))) / 2
    plane = 600 * np.cos(np.radians(15)) + 100 * sky + 0.2 * horizontal * ground
    cell_c = 10 + plane / (25 + 6.84 * 2)  # Faiman
    expected = plane / 1000 * (1 - 0.004 * (cell_c - 25)) * 0.86
    np.testing.assert_allclose(kw_per_kwp(weather, 180.0), expected, rtol=1e-9)
    plants = pv_profiles(weather, np.array([8.0, 0.0]), np.array([180.0, 90.0]))
    np.testing.assert_allclose(plants, [[8 * expected, 0.0]], rtol=1e-9)


def test_roofs_have_their_shares() -> None:
    names = [f"home-{n}" for n in range(4000)]
    azimuths = draw_roofs(names, 0)
    for azimuth, share in ROOFS.items():
        assert abs((azimuths == azimuth).mean() - share) < 5 * np.sqrt(share * (1 - share) / len(names))
    assert (draw_roofs(names[7:9], 0) == azimuths[7:9]).all()
    with pytest.raises(InputError, match="1 in sum"):
        draw_roofs(names, 0, {180.0: 0.9})


def test_wrong_weather(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="weather: region: 16 is not allowed; allowed: a climate region of Germany"):
        reference_year(2030, 16)
    with pytest.raises(InputErrors, match="wind_m_s"):
        Weather(pd.date_range("2030", periods=1), *(np.zeros(1) for _ in range(5)), np.array([np.nan]), "made up")
    monkeypatch.setitem(sys.modules, "demandlib", None)
    with pytest.raises(InputError, match=r"weather: 'without demandlib'.*pip install 'cosim-prosumers\[region\]'"):
        reference_year(2031)
