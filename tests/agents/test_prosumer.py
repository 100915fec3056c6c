"""The prosumer as an agent: what it knows when it plans, what it does with its plan, and without one."""

from __future__ import annotations

import mesa
import numpy as np
import pytest

from agents.prosumer import (
    ArbitragePlanner,
    Assets,
    Battery,
    Horizon,
    PerfectForecast,
    Plan,
    Population,
    Prosumer,
    Signals,
    Status,
    VoltageBand,
    Window,
)

N_STEPS = 8
STEP_H = 0.25


def home(**columns: float) -> Prosumer:
    """A home with a lossless 2 kWh battery of 4 kW, half full."""
    values = {
        "energy_min_kwh": 0.0,
        "energy_max_kwh": 2.0,
        "energy_start_kwh": 1.0,
        "p_charge_max_kw": 4.0,
        "p_discharge_max_kw": 4.0,
        "efficiency_charge": 1.0,
        "efficiency_discharge": 1.0,
        "inverter_kva": 5.0,
        "pf_min": 0.0,
        **columns,
    }
    arrays = {name: np.array([value]) for name, value in values.items()}
    owned = Assets(
        ids=["home"], bus=[4], rule=["none"], band=[VoltageBand()], optimise=np.ones(1, dtype=bool), **arrays
    )
    return Prosumer(mesa.Model(rng=1), Population(owned), 0)


def world() -> Signals:
    """Energy costs 0.1 in the first four steps and 0.3 in the last four; 1 kW of load, 0.2 kW of it flexible."""
    ones = np.ones((N_STEPS, 1))
    price = np.repeat([0.1, 0.3], 4)[:, None]
    return Signals(
        p_load_kw=0.8 * ones,
        q_load_kvar=0 * ones,
        p_pv_kw=0 * ones,
        p_flexible_kw=0.2 * ones,
        p_flexible_min_kw=0 * ones,
        p_flexible_max_kw=0.4 * ones,
        price_buy=price,
        price_sell=price.copy(),
    )


def window(now: int, refill: bool = False) -> Window:
    return Window(now, N_STEPS, N_STEPS, STEP_H, refill)


def live(prosumer: Prosumer, signals: Signals, now: int, obeyed: bool = True) -> tuple[float, float]:
    """One market step; battery power and flexible load as planned. `obeyed` lets them run that way."""
    population = prosumer.population
    population.begin(signals, now, STEP_H)
    prosumer.plan(PerfectForecast(signals), signals, window(now))
    planned = (prosumer.p_battery_plan_kw, prosumer.p_flexible_kw)
    population.p_battery_kw[:] = prosumer.p_battery_plan_kw if obeyed else 0.0
    population.deliver(STEP_H)
    return planned


def test_what_an_agent_says_of_itself() -> None:
    prosumer = home(efficiency_charge=0.9, efficiency_discharge=0.8, energy_min_kwh=0.5)
    assert (prosumer.name, prosumer.bus) == ("home", 4)
    assert prosumer.battery == Battery(
        energy_min_kwh=0.5,
        energy_max_kwh=2.0,
        p_charge_max_kw=4.0,
        p_discharge_max_kw=4.0,
        efficiency_charge=0.9,
        efficiency_discharge=0.8,
    )


def test_cheap_energy_is_bought_and_dear_energy_sold() -> None:
    # Lossless, 1 kWh of room and the whole battery to sell: +1 kWh in the cheap half, -2 kWh in the dear one.
    # All flexible load, 8 * 0.05 = 0.4 kWh, runs in the cheap half at its bound, 0.4 kW.
    prosumer, signals = home(), world()
    battery, flexible = zip(*(live(prosumer, signals, now) for now in range(N_STEPS)), strict=True)
    assert STEP_H * sum(battery[:4]) == pytest.approx(1.0, abs=1e-9)
    assert STEP_H * sum(battery[4:]) == pytest.approx(-2.0, abs=1e-9)
    assert flexible == pytest.approx([0.4] * 4 + [0.0] * 4, abs=1e-9)
    assert prosumer.flexible_owed_kwh == pytest.approx(0.0, abs=1e-9)
    assert prosumer.status == 0


def count_plans(monkeypatch: pytest.MonkeyPatch) -> list[Horizon]:
    """The horizons of the plans that are made from now on."""
    made: list[Horizon] = []
    plan = ArbitragePlanner.plan

    def counted(planner: ArbitragePlanner, horizon: Horizon, ties: np.ndarray | None = None) -> Plan:
        made.append(horizon)
        return plan(planner, horizon, ties)

    monkeypatch.setattr(ArbitragePlanner, "plan", counted)
    return made


def test_a_plan_that_came_true_is_followed_and_another_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    made = count_plans(monkeypatch)
    prosumer, signals = home(), world()
    for now in range(N_STEPS):
        live(prosumer, signals, now)
    assert len(made) == 1
    made.clear()
    hindered = home()
    moved = [live(hindered, signals, now, obeyed=False)[0] != 0.0 for now in range(N_STEPS)]
    # The plan is made again exactly where the battery did not do as it said.
    assert len(made) == 1 + sum(moved[:-1])
    assert any(moved)


def test_what_is_known_when_planning() -> None:
    prosumer, signals = home(), world()
    signals.p_pv_kw[:, 0] = np.arange(N_STEPS)
    signals.price_sell[:] -= 0.05
    prosumer.energy_kwh = 0.7
    for now in range(3):
        prosumer.population.begin(signals, now, STEP_H)
    forecast = PerfectForecast(signals)
    horizon = prosumer.horizon(forecast, signals, Window(2, 6, N_STEPS, STEP_H, refill=False))
    assert horizon.price_buy.tolist() == [0.1, 0.1, 0.3, 0.3]
    assert horizon.price_sell == pytest.approx([0.05, 0.05, 0.25, 0.25], abs=1e-15)
    assert horizon.p_net_kw == pytest.approx([0.8 - 2, 0.8 - 3, 0.8 - 4, 0.8 - 5], abs=1e-15)
    assert horizon.flexible_min_kw.tolist() == [0.0] * 4
    assert horizon.flexible_max_kw.tolist() == [0.4] * 4
    assert horizon.energy_start_kwh == 0.7
    # Steps 0, 1 and 2 owe 0.05 kWh each and nothing was delivered; 3, 4 and 5 are ahead.
    assert horizon.flexible_energy_kwh == pytest.approx(6 * 0.05, abs=1e-15)
    assert horizon.energy_end_min_kwh is None
    refilled = prosumer.horizon(forecast, signals, Window(2, 6, N_STEPS, STEP_H, refill=True))
    assert refilled.energy_end_min_kwh == 1.0  # what it had when the run began, not what it has now


def test_without_a_plan_it_is_idle_and_says_so() -> None:
    # 100 kWh of flexible energy do not fit into two hours at 0.4 kW.
    prosumer, signals = home(), world()
    prosumer.flexible_owed_kwh = 100.0
    assert live(prosumer, signals, 0) == (0.0, 0.2)
    assert prosumer.status == Status.PLAN_KEPT


def test_the_last_plan_is_followed_where_none_can_be_made() -> None:
    undisturbed, signals = home(), world()
    expected = [live(undisturbed, signals, now) for now in range(3)]
    prosumer = home()
    assert live(prosumer, signals, 0) == expected[0]
    prosumer.flexible_owed_kwh += 100.0
    assert live(prosumer, signals, 1) == expected[1]
    assert prosumer.status == Status.PLAN_KEPT
    prosumer.flexible_owed_kwh -= 100.0
    assert live(prosumer, signals, 2) == pytest.approx(expected[2], abs=1e-9)
    assert prosumer.status == 0


def test_regulate_changes_nothing_unless_overridden() -> None:
    prosumer = home()
    prosumer.population.state[:] = np.random.default_rng(1).random(prosumer.population.state.shape)
    before = prosumer.population.state.copy()
    prosumer.regulate(0.5, STEP_H)
    assert np.array_equal(prosumer.population.state, before)
