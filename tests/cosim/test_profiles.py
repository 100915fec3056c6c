"""Load and PV on market steps: held, averaged, scaled, refused; against closed forms."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from cosim import ProsumerSpec, Scenario
from cosim.build import build_signals, energy_start_kwh
from cosim.data import load_extract
from cosim.profiles import market_times, profile_values, scenario_profiles
from feeders.errors import InputError

START = pd.Timestamp("2016-06-07T22:00Z")
Array = npt.NDArray[np.float64]


def write_csv(path: Path, step_min: int, load: Array, sun: Array | None = None, start: pd.Timestamp = START) -> Path:
    times = pd.date_range(start, periods=len(load), freq=f"{step_min}min").strftime("%Y-%m-%dT%H:%MZ")
    sun = np.zeros(len(load)) if sun is None else sun
    rows = [f"{time},{p!r},{s!r}" for time, p, s in zip(times, load.tolist(), sun.tolist(), strict=True)]
    path.write_text("\n".join(["time,load,sun", *rows]) + "\n")
    return path


def scenario_of(path: Path | None, *, market_step_min: int = 15, days: int = 1) -> Scenario:
    load, sun = ("load", "sun") if path else ("H0-A", "PV1")
    return Scenario(
        start=START.to_pydatetime(),
        days=days,
        market_step_min=market_step_min,
        profiles_file=str(path) if path else None,
        prosumers=(ProsumerSpec(id="a", bus=2, load_profile=load, load_annual_mwh=4.0, pv_profile=sun, pv_kwp=5.0),),
    )


def test_a_coarser_series_is_held(tmp_path: Path) -> None:
    hourly = np.arange(24.0)
    load, _ = scenario_profiles(scenario_of(write_csv(tmp_path / "p.csv", 60, hourly)))
    assert load[:, 0].tolist() == np.repeat(hourly, 4).tolist()


def test_a_finer_series_is_averaged(tmp_path: Path) -> None:
    """Minute k has the value k: the mean of quarter q is that of 15q, ..., 15q + 14, i.e. 15q + 7."""
    load, _ = scenario_profiles(scenario_of(write_csv(tmp_path / "p.csv", 1, np.arange(1440.0))))
    assert load[:, 0].tolist() == [15 * q + 7 for q in range(96)]


@pytest.mark.parametrize("market_step_min", [5, 15, 30, 60])
def test_energy_of_the_day_does_not_depend_on_the_market_step(market_step_min: int) -> None:
    scenario = scenario_of(None, market_step_min=market_step_min)
    load, pv = scenario_profiles(scenario)
    day = load_extract()[["H0-A", "PV1"]].loc[START : START + pd.Timedelta("23h45min")]
    # 1e-12: sums of the same numbers in another order.
    energy = market_step_min / 60 * np.array([load.sum(), pv.sum()])
    np.testing.assert_allclose(energy, [4.0 * 0.25 * day["H0-A"].sum(), 5.0 * 0.25 * day["PV1"].sum()], rtol=1e-12)


def test_columns_of_a_file_are_kw_and_pv_kw_per_kwp(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "p.csv", 15, np.full(96, 0.7), np.full(96, 0.5))
    load, pv = scenario_profiles(scenario_of(path))
    assert (load == 0.7).all()  # load_annual_mwh does not scale it
    assert (pv == 0.5 * 5.0).all()


def test_a_longer_file_is_read_from_the_start_of_the_run(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "p.csv", 15, np.arange(192.0), start=START - pd.Timedelta("6h"))
    load, _ = scenario_profiles(scenario_of(path))
    assert load[:, 0].tolist() == list(range(24, 24 + 96))


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "p.csv", 15, np.full(96, 1.0))
    assert scenario_profiles(scenario_of(path))[0].sum() == 96.0
    write_csv(path, 15, np.full(96, 2.0))
    os.utime(path, ns=(1, 1))  # a clock too coarse to tell the two apart
    assert scenario_profiles(scenario_of(path))[0].sum() == 192.0


@pytest.mark.parametrize(("step_min", "shown"), [(10, "10 min"), (20, "20 min")])
def test_a_step_that_does_not_fit_the_market_step_is_refused(step_min: int, shown: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "p.csv", step_min, np.zeros(24 * 60 // step_min))
    allowed = "whole minutes, a divisor or multiple of the market step, 15 min"
    with pytest.raises(InputError, match=f"step: '{shown}' is not allowed; allowed: {allowed}"):
        scenario_profiles(scenario_of(path))


@pytest.mark.parametrize("seconds", [30, 90])
def test_a_step_of_seconds_is_refused(seconds: int, tmp_path: Path) -> None:
    times = pd.date_range(START, periods=4000, freq=f"{seconds}s").strftime("%Y-%m-%dT%H:%M:%SZ")
    path = tmp_path / "p.csv"
    path.write_text("\n".join(["time,load,sun", *(f"{time},1,0" for time in times)]) + "\n")
    with pytest.raises(InputError, match=rf"step: '{seconds / 60:g} min' is not allowed; allowed: whole minutes"):
        scenario_profiles(scenario_of(path))


@pytest.mark.parametrize("start", [START + pd.Timedelta("15min"), START - pd.Timedelta("15min")])
def test_a_file_that_begins_late_or_ends_early_is_refused(start: pd.Timestamp, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "p.csv", 15, np.zeros(96), start=start)
    needed = "a profile not shorter than the run, 2016-06-07 22:00 to 2016-06-08 22:00 UTC"
    with pytest.raises(InputError, match=needed):
        scenario_profiles(scenario_of(path))


def test_negative_power_is_refused_with_its_time(tmp_path: Path) -> None:
    load = np.zeros(96)
    load[10] = -0.25
    scenario = scenario_of(write_csv(tmp_path / "p.csv", 15, load))
    with pytest.raises(
        InputError, match=r"prosumers\.a\.load_profile: -0\.25 .* power >= 0 \(load at 2016-06-08 00:30 UTC"
    ):
        scenario_profiles(scenario)


def test_an_unknown_column_names_the_nearest(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "p.csv", 15, np.zeros(96))
    scenario = scenario_of(path).changed({"prosumers.a.load_profile": "laod"})
    with pytest.raises(InputError, match=r"prosumers\.a\.load_profile: 'laod' .*p\.csv; nearest: load"):
        scenario_profiles(scenario)


def test_one_profile_is_that_of_its_prosumer_before_scaling() -> None:
    load, pv = scenario_profiles(scenario_of(None))
    assert (4.0 * profile_values(scenario_of(None), "H0-A", "x", use="load") == load[:, 0]).all()
    assert (5.0 * profile_values(scenario_of(None), "PV1", "x", use="pv") == pv[:, 0]).all()


def test_signals_split_the_load_into_inelastic_and_flexible() -> None:
    """cos phi = 0.8 draws tan(acos(0.8)) = 0.75 kvar for each kW, of the inelastic load alone."""
    changes = {"flexible_share": 0.2, "flexible_max": 3.0, "load_power_factor": 0.8}
    scenario = scenario_of(None).changed({f"prosumers.a.{name}": value for name, value in changes.items()})
    load, pv = scenario_profiles(scenario)
    signals = build_signals(scenario)
    np.testing.assert_allclose(signals.p_load_kw, 0.8 * load, rtol=1e-15)
    np.testing.assert_allclose(signals.p_flexible_kw, 0.2 * load, rtol=1e-15)
    np.testing.assert_allclose(signals.p_flexible_max_kw, 0.6 * load, rtol=1e-15)
    np.testing.assert_allclose(signals.q_load_kvar, 0.75 * 0.8 * load, rtol=1e-14)
    assert (signals.p_pv_kw == pv).all()
    assert signals.price_buy.shape == load.shape == (96, 1)


def test_a_battery_starts_midway_unless_told() -> None:
    assert energy_start_kwh(ProsumerSpec(id="a", bus=2, battery_kwh=3.0, battery_min_kwh=1.0)) == 2.0
    assert energy_start_kwh(ProsumerSpec(id="a", bus=2, energy_start_kwh=0.0)) == 0.0


def test_market_times() -> None:
    times = market_times(scenario_of(None, market_step_min=30, days=2))
    assert (times[0], times[-1], len(times)) == (START, START + pd.Timedelta("47h30min"), 96)
