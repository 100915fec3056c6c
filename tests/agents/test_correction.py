"""The closed form of the least curtailment against the linear program, and what reactive power may be."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from agents.prosumer import Ranges, VoltageBand, least_curtailment, reactive_power, rule_by_name
from agents.prosumer.correction import Correction

Array = npt.NDArray[np.float64]


class States(NamedTuple):
    """Planned battery power s, PV power r, reach of the battery, what is permitted, and the rating S."""

    plan: Array
    pv: Array
    s_lo: Array
    s_hi: Array
    ranges: Ranges
    rating: Array

    @property
    def target(self) -> Array:
        """clip(clip(plan, s_lo, s_hi) - r, max(P_lo, -S), min(P_hi, S)), the statement of Hashmi et al., (8)."""
        wish = np.clip(self.plan, self.s_lo, self.s_hi) - self.pv
        return np.clip(
            wish,
            np.maximum(self.ranges.p_lo_kw, -self.rating),
            np.minimum(self.ranges.p_hi_kw, self.rating),
        )


def random_states(n: int) -> States:
    """States of all kinds: with and without sun, battery full, empty or absent, rules at every voltage, none."""
    rng = np.random.default_rng(8)

    def often_zero(values: Array) -> Array:
        return np.where(rng.random(n) < 0.2, 0.0, values)

    rating = often_zero(rng.uniform(0, 6, n))
    vm_pu = rng.uniform(0.93, 1.07, n)
    tables = [rule_by_name(name)(vm_pu, rating, VoltageBand()) for name in ("none", "prc", "anrc", "hybrid")]
    rule = rng.integers(len(tables), size=n)
    ranges = Ranges(*(np.choose(rule, bounds) for bounds in zip(*tables, strict=True)))
    return States(
        plan=often_zero(rng.uniform(-4, 4, n)),
        pv=often_zero(rng.uniform(0, 6, n)),
        s_lo=often_zero(rng.uniform(-3, 0, n)),
        s_hi=often_zero(rng.uniform(0, 3, n)),
        ranges=ranges,
        rating=rating,
    )


def corrected(states: States) -> Correction:
    return least_curtailment(states.plan, states.pv, states.s_lo, states.s_hi, states.ranges, states.rating)


@pytest.fixture(scope="module")
def states() -> States:
    return random_states(10_000)


@pytest.fixture(scope="module")
def feasible(states: States) -> npt.NDArray[np.bool_]:
    """With c from 0 to r, s covers [target, target + r]: feasible where that meets [s_lo, s_hi]."""
    return (states.target <= states.s_hi) & (states.target + states.pv >= states.s_lo)


def test_closed_form_is_the_optimum_of_the_linear_program(states: States, feasible: npt.NDArray[np.bool_]) -> None:
    # Each state is its own block: minimise c over (s, c) with s + c = target + r. The sum of independent costs
    # is least where each is, and s follows from c, so one program has the answers to all.
    rows = np.flatnonzero(feasible)
    n, done = len(rows), corrected(states)
    blocks = sparse.kron(sparse.eye_array(n), np.array([[1.0, 1.0]]), format="csr")
    bounds = np.column_stack([states.s_lo, states.s_hi, np.zeros_like(states.pv), states.pv])[rows].reshape(2 * n, 2)
    cost, total = np.tile([0.0, 1.0], n), (states.target + states.pv)[rows]
    solved = linprog(cost, A_eq=blocks, b_eq=total, bounds=bounds)  # type: ignore[call-overload] # stubs: dense only
    assert solved.status == 0
    s, c = solved.x.reshape(n, 2).T
    # A vertex of such a block is a sum of two or three inputs: the solver's answer is exact but for rounding.
    assert np.abs(done.p_battery_kw[rows] - s).max() <= 1e-12
    assert np.abs(done.p_curtailed_kw[rows] - c).max() <= 1e-12
    assert np.abs(done.p_inverter_kw - states.target)[rows].max() <= 1e-12
    assert done.in_range[rows].all()


def test_where_nothing_is_feasible_the_battery_goes_as_far_as_it_can(
    states: States, feasible: npt.NDArray[np.bool_]
) -> None:
    done = corrected(states)
    too_little = ~feasible & (states.target > states.s_hi)  # to consume: all PV is spilled
    too_much = ~feasible & ~too_little  # less consumption than the battery can give: nothing is spilled
    assert too_little.sum() > 100 and too_much.sum() > 100
    assert np.array_equal(done.p_battery_kw[too_little], states.s_hi[too_little])
    assert np.array_equal(done.p_curtailed_kw[too_little], states.pv[too_little])
    assert np.array_equal(done.p_battery_kw[too_much], states.s_lo[too_much])
    assert (done.p_curtailed_kw[too_much] == 0).all()
    missed = np.abs(done.p_inverter_kw - states.target) > 1e-9
    assert np.array_equal(~done.in_range, missed)
    # Feasibility is a comparison of rounded numbers: the two verdicts may differ where a range is just touched.
    near = np.minimum(np.abs(states.target - states.s_hi), np.abs(states.target + states.pv - states.s_lo)) <= 1e-9
    assert (done.in_range == feasible)[~near].all()


def test_the_solver_too_finds_those_states_infeasible(states: States, feasible: npt.NDArray[np.bool_]) -> None:
    for row in np.flatnonzero(~feasible)[:20]:
        solved = linprog(
            [0.0, 1.0],
            A_eq=[[1.0, 1.0]],
            b_eq=[states.target[row] + states.pv[row]],
            bounds=[(states.s_lo[row], states.s_hi[row]), (0.0, states.pv[row])],
        )
        assert solved.status == 2


amount = st.one_of(st.just(0.0), st.floats(1e-3, 10))


@st.composite
def single_states(draw: st.DrawFn) -> States:
    """One state; permitted ranges at and within the rating, in any order that is one."""
    rating = draw(amount)
    share = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-1, 1))
    p = sorted(draw(share) * rating for _ in range(2))
    q = sorted(draw(share) * rating for _ in range(2))
    plan = draw(amount) * draw(st.sampled_from([-1, 1]))
    numbers = (plan, draw(amount), -draw(amount), draw(amount), *p, *q, rating)
    plan_, pv, s_lo, s_hi, *ranges, rating_ = (np.array([float(number)]) for number in numbers)
    return States(plan_, pv, s_lo, s_hi, Ranges(*ranges), rating_)


power_factors = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.01, 1))


@given(single_states(), power_factors)
def test_limits_hold_in_every_state(x: States, pf_min: float) -> None:
    done = corrected(x)
    q = reactive_power(x.ranges, done.p_inverter_kw, x.rating, np.array([pf_min]))
    p = done.p_inverter_kw
    assert 0 <= done.p_curtailed_kw <= x.pv
    assert x.s_lo <= done.p_battery_kw <= x.s_hi
    assert p == done.p_battery_kw - (x.pv - done.p_curtailed_kw)
    # p = 0 can always be reached (s = 0, c = r) and ranges lie within the rating, so |p| <= S even where the
    # range is missed; p is a sum of plan, PV and target, each up to 20 kW here: 1e-14 kW of rounding.
    assert abs(p) <= x.rating + 1e-14
    assert p**2 + q**2 <= x.rating**2 * (1 + 1e-12) + 1e-13 * x.rating + 1e-28
    if pf_min > 0:
        assert abs(q) <= abs(p) * np.tan(np.arccos(pf_min))


@given(single_states())
def test_a_permitted_plan_is_followed_to_the_last_bit(x: States) -> None:
    reachable = x._replace(plan=np.clip(x.plan, x.s_lo, x.s_hi))
    wish = reachable.plan - x.pv
    free = Ranges(np.minimum(x.ranges.p_lo_kw, wish), np.maximum(x.ranges.p_hi_kw, wish), -x.rating, x.rating)
    free_states = reachable._replace(ranges=free, rating=np.maximum(x.rating, np.abs(wish)))
    done = corrected(free_states)
    assert done.p_battery_kw == reachable.plan
    assert done.p_curtailed_kw == 0
    assert done.in_range
    assert reactive_power(free, done.p_inverter_kw, free_states.rating) == 0


@given(single_states())
def test_reactive_power_is_the_nearest_to_zero_that_fits(x: States) -> None:
    p = corrected(x).p_inverter_kw
    q = float(reactive_power(x.ranges, p, x.rating)[0])
    room = float(np.sqrt(np.maximum(x.rating**2 - p**2, 0))[0])
    lo, hi = float(x.ranges.q_lo_kvar[0]), float(x.ranges.q_hi_kvar[0])
    permitted = np.linspace(lo, hi, 101)
    fits = permitted[np.abs(permitted) <= room]
    assert abs(q) <= room
    if len(fits):
        assert lo <= q <= hi
        assert abs(q) <= np.abs(fits).min()
    elif not lo <= q <= hi:  # no permitted value fits: as near to the range as the room allows
        assert q == (room if lo > room else -room)


def test_the_three_limits_of_reactive_power_by_hand() -> None:
    # S = 5 and p = 3 leave q = 4; a power factor of 0.6 at p = 3 allows 3 * 0.8 / 0.6 = 4 as well, 0.8 allows
    # 3 * 0.6 / 0.8 = 2.25, 1 allows none, and 0 means that there is no such limit, also at p = 0.
    p, rating = np.array([3.0, 3.0, 3.0, 3.0, 0.0, 0.0]), np.full(6, 5.0)
    must_inject, must_absorb = np.full(6, 5.0), np.full(6, -5.0)
    pf_min = np.array([0.0, 0.6, 0.8, 1.0, 0.0, 0.8])
    expected = [4.0, 4.0, 2.25, 0.0, 5.0, 0.0]
    inject = reactive_power(Ranges(p, p, must_inject, must_inject), p, rating, pf_min)
    absorb = reactive_power(Ranges(p, p, must_absorb, must_absorb), p, rating, pf_min)
    assert inject.tolist() == pytest.approx(expected, abs=1e-12)
    assert absorb.tolist() == pytest.approx([-q for q in expected], abs=1e-12)
    assert reactive_power(Ranges(p, p, must_inject, must_inject), p, rating).tolist() == [4, 4, 4, 4, 5, 5]
