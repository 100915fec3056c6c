"""PV behind an inverter of its own: what each of the two does, closed form and by properties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prosumer import RULES, Assets, Population, Status, VoltageBand, reactive_power
from agents.prosumer.storage import reachable_power

Array = npt.NDArray[np.float64]

STEP_H = 1 / 60
BAND = VoltageBand(0.95, 0.02, 1.05)


def house(inverter_kva: float, pv_inverter_kva: float, rule: str = "none", **changes: Any) -> Population:
    """One house with 2 kWh 1C-1C, half full; NaN for a shared inverter."""
    one = np.ones(1)
    assets = Assets(
        ids=["home"],
        bus=[1],
        energy_min_kwh=0 * one,
        energy_max_kwh=2 * one,
        energy_start_kwh=one,
        p_charge_max_kw=2 * one,
        p_discharge_max_kw=2 * one,
        efficiency_charge=0.95 * one,
        efficiency_discharge=0.95 * one,
        inverter_kva=inverter_kva * one,
        pv_inverter_kva=pv_inverter_kva * one,
        pf_min=0 * one,
        rule=[rule],
        band=[BAND],
        optimise=one > 0,
    )
    return Population(replace(assets, **changes))


def acted(population: Population, pv_kw: float, plan_kw: float, vm_pu: float, load_kw: float = 0.3) -> Population:
    population.p_pv_kw[:], population.p_battery_plan_kw[:], population.p_load_kw[:] = pv_kw, plan_kw, load_kw
    population.regulate(np.array([vm_pu]), STEP_H)
    return population


def test_each_is_cut_to_its_own_rating() -> None:
    """3 kW of sun and 1.5 kW of discharge: 2 of 2 kVA and 1 of 1 kVA pass; of a shared one of 3 kVA all but 1.5."""
    two = acted(house(1.0, 2.0), 3.0, -1.5, 1.0)
    assert (two.p_curtailed_kw[0], two.p_battery_kw[0], two.p_meter_kw[0]) == (1.0, -1.0, 0.3 - 3.0)
    one = acted(house(3.0, np.nan), 3.0, -1.5, 1.0)
    assert (one.p_curtailed_kw[0], one.p_battery_kw[0]) == (0.0, 0.0)  # the battery gives way to the sun
    assert one.p_meter_kw[0] == pytest.approx(0.3 - 3.0)


def test_sun_beyond_its_inverter_does_not_reach_the_battery() -> None:
    """Shared, the battery takes what the rating does not let out; behind two inverters it is spilled."""
    one = acted(house(1.0, np.nan), 2.0, 0.0, 1.0)
    assert (one.p_curtailed_kw[0], one.p_battery_kw[0]) == (0.0, 1.0)
    two = acted(house(1.0, 1.0), 2.0, 0.0, 1.0)
    assert (two.p_curtailed_kw[0], two.p_battery_kw[0]) == (1.0, 0.0)


def test_rules_apply_to_each_by_its_own_rating() -> None:
    """ANRC half-way through zone 4: each may export half its rating, and has q between minus its rating and half.

    At 1.035, ramp(1.02: -S -> 1.05: 0) = -S/2; q's upper end ramps from S to 0, so that 0 is permitted.
    """
    two = acted(house(1.0, 2.0, "anrc"), 1.5, -2.0, 1.035)
    assert two.p_curtailed_kw[0] == pytest.approx(0.5)
    assert two.p_battery_kw[0] == pytest.approx(-0.5)
    assert two.q_inverter_kvar[0] == 0.0


def test_prc_at_the_upper_limit() -> None:
    """P = S for each: the sun is spilled and PV's range missed, the battery charges as it can; all q that is left.

    The battery draws 1 kW of its inverter's 1 kVA: none left. PV's draws nothing, so that all its 2 kvar are absorbed.
    """
    two = acted(house(1.0, 2.0, "prc"), 1.5, 0.0, 1.06)
    assert two.p_curtailed_kw[0] == 1.5
    assert two.p_battery_kw[0] == pytest.approx(1.0)
    assert two.q_inverter_kvar[0] == pytest.approx(-2.0)
    assert two.pv_inverters is not None
    assert two.pv_inverters.q_kvar[0] == pytest.approx(-2.0)
    assert int(two.status[0]) == Status.RANGE_MISSED
    fine = acted(house(1.0, 2.0, "prc"), 1.5, 0.0, 1.0)
    assert int(fine.status[0]) == 0


@given(
    rule=st.sampled_from(sorted(RULES)),
    ratings=st.tuples(st.floats(0, 4), st.floats(0, 4)),
    pv_kw=st.floats(0, 5),
    plan_kw=st.floats(-5, 5),
    vm_pu=st.floats(0.9, 1.1),
    energy=st.floats(0, 2),
    pf_min=st.sampled_from([0.0, 0.9]),
)
def test_both_keep_their_ratings_and_energy_balances(
    rule: str,
    ratings: tuple[float, float],
    pv_kw: float,
    plan_kw: float,
    vm_pu: float,
    energy: float,
    pf_min: float,
) -> None:
    """Ratings, ramps, sun and meter; and each as the formulas of the other's absence have it."""
    population = house(*ratings, rule, pf_min=np.array([pf_min]))
    population.energy_kwh[:] = energy
    p = acted(population, pv_kw, plan_kw, vm_pu)
    assert p.pv_inverters is not None
    q_pv, s, c = p.pv_inverters.q_kvar[0], p.p_battery_kw[0], p.p_curtailed_kw[0]
    assert 0 <= c <= pv_kw
    assert np.hypot(s, p.q_inverter_kvar[0] - q_pv) <= ratings[0] + 1e-9
    assert np.hypot(pv_kw - c, q_pv) <= ratings[1] + 1e-9
    assert p.p_meter_kw[0] == pytest.approx(0.3 + s - (pv_kw - c), abs=1e-12)

    one = np.ones(1)
    battery = [getattr(p.assets, name) for name in _BATTERY]
    lo, hi = (float(x[0]) for x in reachable_power(np.array([energy]), STEP_H, *battery))
    by_battery = RULES[rule](vm_pu * one, ratings[0] * one, BAND)
    wish = min(max(plan_kw, lo), hi)
    target = min(max(wish, max(by_battery.p_lo_kw[0], -ratings[0])), min(by_battery.p_hi_kw[0], ratings[0]))
    assert s == pytest.approx(min(max(target, lo), hi), abs=1e-12)
    q_battery = reactive_power(by_battery, s * one, ratings[0] * one, pf_min * one)[0]
    assert p.q_inverter_kvar[0] - q_pv == pytest.approx(q_battery, abs=1e-12)
    by_pv = RULES[rule](vm_pu * one, ratings[1] * one, BAND)
    least = max(float(by_pv.p_lo_kw[0]), -ratings[1])
    assert c == pytest.approx(min(max(0.0, pv_kw + least), pv_kw), abs=1e-12)
    assert q_pv == pytest.approx(reactive_power(by_pv, (c - pv_kw) * one, ratings[1] * one, pf_min * one)[0], abs=1e-12)


_BATTERY = (
    *("energy_min_kwh", "energy_max_kwh", "p_charge_max_kw", "p_discharge_max_kw"),
    *("efficiency_charge", "efficiency_discharge"),
)


@given(
    rule=st.sampled_from(sorted(RULES)),
    sizes=st.tuples(st.floats(0, 4), st.floats(0, 4)).map(sorted),
    pv_kw=st.floats(0, 5),
    vm_pu=st.floats(0.9, 1.1),
)
def test_at_a_given_voltage_a_larger_pv_inverter_never_spills_more(
    rule: str, sizes: list[float], pv_kw: float, vm_pu: float
) -> None:
    """The least power permitted is the rating times a number from -1 to 1 that the voltage alone decides."""
    small, large = (acted(house(1.0, size, rule), pv_kw, 0.0, vm_pu).p_curtailed_kw[0] for size in sizes)
    assert large <= small + 1e-12


def test_neighbours_do_not_notice() -> None:
    """Among houses that share, one that does not leaves the others as they are, to the last bit."""
    rng = np.random.default_rng(3)
    n = 7
    vm_pu, pv_kw, plan_kw = rng.uniform(0.94, 1.06, n), rng.uniform(0, 3, n), rng.uniform(-2, 2, n)
    alone = [house(1.5, np.nan, rule) for rule in ("prc", "hybrid", "anrc", "none", "prc", "anrc", "hybrid")]
    assets = Assets.joined([population.assets for population in alone])
    own = assets.pv_inverter_kva.copy()
    own[[2, 5]] = 1.0
    for columns in (assets, replace(assets, pv_inverter_kva=own)):
        together = Population(columns)
        together.p_pv_kw[:], together.p_battery_plan_kw[:] = pv_kw, plan_kw
        together.regulate(vm_pu, STEP_H)
        for row, population in enumerate(alone):
            if np.isnan(columns.pv_inverter_kva[row]):
                acted(population, pv_kw[row], plan_kw[row], vm_pu[row], 0.0)
                assert np.array_equal(population.state[:, 0], together.state[:, row])
    assert Population(assets).pv_inverters is None
    assert together.pv_inverters is not None
    assert together.pv_inverters.rows.tolist() == [2, 5]
    assert replace(assets, pv_inverter_kva=own).pv_rating_kva.tolist() == [1.5, 1.5, 1.0, 1.5, 1.5, 1.0, 1.5]
