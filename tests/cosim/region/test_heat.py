"""Heat demand by temperature, and heat pumps."""

from __future__ import annotations

import numpy as np
import pytest

from cosim.region import reference_year
from cosim.region.heat import HeatShape, cop, heat_profiles, heat_shape, source_to_sink_cop

NAMES = [f"home-{n}" for n in range(6)]


@pytest.fixture(scope="module")
def shape() -> HeatShape:
    return heat_shape(reference_year(2030))


def test_the_days_follow_the_sigmoid(shape: HeatShape) -> None:
    """Heat of days against the BDEW formula; its parameters for single-family houses of all Germany are typed here."""
    a, b, c, d = 3.0469695, -37.1833141, 5.6727847, 0.1163157  # b and c as in When2Heat's daily_demand.csv, SFH normal
    daily_c = reference_year(2030).outdoor_c.reshape(365, 96).mean(axis=1)
    weighted = sum(0.5**k * np.roll(daily_c, k) for k in range(4)) / 1.875
    heat = a / (1 + (b / (weighted - 40)) ** c) + d
    of_day = shape.kw_per_kwh.reshape(365, 96).sum(axis=1) * 0.25
    assert of_day.sum() == pytest.approx(1.0, abs=1e-12)
    # The factors of the hours are rounded, and quarter-hours near midnight are between the days.
    np.testing.assert_allclose(of_day, heat / heat.sum(), rtol=0.02)
    np.testing.assert_allclose(shape.water_share.reshape(365, 96)[:, 0], d / heat, rtol=1e-6)
    assert 1 / shape.kw_per_kwh.max() == pytest.approx(2167, abs=1)  # full-load hours, measured once: no doubling


def test_cop_by_hand() -> None:
    # When2Heat, air source: 6.0801 - 0.0941 dT + 0.0005 dT^2, 85 % of it; floor at 30 - T/2, water at 50, dT >= 15.
    floor_0, water_0 = 0.85 * (6.0801 - 0.0941 * 30 + 0.0005 * 900), 0.85 * (6.0801 - 0.0941 * 50 + 0.0005 * 2500)
    floor_10 = 0.85 * (6.0801 - 0.0941 * 15 + 0.0005 * 225)
    outdoor = np.array([0.0, 0.0, 0.0, 10.0, 25.0])
    got = cop(outdoor, np.array([0.0, 1.0, 0.5, 0.0, 0.0]))
    mixed = 1 / (0.5 / floor_0 + 0.5 / water_0)
    np.testing.assert_allclose(got, [floor_0, water_0, mixed, floor_10, floor_10], rtol=1e-12)
    assert (np.diff(source_to_sink_cop(np.arange(0.0, 60.0))) <= 0).all()


def test_homes_differ_a_little_and_keep_their_energy(shape: HeatShape) -> None:
    annual = np.array([5200.0, 5200.0, 0.0, 4000.0, 5200.0, 8000.0])
    heat = heat_profiles(shape, annual, NAMES, 7)
    assert heat.shape == (35040, 6)
    assert heat.flags.c_contiguous
    np.testing.assert_allclose(heat.sum(axis=0) / 4, annual, rtol=1e-12)
    assert not np.allclose(heat[:, 0], heat[:, 1])
    for home in (0, 3, 5):  # within an hour of the shape, days within 5 standard deviations of 5 %
        shifts = [np.roll(shape.kw_per_kwh, k).reshape(365, 96) for k in range(-4, 5)]
        ratios = [heat[:, home].reshape(365, 96) / annual[home] / shifted for shifted in shifts]
        flat = [np.ptp(ratio, axis=1).max() < 1e-9 for ratio in ratios]
        assert sum(flat) == 1
        factor = ratios[flat.index(True)][:, 0]
        assert 0.045 < factor.std() < 0.055
        assert np.abs(factor - 1).max() < 0.25


def test_no_home_depends_on_the_others(shape: HeatShape) -> None:
    annual = np.full(6, 5000.0)
    alone = heat_profiles(shape, annual[:1], NAMES[3:4], 7)
    np.testing.assert_array_equal(alone[:, 0], heat_profiles(shape, annual, NAMES, 7)[:, 3])
