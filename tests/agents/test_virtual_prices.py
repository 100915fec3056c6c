"""The closed form of a step against the linear program of virtual prices, and that program against another solver."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import linprog

from agents.errors import SolverError
from agents.prosumer.behind_meter import BehindMeter, Scope
from agents.prosumer.limits import Limits
from agents.prosumer.self_consumption import Asked, Step, Stores, net_and_room, serve_step
from agents.prosumer.virtual_prices import StepProgram, VirtualPrices, solve_step, virtual_cost
from feeders.errors import InputError, InputErrors
from tests.agents.storage_cases import KINDS, some_assets, some_step

Array = npt.NDArray[np.float64]

N, N_STEPS = 12, 1000
BOTH = get_args(Scope)


@pytest.mark.parametrize("scope", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_the_closed_form_is_the_optimum(scope: Scope, kind: str) -> None:
    """1,000 random steps: the same objective; the same plan at home without a cap, where there is only one."""
    generator = np.random.default_rng([KINDS.index(kind), BOTH.index(scope)])
    program = StepProgram(N, scope)
    objective, plan, total = np.zeros((3, N_STEPS))
    for row in range(N_STEPS):
        assets = some_assets(generator, N)
        step, stores, asked = some_step(generator, assets, kind)
        p_net_kw, room_kw, cop = net_and_room(step, stores, assets, asked.heat_cap)
        p_battery_kw, q_tes_kw = serve_step(step, stores, assets, scope, asked)
        closed = np.stack([p_battery_kw, q_tes_kw / cop])
        solved = program.solve(p_net_kw, room_kw, asked)
        objective[row] = virtual_cost(p_net_kw, closed, scope, asked) - program.cost_per_h
        plan[row] = np.abs(closed - solved).max()
        total[row] = np.abs((closed - solved).sum(axis=1)).max()
    assert np.abs(objective).max() < 1e-9
    assert total.max() < 1e-9
    if scope == "home" and kind != "capped":
        assert plan.max() < 1e-9


def by_linprog(step: Step, stores: Stores, assets: BehindMeter, scope: Scope, asked: Asked, limits: Limits) -> float:
    """Least virtual cost, written anew: heat in thermal units, meters and prices as the text has them."""
    n, cop, h = len(assets), float(step.cop), step.step_h
    of_home = np.eye(n) if scope == "home" else np.ones((1, n))
    grid, feed_in = (0.5, 0.25) if asked.charge_from_grid else (10.0, 1.0)
    battery_out, tes_out = (12.0, 12.0) if asked.hold else (8.0, 6.0)
    rest_kw = step.p_net_kw + step.heat_kw / cop
    # charge, discharge, heat in, heat out, import, feed-in, beyond either way
    m, k = len(of_home), len(limits)
    cost = [np.full(n, -4.0), np.full(n, battery_out), np.full(n, -2.0 / cop), np.full(n, tes_out / cop)]
    cost += [np.full(m, grid), np.full(m, -feed_in), np.full(2 * k, 1000.0)]
    effect = np.hstack([np.eye(n), -np.eye(n), np.eye(n) / cop, -np.eye(n) / cop])
    balance = np.hstack([-of_home @ effect, np.eye(m), -np.eye(m), np.zeros((m, 2 * k))])
    flow = limits.members @ effect
    beyond = [np.hstack([flow, np.zeros((k, 2 * m)), -np.eye(k), np.zeros((k, k))])]
    beyond += [np.hstack([-flow, np.zeros((k, 2 * m)), np.zeros((k, k)), -np.eye(k)])]
    allowed = [limits.p_max_kw - limits.members @ rest_kw, limits.p_max_kw + limits.members @ rest_kw]
    if asked.charge_from_grid and np.isfinite(asked.station_cap_kw):
        beyond.append(np.hstack([effect.sum(axis=0), np.zeros(2 * m + 2 * k)])[None])
        allowed.append(np.array([max(asked.station_cap_kw - rest_kw.sum(), 0.0)]))
    upper = [
        np.minimum(assets.battery_kw, (assets.battery_kwh - stores.battery_kwh) / h),
        np.minimum(assets.battery_kw, stores.battery_kwh / h),
        np.minimum(
            np.maximum(asked.heat_cap * assets.hp_kw - step.heat_kw, 0.0), (assets.tes_kwh - stores.tes_kwh) / h
        ),
        np.minimum(step.heat_kw, stores.tes_kwh / h),
        np.full(2 * m + 2 * k, np.inf),
    ]
    bounds = np.stack([np.zeros(4 * n + 2 * m + 2 * k), np.concatenate(upper)], axis=1)
    found = linprog(
        np.concatenate(cost),
        np.vstack(beyond),
        np.concatenate(allowed),
        balance,
        of_home @ rest_kw,
        bounds,
        "highs-ipm",
    )
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize("scope", BOTH)
@pytest.mark.parametrize("kind", KINDS)
def test_the_program_is_what_the_text_says(scope: Scope, kind: str) -> None:
    """An interior-point method on another formulation, with two branch limits that often bind."""
    generator = np.random.default_rng(7)
    for _ in range(8):
        assets = some_assets(generator, N)
        step, stores, asked = some_step(generator, assets, kind)
        members = np.stack([np.arange(N) < N // 2, np.arange(N) < N // 3])
        limits = Limits(members, generator.uniform(1.0, 8.0, 2), ["trafo", "line"])
        solved = solve_step(step, stores, assets, scope, asked, limits)
        expected = by_linprog(step, stores, assets, scope, asked, limits)
        assert solved.cost_per_h == pytest.approx(expected, rel=1e-6, abs=1e-6)  # what the interior point ends with


def pair(held_kwh: float) -> tuple[BehindMeter, Stores]:
    """Two homes, the second with a battery of 16 kWh and 3 kW that holds `held_kwh`."""
    nothing = np.zeros(2)
    assets = BehindMeter(
        ["a", "b"], np.zeros(2, dtype=np.int64), np.array([0.0, 16.0]), np.array([0.0, 3.0]), nothing, nothing, nothing
    )
    return assets, Stores(np.array([0.0, held_kwh]), nothing)


def both_behind(p_max_kw: float) -> Limits:
    return Limits(np.ones((1, 2), dtype=bool), np.array([p_max_kw]), ["trafo"])


@pytest.mark.parametrize(
    ("p_net_kw", "held_kwh", "p_battery_kw", "over_kw"),
    [
        ((4.0, 3.5), 16.0, -2.5, 0.0),  # discharged by what is beyond 5 kW, although it is held
        ((4.0, 3.5), 0.5, -2.0, 0.5),  # no more than 0.5 kWh in a quarter of an hour
        ((9.0, 1.0), 16.0, -3.0, 2.0),
        ((-7.0, -0.5), 0.0, 2.5, 0.0),  # from its neighbour, through two meters
        ((2.0, 2.0), 16.0, 0.0, 0.0),  # not binding: held
    ],
)
def test_a_branch_limit_is_relieved_by_who_can_and_the_rest_is_reported(
    p_net_kw: tuple[float, float], held_kwh: float, p_battery_kw: float, over_kw: float
) -> None:
    assets, stores = pair(held_kwh)
    step = Step(np.array(p_net_kw), np.zeros(2), 3.0)
    solved = solve_step(step, stores, assets, "home", Asked(hold=True), both_behind(5.0))
    assert solved.p_battery_kw == pytest.approx([0.0, p_battery_kw], abs=1e-9)
    assert solved.over_kw == pytest.approx([over_kw], abs=1e-9)


def test_the_virtual_cost_of_a_step_by_hand() -> None:
    """At home import 2 kW at 10 and feed-in 3 kW at 1, in the region 1 kW of feed-in; 1 kW each way."""
    p_net_kw, p_stores_kw = np.array([3.0, -4.0]), np.array([[-1.0, 1.0], [0.0, 0.0]])
    assert virtual_cost(p_net_kw, p_stores_kw, "home", Asked()) == 20.0 + 8.0 - 3.0 - 4.0
    assert virtual_cost(p_net_kw, p_stores_kw, "region", Asked()) == 8.0 - 1.0 - 4.0
    assert virtual_cost(p_net_kw, p_stores_kw, "home", Asked(hold=True)) == 20.0 + 12.0 - 3.0 - 4.0
    assert virtual_cost(p_net_kw, p_stores_kw, "home", Asked(charge_from_grid=True)) == 1.0 + 8.0 - 0.75 - 4.0


def test_prices_out_of_order_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"battery_discharge: 8.0 is not allowed; allowed: finite, and above tes_discharge, 8.5"
    ):
        VirtualPrices(tes_discharge=8.5)
    with pytest.raises(InputError, match=r"feed_in: 1.0 is not allowed"):
        VirtualPrices(grid_lowered=float("nan"))


def test_numbers_that_are_none_never_reach_the_solver() -> None:
    """HiGHS drops a row with a bound that is none, and answers "Optimal"."""
    assets, stores = pair(8.0)
    step = Step(np.array([1.0, 2.0]), np.zeros(2), 3.0)
    p_net_kw, room_kw, _ = net_and_room(step, stores, assets)
    program = StepProgram(2, "home")
    for net, room, asked in (
        (p_net_kw * np.nan, room_kw, Asked()),
        (p_net_kw, room_kw * np.nan, Asked()),
        (p_net_kw, room_kw, Asked(charge_from_grid=True, station_cap_kw=float("nan"))),
    ):
        with pytest.raises(SolverError, match="not finite"):
            program.solve(net, room, asked)
    for wrong in (replace(step, cop=0.0), replace(step, heat_kw=np.array([0.0, -1.0])), replace(step, step_h=0.0)):
        with pytest.raises(InputErrors, match="self-consumption"):
            solve_step(wrong, stores, assets)
    with pytest.raises(InputError, match="scope: 'station' is not allowed; allowed: home or region"):
        StepProgram(2, "station")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="columns of 3 homes"):
        StepProgram(3, "home", both_behind(5.0))


def test_wrong_limits_are_named() -> None:
    with pytest.raises(InputErrors, match=r"trafo.members: 'no homes' .*\n.*line.p_max_kw: 0.0") as refused:
        Limits(np.array([[False, False], [True, False]]), np.array([1.0, 0.0]), ["trafo", "line"])
    assert len(refused.value.errors) == 2
    with pytest.raises(InputErrors, match="one per name"):
        Limits(np.ones((1, 2), dtype=bool), np.array([1.0, 2.0]), ["trafo"])
