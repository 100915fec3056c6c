"""Self-discharge: the exact solution over any step, within bounds, and in balance with what goes in and out."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from agents.prosumer import Battery, Population
from agents.prosumer.correction import energy_after, reachable_power
from agents.prosumer.reach import battery_row, end_limits
from agents.prosumer.self_discharge import decay, energies_after
from feeders.errors import InputError
from tests.agents.test_planning import assets

STEP_H = 0.25

rates = st.one_of(st.just(0.0), st.floats(1e-9, 0.1), st.floats(0.1, 0.99))


def after(battery: Battery, energy_kwh: float, power_kw: float, step_h: float) -> float:
    """One step of the battery's own arithmetic."""
    efficiencies = np.array([battery.efficiency_charge]), np.array([battery.efficiency_discharge])
    of_decay = np.array([battery.self_discharge_per_h]), np.array([battery.energy_min_kwh])
    return float(energy_after(np.array([energy_kwh]), np.array([power_kw]), step_h, *efficiencies, *of_decay)[0])


@pytest.mark.parametrize(("rate", "power_kw"), [(0.002, 1.0), (0.01, -0.3), (0.1, 0.0), (0.9, 3.0)])
def test_a_step_is_the_solution_of_the_differential_equation(rate: float, power_kw: float) -> None:
    """Against a Runge-Kutta method held to 1e-12."""
    battery = Battery(0.5, 4.0, 4.0, 4.0, 1.0, 1.0, rate)
    found = solve_ivp(
        lambda _, e: power_kw + np.log(1 - rate) * (e - 0.5), (0, 0.75), [2.0], method="DOP853", rtol=1e-12, atol=1e-12
    )
    assert after(battery, 2.0, power_kw, 0.75) == pytest.approx(float(found.y[0, -1]), rel=1e-10)


def test_a_step_by_hand() -> None:
    """A rate of 0.19 keeps 0.9 over half an hour; ln(1/0.81) = 0.2107 an hour; 0.1 / 0.2107 = 0.4746 kWh a kW."""
    lost, gain = decay(0.19, 0.5)
    assert (lost, gain) == pytest.approx((0.1, 0.1 / np.log(1 / 0.81)), rel=1e-14)
    # 2 kW at the AC side are 1.6 kW into the store; of the 1 kWh above the least energy 0.9 is left.
    assert after(Battery(0.5, 4.0, 2.0, 2.0, 0.8, 0.9, 0.19), 1.5, 2.0, 0.5) == pytest.approx(
        1.4 + 1.6 * gain, rel=1e-14
    )


@given(st.floats(1e-300, 1e-7), st.sampled_from([1 / 60, 0.25, 1.0]))
def test_small_rates_are_no_rounding(rate: float, step_h: float) -> None:
    """To first order the share lost is rate * h, and half of that is missing from what is gained; errors of rate^2."""
    lost, gain = decay(rate, step_h)
    assert lost == pytest.approx(rate * step_h, rel=1e-6, abs=2e-16)
    assert gain == pytest.approx(step_h * (1 - rate * step_h / 2), rel=1e-13)


@given(rates, st.floats(-3, 3), st.integers(1, 60))
def test_many_short_steps_are_one_long_one(rate: float, power_kw: float, n: int) -> None:
    """Each of n roundings is some 1e-16 of 10 kWh."""
    battery = Battery(0.5, 10.0, 4.0, 4.0, 0.9, 0.8, rate)
    whole, energy = after(battery, 5.0, power_kw, STEP_H), 5.0
    for _ in range(n):
        energy = after(battery, energy, power_kw, STEP_H / n)
    assert energy == pytest.approx(whole, rel=0, abs=1e-13)


@given(rates, st.integers(1, 30))
def test_the_energies_of_a_plan_are_those_of_the_battery(rate: float, n: int) -> None:
    rng = np.random.default_rng(n)
    battery = Battery(0.5, 10.0, 4.0, 4.0, 0.9, 0.8, rate)
    stored = rng.uniform(-1, 1, n)
    found, energy = energies_after(5.0, stored, STEP_H, battery_row(battery)), 5.0
    for step in range(n):
        power = stored[step] / 0.9 if stored[step] > 0 else stored[step] * 0.8
        energy = after(battery, energy, float(power), STEP_H)
        assert found[step] == pytest.approx(energy, rel=0, abs=1e-13)


def test_an_idle_day_leaves_the_rate_to_the_power_of_24() -> None:
    rate = np.linspace(0, 0.3, 12)
    owned = replace(assets(12), self_discharge_per_h=rate)
    population = Population(owned)
    for _ in range(24 * 60):
        population.deliver(1 / 60)
    above = owned.energy_start_kwh - owned.energy_min_kwh
    assert population.energy_kwh == pytest.approx(owned.energy_min_kwh + (1 - rate) ** 24 * above, rel=1e-12)


@given(
    rate=rates,
    floor=st.floats(0, 1),
    ramps=st.tuples(st.floats(0, 60), st.floats(0, 60)),
    start=st.floats(0, 1),
    wishes=st.lists(st.floats(-1, 1), min_size=1, max_size=100),
    step_h=st.sampled_from([1 / 60, 0.25]),
)
def test_however_it_is_driven_energy_stays_in_bounds_and_rest_is_possible(
    rate: float, floor: float, ramps: tuple[float, float], start: float, wishes: list[float], step_h: float
) -> None:
    battery = Battery(2 * floor, 2.0, *ramps, 0.9, 0.8, rate)
    ratings = {name: np.array([value]) for name, value in vars(battery).items()}
    energy = battery.energy_min_kwh + start * (2.0 - battery.energy_min_kwh)
    for wish in wishes:
        lo, hi = (float(bound[0]) for bound in reachable_power(np.array([energy]), step_h, **ratings))
        assert lo <= 0 <= hi
        assert hi <= ramps[0] / 0.9 * (1 + 1e-15) and lo >= -ramps[1] * 0.8 * (1 + 1e-15)
        energy = after(battery, energy, hi * wish if wish > 0 else -lo * wish, step_h)
        assert battery.energy_min_kwh - 1e-14 <= energy <= 2.0 + 1e-14
    # What is said to be reachable is reached: the ramp, or the bound itself.
    lo, hi = (float(bound[0]) for bound in reachable_power(np.array([energy]), step_h, **ratings))
    assert hi == pytest.approx(ramps[0] / 0.9, rel=1e-12) or after(battery, energy, hi, step_h) == pytest.approx(2.0)
    low = after(battery, energy, lo, step_h)
    assert lo == pytest.approx(-ramps[1] * 0.8, rel=1e-12) or low == pytest.approx(battery.energy_min_kwh, abs=1e-13)


@given(rates, st.floats(0, 2), st.floats(0, 2), st.floats(0, 1), st.integers(1, 96))
def test_what_can_be_reached_at_the_end_is_what_full_power_reaches_step_by_step(
    rate: float, charge_kw: float, discharge_kw: float, start: float, n: int
) -> None:
    battery = Battery(0.5, 4.0, charge_kw, discharge_kw, 1.0, 1.0, rate)
    ratings = {name: np.array([value]) for name, value in vars(battery).items()}
    first = low = high = 0.5 + 3.5 * start
    for _ in range(n):
        low = after(battery, low, float(reachable_power(np.array([low]), STEP_H, **ratings)[0][0]), STEP_H)
        high = after(battery, high, float(reachable_power(np.array([high]), STEP_H, **ratings)[1][0]), STEP_H)
    assert end_limits(n * STEP_H, first, battery_row(battery)) == pytest.approx((low, high), rel=0, abs=1e-11)


@pytest.mark.parametrize("rate", [-1e-9, 1.0, np.nan])
def test_a_rate_that_no_battery_has_is_refused(rate: float) -> None:
    with pytest.raises(InputError, match=r"self_discharge_per_h.*>= 0 and < 1"):
        Battery(0.0, 1.0, 1.0, 1.0, 0.9, 0.9, rate)


def test_a_row_of_numbers_is_the_battery_in_its_order() -> None:
    battery = Battery.from_c_rate(
        4.0, 0.5, 0.25, efficiency_charge=0.9, efficiency_discharge=0.8, self_discharge_per_h=0.01
    )
    assert tuple(battery_row(battery)) == astuple(battery) == (0.0, 4.0, 2.0, 1.0, 0.9, 0.8, 0.01)
