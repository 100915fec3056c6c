"""What a facility refuses, and what it says where its needs cannot be met."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from agents.errors import PlanError, SolverError
from agents.facility import (
    AbsorptionChiller,
    Boiler,
    ElectricChiller,
    Ends,
    FacilityPlanner,
    Fuel,
    Needs,
    Objective,
    Plant,
    ShortfallError,
    SolarPower,
    SolarThermal,
    Store,
    baseline,
)
from agents.facility.lp import WarmLp
from agents.terms import Terms
from feeders.errors import InputError
from tests.agents.facility_cases import COLD, COOLED, ENGINE, check, needs, planner, powered, terms, with_store

NO_NUMBERS = (float("nan"), float("inf"), -1.0)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        *((lambda v=v: replace(COLD, capacity_kwh=v), "capacity_kwh") for v in (*NO_NUMBERS, 0.0)),
        *((lambda v=v: replace(COLD, efficiency_charge=v), "efficiency_charge") for v in (*NO_NUMBERS, 0.0, 1.01)),
        *((lambda v=v: replace(COLD, efficiency_discharge=v), "efficiency_discharge") for v in (*NO_NUMBERS, 1.01)),
        *((lambda v=v: replace(COLD, decay_per_h=v), "decay_per_h") for v in (*NO_NUMBERS, 1.0)),
        *((lambda v=v: replace(COLD, min_share=v), "min_share") for v in (*NO_NUMBERS, 1.0)),
        *((lambda v=v: replace(COLD, charge_rate_per_h=v), "charge_rate_per_h") for v in NO_NUMBERS),
        *((lambda v=v: replace(COLD, discharge_rate_per_h=v), "discharge_rate_per_h") for v in NO_NUMBERS),
        *((lambda v=v: ElectricChiller(v, 3.0), "rating_kw") for v in (*NO_NUMBERS, 0.0)),
        *((lambda v=v: ElectricChiller(3.0, v), "cop") for v in (*NO_NUMBERS, 0.0)),
        *((lambda v=v: AbsorptionChiller(v, 0.7), "rating_kw") for v in NO_NUMBERS),
        *((lambda v=v: AbsorptionChiller(70.0, v), "cop") for v in NO_NUMBERS),
        *((lambda v=v: Boiler(v, 0.8), "rating_kw") for v in NO_NUMBERS),
        *((lambda v=v: Boiler(3.0, v), "efficiency") for v in (*NO_NUMBERS, 1.1)),
        *((lambda v=v: SolarPower(v), "rating_kw") for v in NO_NUMBERS),
        *((lambda v=v: SolarThermal(v), "rating_kw") for v in NO_NUMBERS),
        *((lambda v=v: replace(ENGINE, rating_kw=v), "rating_kw") for v in NO_NUMBERS),
        *((lambda v=v: replace(ENGINE, efficiency_electric=v), "efficiency_electric") for v in NO_NUMBERS),
        *((lambda v=v: replace(ENGINE, efficiency_heat=v), "efficiency_heat") for v in (*NO_NUMBERS, 0.7)),
        *((lambda v=v: replace(ENGINE, min_load_share=v), "min_load_share") for v in (*NO_NUMBERS, 1.1)),
        *((lambda v=v: replace(ENGINE, start_cost=v), "start_cost") for v in NO_NUMBERS),
        *((lambda v=v: replace(ENGINE, om_per_kwh=v), "om_per_kwh") for v in NO_NUMBERS),
        *((lambda v=v: Fuel(v), "price") for v in NO_NUMBERS),
        *((lambda v=v: Fuel(0.02, v), "co2_kg_per_kwh") for v in NO_NUMBERS),
        *((lambda v=v: Objective(v), "weight_cost") for v in (*NO_NUMBERS, 1.1)),
        *((lambda v=v: Objective(0.5, v), "cost_reference") for v in (*NO_NUMBERS, 0.0)),
        *((lambda v=v: Objective(0.5, 1.0, v), "co2_reference_kg") for v in (*NO_NUMBERS, 0.0)),
        *((lambda v=v: Objective(0.5, 1.0, 1.0, v), "grid_co2_kg_per_kwh") for v in NO_NUMBERS),
        *((lambda v=v: Ends(v), "start_kwh") for v in NO_NUMBERS),
        *((lambda v=v: Ends(1.0, v), "end_kwh") for v in (*NO_NUMBERS, "half")),
        (lambda: Ends(None, "free"), "end_kwh"),
        (lambda: Ends(None, 3.0), "end_kwh"),
        (lambda: Plant(absorption=AbsorptionChiller(70.0, 0.7)), "absorption"),
    ],
)
def test_a_value_out_of_its_range_is_refused(make: Any, field: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert field in caught.value.field
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("column", ["electric_kw", "cooling_kw", "heat_kw", "pv_per_kw", "solar_per_kw"])
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_a_need_that_is_no_load_is_refused_with_its_hour(column: str, value: float) -> None:
    with pytest.raises(InputError, match=rf"{column} at 2018-07-23T07:00Z"):
        needs(3, **{column: [1.0, value, 1.0]})


def test_needs_of_unlike_length_without_offset_or_step_are_refused() -> None:
    usual = needs(3)
    for changes, field in (
        ({"heat_kw": np.zeros(4)}, "heat_kw"),
        ({"start": datetime(2018, 7, 23)}, "start"),
        ({"step_h": 0.0}, "step_h"),
        ({"step_h": float("nan")}, "step_h"),
    ):
        with pytest.raises(InputError) as caught:
            replace(usual, **changes)
        assert caught.value.field == field


@pytest.mark.parametrize(
    ("ends", "field"),
    [
        ({"hot": Ends(1.0)}, "hot"),
        ({"cold": Ends(10.5)}, "cold.start_kwh"),
        ({"cold": Ends(1.0)}, "cold.start_kwh"),  # below the 2 kWh it must hold
        ({"cold": Ends(5.0, 11.0)}, "cold.end_kwh"),
    ],
)
def test_an_energy_that_a_store_cannot_hold_is_refused(ends: dict[str, Ends], field: str) -> None:
    with pytest.raises(InputError) as caught:
        planner(with_store(min_share=0.2), needs(2), ends=ends)
    assert caught.value.field == field


def test_a_grid_series_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match="grid_co2_kg_per_kwh"):
        planner(COOLED, needs(2), objective=Objective(grid_co2_kg_per_kwh=np.ones(3)))


GOOD = terms([0.1, 0.2], sell=0.05, windows=[[1, 1]], demand=[1.0])


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (terms([0.1] * 3), "price_buy"),
        (terms([0.1, 0.2], step_h=0.5), "step_h"),
        (replace(GOOD, price_buy=np.array([[0.1], [np.nan]])), "price_buy"),
        (replace(GOOD, price_sell=np.array([[-np.inf], [0.0]])), "price_sell"),
        (replace(GOOD, demand_price=np.array([[-1.0]])), "demand_price"),
        (replace(GOOD, demand_window=np.ones((1, 3), dtype=bool)), "demand_window"),
        (terms([0.1, 0.2], sell=[0.05, 0.25]), "price_sell, price_buy at 2018-07-23T07:00Z"),
    ],
)
def test_terms_that_do_not_fit_are_refused(wrong: Terms, field: str) -> None:
    one = planner(COOLED, needs(2), may_export=True)
    with pytest.raises(InputError) as caught:
        one.plan(wrong)
    assert field in caught.value.field
    check(one.plan(GOOD))


def test_a_high_selling_price_does_not_matter_to_who_may_not_export() -> None:
    check(planner(COOLED, needs(2, cooling_kw=1.0)).plan(terms([0.1, 0.1], sell=0.2)))


@pytest.mark.parametrize(
    ("plant", "load", "what", "hour", "due", "short", "total"),
    [
        # A boiler of 380 kW against 500 kW in the fourth of six hours.
        (Plant(boiler=Boiler(380.0, 0.8)), {"heat_kw": [0, 0, 0, 500, 0, 0]}, "heat", "09:00", 500, 120, 120),
        # 100 kW of chiller and 10 kWh of store against 130 and 150 kW.
        (COOLED, {"cooling_kw": [0, 0, 0, 130, 0, 150]}, "cooling", "11:00", 150, 40, 60),
        # Nothing that heats at all.
        (COOLED, {"heat_kw": [0, 7, 0, 0, 0, 0]}, "heat", "07:00", 7, 7, 7),
    ],
)
def test_what_is_missing_is_named_with_hour_and_amount(
    plant: Plant, load: dict[str, Any], what: str, hour: str, due: float, short: float, total: float
) -> None:
    one = FacilityPlanner("plaza", plant, needs(6, **load))
    with pytest.raises(ShortfallError, match="facility 'plaza'") as caught:
        one.plan(terms([0.1] * 6))
    error = caught.value
    assert isinstance(error, PlanError)
    assert (error.facility, error.what, error.time) == ("plaza", what, f"2018-07-23T{hour}Z")
    assert (error.due, error.short, error.total_kwh) == pytest.approx((due, short, total), abs=1e-6)
    said = f"{what} demand of {due} kW at 2018-07-23T{hour}Z exceeds what its plant can give by {short:g} kW"
    assert said in str(error)


def test_an_end_that_cannot_be_reached_is_named() -> None:
    """One hour of a chiller of 4 kW, beside a load of 1, from 2 kWh: 5 of the 9."""
    plant = replace(COOLED, chiller=ElectricChiller(4.0, 2.0))
    one = planner(plant, needs(1, cooling_kw=1.0), ends={"cold": Ends(2.0, 9.0)})
    with pytest.raises(ShortfallError, match="cold store: 9 kWh due at the end, 4 kWh short"):
        one.plan(terms([0.1]))


def test_a_store_that_cannot_make_up_for_its_losses_is_named() -> None:
    """It must hold 5 kWh, loses 10 % an hour, and takes no charge."""
    plant = with_store(min_share=0.5, decay_per_h=0.1, charge_rate_per_h=0.0)
    with pytest.raises(ShortfallError, match="cold losses"):
        planner(plant, needs(3), ends={"cold": Ends(5.0, "free")}).plan(terms([0.1] * 3))


def test_too_much_is_named_too() -> None:
    """A generator committed to run, for needs that then have no use of it."""
    one = planner(powered(start_cost=0.0), needs(2, electric_kw=10.0), fuel=Fuel(0.01, 0.2))
    one.plan(terms([1.0, 1.0]))
    committed = one.commitment
    one.renew(needs(2, electric_kw=[10.0, 2.0]))
    one.commitment = committed
    with pytest.raises(ShortfallError, match="electricity at 2018-07-23T07:00Z: 3 kW too much"):
        one.plan(terms([1.0, 1.0]))


def test_a_planner_plans_again_after_a_shortfall() -> None:
    one = planner(COOLED, needs(2, cooling_kw=200.0))
    with pytest.raises(ShortfallError):
        one.plan(terms([0.1, 0.2]))
    one.renew(needs(2, cooling_kw=20.0))
    check(one.plan(terms([0.1, 0.2])))


def test_a_solver_that_fails_is_no_shortfall(monkeypatch: pytest.MonkeyPatch) -> None:
    import highspy

    from agents.facility import lp

    one = planner(COOLED, needs(2, cooling_kw=20.0))
    monkeypatch.setattr(lp, "run", lambda solver: highspy.HighsModelStatus.kUnknown)
    with pytest.raises(SolverError, match="kUnknown"):
        one.plan(terms([0.1, 0.2]))


@pytest.mark.parametrize("column", ["import", "chiller", "cold.charge", "cold.discharge", "cold.energy"])
def test_a_solution_that_does_not_add_up_is_seen(monkeypatch: pytest.MonkeyPatch, column: str) -> None:
    """`check` is what all these tests rely on: a solver that is off by a kW is found out."""
    solve = WarmLp.solve

    def lying(self: WarmLp) -> Any:
        values = solve(self)
        assert values is not None
        values[layout[column][1]] += 1.0
        return values

    one = planner(COOLED, needs(3, cooling_kw=20.0))
    layout = one.problem.assemble(terms([0.1] * 3)).layout
    monkeypatch.setattr(WarmLp, "solve", lying)
    with pytest.raises(AssertionError):
        check(one.plan(terms([0.1] * 3)))


def test_a_baseline_needs_what_its_loads_need() -> None:
    with pytest.raises(InputError, match="chiller"):
        baseline(Plant(), needs(1, cooling_kw=1.0))
    with pytest.raises(InputError, match="boiler"):
        baseline(COOLED, needs(1, heat_kw=1.0))


def test_plants_and_needs_are_values() -> None:
    with pytest.raises(AttributeError):
        COLD.capacity_kwh = 3.0  # type: ignore[misc]
    column = np.ones(2)
    need = Needs(needs(2).start, 1.0, column, column, column, column, column)
    column[0] = 9.0
    assert need.electric_kw[0] == 1.0
    assert isinstance(COLD, Store)
