"""Schedules that can be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from agents.facility import (
    PLANTS,
    AbsorptionChiller,
    Boiler,
    ElectricChiller,
    Ends,
    Fuel,
    Objective,
    Plant,
    SolarPower,
    SolarThermal,
    baseline,
)
from tests.agents.facility_cases import COLD, COOLED, check, needs, planner, powered, terms, with_store

EMPTY = {"cold": Ends(0.0)}


def test_a_store_without_loss_moves_what_it_holds_to_the_cheap_step() -> None:
    """20 kW of cooling in both hours, COP 2: 10 kWh are made ahead, so 15 + 1 and 5 + 1 kW are drawn."""
    need = needs(2, electric_kw=1.0, cooling_kw=20.0)
    one = planner(COOLED, need, ends=EMPTY)
    schedule = one.plan(terms([0.1, 0.2]))
    check(schedule)
    assert schedule.p_kw == pytest.approx([16.0, 6.0], abs=1e-9)
    assert schedule.stores["cold"].energy_kwh == pytest.approx([0.0, 10.0, 0.0], abs=1e-9)
    assert one.costs(schedule, terms([0.1, 0.2])).total == pytest.approx(16 * 0.1 + 6 * 0.2, abs=1e-9)


@pytest.mark.parametrize(("dear", "stored"), [(0.1234, False), (0.1236, True)])
def test_a_store_with_losses_waits_for_a_price_that_pays_for_them(dear: float, stored: bool) -> None:
    """0.9 in, 0.9 out, and a decay that bites only from step to step: pays where 0.1 < 0.81 * dear = 0.12346 * 0.81."""
    plant = with_store(efficiency_charge=0.9, efficiency_discharge=0.9)
    schedule = planner(plant, needs(2, cooling_kw=20.0), ends=EMPTY).plan(terms([0.1, dear]))
    check(schedule)
    assert (schedule.stores["cold"].energy_kwh[1] > 1.0) == stored


def test_a_store_that_decays_is_filled_in_the_last_cheap_steps() -> None:
    """10 kWh after losses of 1 %/h, at most 4 kWh an hour: the last two hours at full power, the rest just before.

    A kWh that is kept for k hours costs 0.1 / 0.99**k, less than 0.3: all is made ahead.
    """
    plant = replace(with_store(decay_per_h=0.01, capacity_kwh=11.0), chiller=ElectricChiller(4.0, 2.0))
    need = needs(8, cooling_kw=[0, 0, 0, 0, 0, 0, 0, 10.0])
    schedule = planner(plant, need, ends=EMPTY).plan(terms([0.1] * 7 + [0.3]))
    check(schedule)
    made = schedule.flows.chiller_kw
    third = (10.0 / 0.99 - 4.0 - 4.0 * 0.99) / 0.99**2
    assert made == pytest.approx([0, 0, 0, 0, third, 4.0, 4.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(("rate", "step_h", "decay"), [(0.17, 0.25, 0.0), (0.23, 0.25, 0.01), (0.3, 1.0, 0.05)])
def test_the_charge_that_a_share_of_the_room_allows_fills_exponentially(
    rate: float, step_h: float, decay: float
) -> None:
    """From empty at full power: s_next = (1 - decay)**h * s + h * rate * (cap - s), a geometric approach."""
    n = 10
    plant = with_store(
        capacity_kwh=1000.0, charge_rate_per_h=rate, decay_per_h=decay, efficiency_charge=0.9, discharge_rate_per_h=10.0
    )
    plant = replace(plant, chiller=ElectricChiller(5000.0, 5.0))
    load = np.append(np.zeros(n), 5000.0)  # more than the store can hold, and dear
    price = np.append(np.full(n, 0.01), 10.0)
    schedule = planner(plant, needs(n + 1, step_h, cooling_kw=load), ends={"cold": Ends(0.0, "free")}).plan(
        terms(price, step_h=step_h)
    )
    check(schedule)
    shrink = (1 - decay) ** step_h - rate * step_h
    limit = rate * step_h * 1000.0 / (1 - shrink)
    assert schedule.stores["cold"].energy_kwh[:-1] == pytest.approx(limit * (1 - shrink ** np.arange(n + 1)), abs=1e-6)


def test_one_sun_plaza_needs_hours_to_fill() -> None:
    """ln(0.99 / (1 - S)) / rate from 1 %, without decay: 4 h to one half; quarter hours are 2 % fast at 0.17 / h."""
    plant = replace(PLANTS["One Sun Plaza"], pv=None)
    store = plant.cold
    assert store is not None
    lossless = replace(store, decay_per_h=0.0, efficiency_charge=1.0, efficiency_discharge=1.0)
    n = 16
    need = needs(n + 12, 0.25, cooling_kw=np.append(np.zeros(n), np.full(12, 2900.0)))
    plant = replace(plant, chiller=ElectricChiller(3000.0, 5.5))  # its own 2110 kW would hold up the first half hour
    ends = {"cold": Ends(lossless.energy_min_kwh, "free")}
    schedule = planner(replace(plant, cold=lossless), need, ends=ends).plan(
        terms(np.append(np.full(n, 0.01), np.full(12, 1.0)), step_h=0.25)
    )
    share = schedule.stores["cold"].energy_kwh[n] / lossless.capacity_kwh
    assert np.log(0.99 / (1 - share)) / 0.17 == pytest.approx(4.0, rel=0.03)
    assert share == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("windows", [[[1, 1, 1, 1]], [[1, 1, 0, 0], [0, 0, 1, 1]]])
def test_a_demand_charge_is_flattened_by_a_store_without_loss(windows: list[list[int]]) -> None:
    """0, 20, 0, 16 kW of cooling at COP 1: mean power of each window's two hours is its least peak."""
    plant = replace(COOLED, chiller=ElectricChiller(100.0, 1.0), cold=replace(COLD, capacity_kwh=50.0))
    need = needs(4, cooling_kw=[0.0, 20.0, 0.0, 16.0])
    tariff = terms([0.1] * 4, windows=windows, demand=[2.0, 1.0][: len(windows)])
    one = planner(plant, need, ends=EMPTY)
    schedule = one.plan(tariff)
    check(schedule)
    # From empty the first two hours need 20 kWh, so the peak is 10 at least; the others have 16 left, 8 each.
    peaks = [10.0, 8.0][: len(windows)]
    for window, peak in zip(windows, peaks, strict=True):
        assert schedule.p_kw[np.array(window, dtype=bool)].max() == pytest.approx(peak, abs=1e-9)
    for_peaks = np.dot([2.0, 1.0][: len(peaks)], peaks)
    assert one.costs(schedule, tariff).electricity == pytest.approx(0.1 * 36 + for_peaks, abs=1e-9)


def test_demand_windows_come_and_go_without_a_trace() -> None:
    need = needs(4, cooling_kw=[0.0, 20.0, 0.0, 16.0])
    flat, charged = terms([0.1, 0.1, 0.2, 0.2]), terms([0.1, 0.1, 0.2, 0.2], windows=[[1, 1, 1, 1]], demand=[2.0])
    other = terms([0.1, 0.1, 0.2, 0.2], windows=[[1, 1, 0, 0], [0, 0, 1, 1]], demand=[2.0, 2.0])
    one = planner(COOLED, need, ends=EMPTY)
    for tariff in (flat, charged, flat, other, charged, flat):
        cost = one.costs(one.plan(tariff), tariff).total
        fresh = planner(COOLED, need, ends=EMPTY)
        assert cost == pytest.approx(fresh.costs(fresh.plan(tariff), tariff).total, abs=1e-9)


@pytest.mark.parametrize(("may_export", "p_kw"), [(False, [0.0, 3.0]), (True, [-6.0, 3.0])])
def test_surplus_is_curtailed_or_sold(may_export: bool, p_kw: list[float]) -> None:
    need = needs(2, electric_kw=[4.0, 3.0], pv_per_kw=[1.0, 0.0])
    one = planner(Plant(pv=SolarPower(10.0)), need, may_export=may_export)
    tariff = terms([0.1, 0.1], sell=0.05)
    schedule = one.plan(tariff)
    check(schedule)
    assert schedule.p_kw == pytest.approx(p_kw, abs=1e-9)
    assert one.costs(schedule, tariff).total == pytest.approx(0.3 - (0.05 * 6 if may_export else 0.0), abs=1e-9)


def test_heat_comes_from_the_sun_first_and_what_is_too_much_is_left() -> None:
    plant = Plant(solar=SolarThermal(10.0), boiler=Boiler(20.0, 0.8))
    one = planner(plant, needs(3, heat_kw=6.0, solar_per_kw=[0.0, 0.3, 1.0]), fuel=Fuel(0.04, 0.2))
    tariff = terms([0.1] * 3)
    schedule = one.plan(tariff)
    check(schedule)
    assert schedule.flows.boiler_kw == pytest.approx([6.0, 3.0, 0.0], abs=1e-9)
    costs = one.costs(schedule, tariff)
    assert (costs.gas, costs.co2_kg) == pytest.approx((9 / 0.8 * 0.04, 9 / 0.8 * 0.2), abs=1e-9)


def test_solar_heat_drives_the_absorption_chiller() -> None:
    """14 kW of sun at COP 0.7 are 9.8 of 12 kW; the electric chiller makes the rest at COP 2."""
    plant = Plant(solar=SolarThermal(14.0), absorption=AbsorptionChiller(50.0, 0.7), chiller=ElectricChiller(50.0, 2.0))
    schedule = planner(plant, needs(1, cooling_kw=12.0, solar_per_kw=1.0)).plan(terms([0.1]))
    check(schedule)
    assert (schedule.flows.absorption_kw[0], schedule.p_kw[0]) == pytest.approx((9.8, 1.1), abs=1e-9)


@pytest.mark.parametrize(
    ("heat_kw", "price", "made"),
    [
        # A kWh costs 0.04 / 0.4 + 0.01 = 0.11, less 0.04 / 0.8 for a kWh of the boiler's heat where heat is needed.
        (0.0, 0.109, 0.0),
        (0.0, 0.111, 10.0),
        (10.0, 0.059, 0.0),
        (10.0, 0.061, 10.0),
    ],
)
def test_an_engine_runs_where_its_heat_makes_it_pay(heat_kw: float, price: float, made: float) -> None:
    one = planner(powered(), needs(1, electric_kw=20.0, heat_kw=heat_kw), fuel=Fuel(0.04, 0.2), commitment=None)
    schedule = one.plan(terms([price]))
    check(schedule)
    assert schedule.flows.generator_kw[0] == pytest.approx(made, abs=1e-9)
    assert schedule.flows.dump_kw[0] == pytest.approx(max(0.0, made - heat_kw), abs=1e-9)


def test_least_co2_follows_the_grid_and_not_the_price() -> None:
    """The dear hour is the clean one: with weight 1 the store charges in the first, with 0 in the second."""
    need = needs(4, cooling_kw=[0.0, 0.0, 0.0, 20.0])
    grid, tariff = np.array([1.0, 0.1, 1.0, 1.0]), terms([0.1, 0.2, 0.3, 0.3])
    for weight, charged in ((1.0, 0), (0.0, 1)):
        one = planner(COOLED, need, ends=EMPTY, objective=Objective(weight, grid_co2_kg_per_kwh=grid))
        schedule = one.plan(tariff)
        assert schedule.stores["cold"].charge_kw[charged] == pytest.approx(10.0, abs=1e-9)
        # 10 kWh of cooling ahead and 10 as they come, at COP 2.
        assert one.costs(schedule, tariff).co2_kg == pytest.approx(5 * grid[charged] + 5.0, abs=1e-9)


def test_the_weighted_sum_trades_cost_for_co2() -> None:
    need = needs(4, cooling_kw=[0.0, 0.0, 10.0, 20.0])
    grid, tariff = np.array([1.0, 0.1, 0.5, 1.0]), terms([0.1, 0.2, 0.25, 0.3])
    found = []
    for weight in (0.0, 0.3, 0.6, 0.9, 1.0):
        one = planner(COOLED, need, ends=EMPTY, objective=Objective(weight, 2.0, 4.0, grid))
        costs = one.costs(one.plan(tariff), tariff)
        found.append((costs.total, costs.co2_kg))
    # Each is the best of all for its own weight.
    for k, weight in enumerate((0.0, 0.3, 0.6, 0.9, 1.0)):
        values = [weight * cost / 2 + (1 - weight) * co2 / 4 for cost, co2 in found]
        assert values[k] == pytest.approx(min(values), abs=1e-9)
    assert found[0][0] > found[-1][0] + 0.1
    assert found[0][1] < found[-1][1] - 0.1


def test_ends_are_kept() -> None:
    need, tariff = needs(3, cooling_kw=5.0), terms([0.1, 0.2, 0.3])
    for end, expected in ((Ends(4.0), 4.0), (Ends(4.0, 7.0), 7.0), (Ends(4.0, "free"), 0.0)):
        energy = planner(COOLED, need, ends={"cold": end}).plan(tariff).stores["cold"].energy_kwh
        assert (energy[0], energy[-1]) == pytest.approx((4.0, expected), abs=1e-9)
    energy = planner(COOLED, need).plan(tariff).stores["cold"].energy_kwh
    assert energy[0] == pytest.approx(energy[-1], abs=1e-9)


def test_the_baseline_cools_as_the_load_comes() -> None:
    need = needs(2, electric_kw=1.0, cooling_kw=[10.0, 720.0], heat_kw=8.0)
    schedule = baseline(PLANTS["UNM ME"], need)
    check(schedule)  # also with a load above the chiller's 352 kW
    assert schedule.p_kw == pytest.approx([1 + 10 / 5.4, 1 + 720 / 5.4])
    assert schedule.gas_kw == pytest.approx([8 / 0.82] * 2)


def test_capacities_in_megajoules_are_those_of_the_source_in_kilowatt_hours() -> None:
    """3.6 MJ are a kWh: 13,686 MJ = 3801.7 kWh, 52,272 = 14,520, 43,805 = 12,168, 2,549 = 708, 7,657 = 2,127."""
    found = {(name, store): PLANTS[name].stores[store].capacity_kwh for name in PLANTS for store in PLANTS[name].stores}
    assert found == pytest.approx(
        {
            ("UNM ME", "cold"): 3801.667,
            ("UNM ME", "hot"): 510.0,
            ("One Sun Plaza", "cold"): 14520.0,
            ("ABQ Studios", "cold"): 12168.06,
            ("Mesa del Sol", "battery"): 160.0,
            ("Mesa del Sol", "cold"): 708.06,
            ("Mesa del Sol", "hot"): 2126.94,
        },
        abs=0.01,
    )
