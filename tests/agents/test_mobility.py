"""Drivers and their cars: what they do is what their habits say, batteries balance, and no car is in two places."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, lognorm

from agents.mobility import Habits, Mobility, Purpose, drive, simulate
from agents.mobility.wishes import draw_car, lengths_km
from agents.prosumer import charge
from feeders.errors import InputErrors

HABITS = Habits()
YEAR = pd.date_range("2030-01-01", periods=35_040, freq="15min")
SPRING = YEAR[: 120 * 96]
STEP_H = 0.25
N = 120


@pytest.fixture(scope="module")
def outdoor_c() -> np.ndarray:
    """1 to 19 degrees, coldest on the 20th of January."""
    return np.asarray(10 - 9 * np.cos(2 * np.pi * (np.arange(len(YEAR)) * STEP_H / 24 - 20) / 365))


@pytest.fixture(scope="module")
def life(outdoor_c: np.ndarray) -> Mobility:
    return simulate(np.ones(N, dtype=bool), YEAR, 1, outdoor_c=outdoor_c)


def each_car(life: Mobility) -> list[tuple[Any, pd.DataFrame]]:
    return [(life.drivers[int(home)], tours) for home, tours in life.tours.groupby("home")]


def test_a_year_comes_out_and_is_not_set(life: Mobility) -> None:
    """Mean German cars drove 12,320 km in 2023 (Kraftfahrt-Bundesamt), electric ones 14,600 km (MiD 2023).

    At 0.2 kWh a km from the grid that is 2,500 to 2,900 kWh, most of it at home. No parameter gives any of these. The
    mean of 120 cars scatters by some 500 km.
    """
    assert 10_500 < life.tours["km"].sum() / N < 15_500
    assert 1_700 < life.sessions.energy_kwh.sum() / N < 2_700
    moved = life.tours.assign(day=life.tours["departure_h"] // 24).groupby(["home", "day"]).ngroups
    assert 0.25 < 1 - moved / N / 365 < 0.5  # MiD: 40 % of cars stand still in 2017, nearly half in 2023
    assert 2 < len(life.sessions) / N / 52 < 4
    assert life.n_left_out < 0.08 * len(life.tours)


def test_wishes_are_as_frequent_as_their_purposes_say() -> None:
    """By weekday, within 4 standard deviations of the drivers' days; days on which people stay at home are shared."""
    weekday = np.arange(364) % 7
    found: dict[tuple[int, int], int] = {}
    commuters = 0
    for car in range(200):
        driver, wishes = draw_car(HABITS, weekday, 3, str(car))
        commuters += driver.commutes
        # a late shift begins on its day, an early departure may not be before 0 h: the clock tells the day
        days = (wishes.departure_h // 24).astype(int)
        for purpose, day in zip(wishes.purpose.tolist(), days.tolist(), strict=True):
            found[purpose, day % 7] = found.get((purpose, day % 7), 0) + 1
    assert abs(commuters - 200 * HABITS.commuter_share) < 4 * np.sqrt(200 * 0.25)
    for k, purpose in enumerate((HABITS.work, *HABITS.errands)):
        drivers = commuters if k == 0 else 200
        for day, chance in enumerate(purpose.chance):
            expected, sd = drivers * 52 * chance, np.sqrt(drivers * 52 * chance * (1 - chance))
            assert abs(found.get((k, day), 0) - expected) <= 4 * sd


@pytest.mark.parametrize("purpose", HABITS.errands, ids=lambda purpose: purpose.name)
def test_lengths_are_those_of_a_lognormal_that_people_drive(life: Mobility, purpose: Purpose) -> None:
    """Quantiles against scipy's lognormal, cut below 1 km and above the farthest; the sample against both."""
    sigma = np.sqrt(2 * np.log(purpose.mean_km / purpose.median_km))
    whole = lognorm(sigma, scale=purpose.median_km)
    assert whole.mean() == pytest.approx(purpose.mean_km)
    low, high = whole.cdf([HABITS.nearest_km, purpose.farthest_km])
    u = np.linspace(0.01, 0.99, 9)
    np.testing.assert_allclose(lengths_km(HABITS, purpose, u), whole.ppf(low + u * (high - low)), rtol=1e-9)
    km = life.tours.loc[life.tours["purpose"] == purpose.name, "km"] / 2
    assert kstest(km, lambda x: (whole.cdf(x) - low) / (high - low)).pvalue > 1e-3
    mean = quad(lambda x: x * whole.pdf(x), HABITS.nearest_km, purpose.farthest_km, limit=200)[0] / (high - low)
    assert km.mean() == pytest.approx(mean, rel=0.1)


def test_people_go_to_the_same_work_at_their_own_hour(life: Mobility) -> None:
    commuters = 0
    for driver, tours in each_car(life):
        work = tours[tours["purpose"] == "work"]
        assert driver.commutes == bool(len(work))
        if len(work):
            commuters += 1
            assert work["km"].max() - work["km"].min() < 1e-9
            assert work["departure_h"].floordiv(24).astype(int).add(YEAR[0].weekday()).mod(7).lt(5).all()
    assert commuters > 30


def test_no_car_leaves_before_it_is_back_and_sessions_lie_between(life: Mobility) -> None:
    for _, tours in each_car(life):
        next_departure = np.append(tours["departure_h"].to_numpy()[1:], len(YEAR) * STEP_H)
        assert (tours["return_h"] > tours["departure_h"]).all()
        assert (next_departure[:-1] >= tours["return_h"].to_numpy()[:-1]).all()
        plugged = (tours["home_kwh"] > 0).to_numpy()
        rows = tours[plugged]
        assert (rows["arrival_step"] * STEP_H >= rows["return_h"]).all()
        assert (rows["departure_step"] * STEP_H <= next_departure[plugged]).all()
        assert (next_departure[plugged] - rows["return_h"] >= HABITS.shortest_stay_h).all()


def test_batteries_balance(life: Mobility) -> None:
    """Each tour, each stay, each car's whole year; never more than full, never less than what nobody drives below."""
    for driver, tours in each_car(life):
        left, back = tours["energy_departure_kwh"].to_numpy(), tours["energy_return_kwh"].to_numpy()
        driven, away = tours["driven_kwh"].to_numpy(), tours["away_kwh"].to_numpy()
        charged = tours["home_kwh"].to_numpy() * HABITS.efficiency
        np.testing.assert_allclose(back, left - driven + away, rtol=0, atol=1e-9)
        np.testing.assert_allclose(left, np.append(driver.start_kwh, (back + charged)[:-1]), rtol=0, atol=1e-9)
        total = driver.start_kwh + charged.sum() + away.sum() - driven.sum()
        assert total == pytest.approx(back[-1] + charged[-1], abs=1e-8)
        assert max(left.max(), back.max()) <= driver.capacity_kwh + 1e-9
        assert min(left.min(), back.min()) >= HABITS.reserve * driver.capacity_kwh - 1e-9


def test_drivers_plug_in_by_habit_or_need(life: Mobility) -> None:
    """All stays long enough to matter: plugged in if the driver always is, or is low, or lacks for the next tour."""
    seen = {True: 0, False: 0}
    for driver, tours in each_car(life):
        stay = tours["departure_h"].to_numpy()[1:] - tours["return_h"].to_numpy()[:-1]
        energy, plugged = tours["energy_return_kwh"].to_numpy()[:-1], tours["home_kwh"].to_numpy()[:-1] > 0
        next_kwh = tours["driven_kwh"].to_numpy()[1:] + HABITS.reserve * driver.capacity_kwh
        wants = driver.always_plugs | (energy < driver.plug_below_kwh) | (energy < next_kwh)
        matters = (stay > HABITS.shortest_stay_h + 2 * STEP_H) & (energy < driver.capacity_kwh - 1)
        assert (plugged == wants)[matters].all()
        for answer in (True, False):
            seen[answer] += int((plugged == answer)[matters].sum())
    assert min(seen.values()) > 1000


def test_consumption_rises_in_the_cold(life: Mobility, outdoor_c: np.ndarray) -> None:
    """0.165 kWh a km at 20 degrees, 1.25 % more for each kelvin below."""
    step = (life.tours["departure_h"] / STEP_H).astype(int)
    expected = life.tours["km"] * 0.165 * (1 + 0.0125 * (20 - outdoor_c[step]))
    np.testing.assert_allclose(life.tours["driven_kwh"], expected, rtol=1e-12)
    warm = simulate(np.ones(1, dtype=bool), SPRING, 1, outdoor_c=np.full(len(SPRING), 30.0)).tours
    np.testing.assert_allclose(warm["driven_kwh"], warm["km"] * 0.165, rtol=1e-12)


def test_without_a_cap_everybody_gets_what_they_ask_for(life: Mobility) -> None:
    asks = life.sessions
    found = charge(asks, np.full(N, 11.0), np.full(len(YEAR), np.inf))
    assert (found.n_missed.sum(), found.owed_kwh_end.max(), found.delay_h.max()) == (0, 0, 0)


def test_a_seed_is_a_population_and_a_car_is_its_own() -> None:
    """The same car alone, beside others, in another column, and over a shorter time."""
    names = ["a", "b", "c"]

    def tours_of_b(has_car: list[bool], names: list[str], seed: int = 7, times: pd.DatetimeIndex = SPRING) -> Any:
        life = simulate(np.array(has_car), times, seed, names=names)
        return life.tours[life.tours["home"] == names.index("b")].drop(columns="home").reset_index(drop=True)

    b = tours_of_b([True, True, True], names)
    pd.testing.assert_frame_equal(b, tours_of_b([True, True, True], names))
    pd.testing.assert_frame_equal(b, tours_of_b([False, True, False], names))
    pd.testing.assert_frame_equal(b, tours_of_b([True, True], ["b", "a"]))
    assert not b["km"].equals(tours_of_b([True, True, True], names, seed=8)["km"])
    short = tours_of_b([True, True, True], names, times=SPRING[: 60 * 96])
    assert len(short) > 20
    pd.testing.assert_frame_equal(b.iloc[: len(short) - 1], short.iloc[:-1])  # its last stay ends with the time
    life = simulate(np.ones(2, dtype=bool), SPRING, 7)
    first, second = (life.tours.loc[life.tours["home"] == home, "departure_h"].to_numpy() for home in (0, 1))
    assert not np.isin(first, second).any()


def test_chargers_at_work_spare_those_at_home() -> None:
    at_work = replace(HABITS, commuter_share=1.0, work_charger_share=1.0)
    cars = np.ones(10, dtype=bool)
    with_it, without = (
        simulate(cars, SPRING, 2, habits) for habits in (at_work, replace(at_work, work_charger_share=0.0))
    )
    assert with_it.sessions.energy_kwh.sum() < without.sessions.energy_kwh.sum()
    assert with_it.tours["km"].sum() == without.tours["km"].sum()


def test_homes_without_a_car_have_no_sessions_and_slow_chargers_ask_for_less() -> None:
    asks = drive(np.array([False, True]), SPRING, 4, charger_kw=np.array([0.0, 3.7]))
    assert set(asks.home.tolist()) == {1}
    assert (asks.energy_kwh <= 3.7 * STEP_H * (asks.departure_step - asks.arrival_step) + 1e-9).all()
    assert len(drive(np.zeros(2, dtype=bool), SPRING, 4)) == 0


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "seed": ({"seed": -1}, "seed: -1 is not allowed; allowed: 0 or more"),
    "names twice": ({"names": ["a", "a"]}, "names: '1 different names' is not allowed; allowed: one per home, 2"),
    "no charger": ({"charger_kw": np.array([11.0, 0.0])}, "charger_kw[1]: 0.0 is not allowed; allowed: more than 0"),
    "chargers": ({"charger_kw": np.ones(3)}, "charger_kw: (3,) is not allowed; allowed: one value per home, 2"),
    "temperature": ({"outdoor_c": np.full(len(SPRING), np.nan)}, "outdoor_c"),
    "uneven": (
        {"times": SPRING.delete(5)},
        "times: '11519 steps from 2030-01-01 00:00:00 on' is not allowed; allowed: two or",
    ),
    "not from midnight": ({"times": SPRING[1:]}, "from a midnight on"),
    "clock changes": (
        {"times": pd.date_range("2030-01-01", periods=len(SPRING), freq="15min", tz="Europe/Berlin")},
        "evenly spaced",
    ),
}


@pytest.mark.parametrize(("changes", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_nobody_can_live_by_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputErrors) as refused:
        simulate(**{"has_car": np.ones(2, dtype=bool), "times": SPRING, "seed": 1, **changes})
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"commuter_share": 1.2}, "commuter_share: 1.2 is not allowed; allowed: 0 to 1"),
        ({"efficiency": 0.0}, "efficiency: 0.0 is not allowed; allowed: more than 0 to 1"),
        ({"shortest_stay_h": -1.0}, "shortest_stay_h: -1.0 is not allowed; allowed: 0 or more"),
        ({"capacity_share": (0.5, 0.5)}, "capacity_share: (0.5, 0.5) is not allowed; allowed: 3 shares, 1 in all"),
        ({"nearest_km": 500.0}, "nearest_km: 500.0 is not allowed; allowed: below 100"),
        ({"idle_share": 0.9}, "idle_share: 0.9 is not allowed; allowed: at most"),
    ],
)
def test_habits_of_nobody_are_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputErrors) as refused:
        replace(HABITS, **changes)
    assert complaint in str(refused.value)


def test_purposes_of_nobody_are_refused() -> None:
    with pytest.raises(InputErrors) as refused:
        Purpose("nap", 0.9, (0.0,) * 6 + (7.0,), 1.0, 2.0, 12.0, 0.0, 1.0, -1.0)
    assert [error.field for error in refused.value.errors] == [
        "departure_sd_h",
        "mean_km",
        "stay_spread",
        "tours_per_day",
    ]
