"""The battery: what its ratings allow, and that energy is neither made nor lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prosumer.battery import Battery
from agents.prosumer.correction import energy_after, reachable_power
from feeders.errors import InputError

RATINGS = {
    "energy_min_kwh": 0.2,
    "energy_max_kwh": 2.0,
    "p_charge_max_kw": 1.0,
    "p_discharge_max_kw": 2.0,
    "efficiency_charge": 0.8,
    "efficiency_discharge": 0.5,
}


def reach(energy_kwh: float, step_h: float, **ratings: float) -> tuple[float, float]:
    columns: dict[str, Any] = {name: np.array([value]) for name, value in (RATINGS | ratings).items()}
    lo, hi = reachable_power(np.array([energy_kwh]), step_h, **columns)
    return float(lo[0]), float(hi[0])


def test_a_c_rate_says_in_how_many_hours_it_fills_and_empties() -> None:
    # 0.5C-0.25C of 4 kWh: full after 2 h at 2 kW, empty after 4 h at 1 kW.
    battery = Battery.from_c_rate(4.0, 0.5, 0.25, efficiency_charge=0.9, efficiency_discharge=0.8)
    assert battery == Battery(0.0, 4.0, 2.0, 1.0, 0.9, 0.8)


@pytest.mark.parametrize(
    ("energy_kwh", "step_h", "lowest_kw", "highest_kw"),
    [
        # Far from both ends the ramps bind: 1 kW into the store is 1 / 0.8 at the meter, 2 kW out of it 2 * 0.5.
        (1.0, 0.1, -1.0, 1.25),
        # 0.05 kWh of room in 0.1 h is 0.5 kW into the store.
        (1.95, 0.1, -1.0, 0.625),
        # 0.1 kWh of stock in 0.1 h is 1 kW out of the store.
        (0.3, 0.1, -0.5, 1.25),
        (2.0, 0.1, -1.0, 0.0),
        (0.2, 0.1, 0.0, 1.25),
        # A hair outside: rest is possible, further out is not.
        (2.0 + 1e-12, 0.1, -1.0, 0.0),
        (0.2 - 1e-12, 0.1, 0.0, 1.25),
    ],
)
def test_reachable_power_by_hand(energy_kwh: float, step_h: float, lowest_kw: float, highest_kw: float) -> None:
    assert reach(energy_kwh, step_h) == pytest.approx((lowest_kw, highest_kw), rel=1e-12, abs=1e-15)


def test_no_battery_reaches_nothing() -> None:
    assert reach(0.0, 1 / 60, energy_min_kwh=0.0, energy_max_kwh=0.0) == (0.0, 0.0)


def test_energy_after_by_hand() -> None:
    # 1 kW for half an hour: 0.8 of 0.5 kWh arrive; to deliver 0.5 kWh takes 1 kWh from the store.
    before, power = np.array([1.0, 1.0, 1.0]), np.array([1.0, 0.0, -1.0])
    after = energy_after(before, power, 0.5, np.full(3, 0.8), np.full(3, 0.5))
    assert after == pytest.approx([1.4, 1.0, 0.0], abs=1e-15)
    assert before.tolist() == [1.0, 1.0, 1.0]


@given(
    capacity=st.sampled_from([0.0, 0.1, 2.0, 13.5, 1000.0]),
    floor=st.floats(0, 1),
    rates=st.tuples(st.floats(0, 60), st.floats(0, 60)),
    efficiencies=st.tuples(st.floats(0.05, 1), st.floats(0.05, 1)),
    start=st.floats(0, 1),
    wishes=st.lists(st.floats(-1, 1), min_size=1, max_size=200),
)
def test_however_it_is_driven_energy_stays_in_bounds_and_the_ledger_closes(
    capacity: float,
    floor: float,
    rates: tuple[float, float],
    efficiencies: tuple[float, float],
    start: float,
    wishes: list[float],
) -> None:
    step_h = 1 / 60
    battery = Battery.from_c_rate(
        capacity,
        *rates,
        energy_min_kwh=floor * capacity,
        efficiency_charge=efficiencies[0],
        efficiency_discharge=efficiencies[1],
    )
    ratings: dict[str, Any] = {name: np.array([value]) for name, value in vars(battery).items()}
    energy = first = ratings["energy_min_kwh"] + start * (ratings["energy_max_kwh"] - ratings["energy_min_kwh"])
    stored = 0.0
    for wish in wishes:
        lo, hi = reachable_power(energy, step_h, **ratings)
        assert lo <= 0 <= hi
        power = hi * wish if wish > 0 else -lo * wish
        energy = energy_after(energy, power, step_h, ratings["efficiency_charge"], ratings["efficiency_discharge"])
        stored += step_h * float((np.maximum(power, 0) * efficiencies[0] + np.minimum(power, 0) / efficiencies[1])[0])
        # One rounding of the largest number at hand, and no accumulation of them.
        assert battery.energy_min_kwh - 1e-15 * capacity * 4 <= energy[0]
        assert energy[0] <= battery.energy_max_kwh + 1e-15 * capacity * 4
    assert float((energy - first)[0]) == pytest.approx(stored, rel=0, abs=1e-12 * max(capacity, 1.0))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("energy_min_kwh", -0.1),
        ("energy_min_kwh", 2.1),
        ("energy_max_kwh", np.inf),
        ("energy_max_kwh", np.nan),
        ("p_charge_max_kw", -1.0),
        ("p_charge_max_kw", np.nan),
        ("p_discharge_max_kw", np.inf),
        ("efficiency_charge", 0.0),
        ("efficiency_charge", 1.01),
        ("efficiency_discharge", np.nan),
    ],
)
def test_ratings_that_no_battery_has_are_refused(field: str, value: float) -> None:
    with pytest.raises(InputError, match=field):
        Battery(**(RATINGS | {field: value}))
