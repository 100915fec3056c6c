"""Households of random make with terms to plan against, and the bound's linear program solved by scipy's HiGHS."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from agents.customers import Block
from agents.prosumer import Assets, Homes, Horizon, PerfectForecast, Population, Signals, VoltageBand, Window
from agents.terms import Terms

__all__ = [
    "STEP_H",
    "T",
    "columns",
    "energies",
    "homes",
    "horizon_of",
    "least_bill",
    "some_homes",
    "some_terms",
    "some_world",
]

Array = npt.NDArray[np.float64]

T = 12
STEP_H = 0.25


def some_homes(n: int, seed: int) -> Assets:
    """Batteries of up to 4 kWh, one in five without, half of them leaking; the last home does not optimise."""
    rng = np.random.default_rng(seed)
    capacity = rng.uniform(0.5, 4, n) * (rng.random(n) < 0.8)
    lowest = capacity * rng.uniform(0, 0.2, n)
    return Assets(
        ids=[f"home-{row}" for row in range(n)],
        bus=list(range(10, 10 + n)),
        energy_min_kwh=lowest,
        energy_max_kwh=capacity,
        energy_start_kwh=lowest + rng.random(n) * (capacity - lowest),
        p_charge_max_kw=rng.uniform(0.1, 2, n) * capacity,
        p_discharge_max_kw=rng.uniform(0.1, 2, n) * capacity,
        efficiency_charge=rng.uniform(0.8, 1, n),
        efficiency_discharge=rng.uniform(0.8, 1, n),
        inverter_kva=np.full(n, 1.5),
        pf_min=np.zeros(n),
        rule=["none"] * n,
        band=[VoltageBand()] * n,
        optimise=np.arange(n) < n - 1,
        self_discharge_per_h=np.where(rng.random(n) < 0.5, rng.uniform(0, 0.1, n), 0.0),
    )


def some_world(n: int, seed: int, n_steps: int = T) -> Signals:
    """Random load, a fifth of it flexible, some sun, and prices that nobody should use."""
    rng = np.random.default_rng(seed)
    load = rng.uniform(0.1, 2, (n_steps, n))
    return Signals(
        p_load_kw=0.8 * load,
        q_load_kvar=0.2 * load,
        p_pv_kw=np.maximum(rng.uniform(-2, 3, (n_steps, n)), 0),
        p_flexible_kw=0.2 * load,
        p_flexible_min_kw=0 * load,
        p_flexible_max_kw=0.5 * load,
        price_buy=np.full((n_steps, n), 7.0),
        price_sell=np.full((n_steps, n), -7.0),
    )


def homes(n: int = 6, seed: int = 1, refill: bool = True, **options: Any) -> Homes:
    """Homes over a window of all T steps."""
    population, signals = Population(some_homes(n, seed)), some_world(n, seed)
    window = Window(0, T, T, STEP_H, refill)
    return Homes(population, PerfectForecast(signals), signals, window, **options)


def some_terms(n: int, seed: int, demand_price: float = 0.0) -> Terms:
    """Random prices of each of n homes; with a demand price, of that mean in two windows that do not fill the day."""
    rng = np.random.default_rng(seed)
    buy = rng.uniform(0.05, 0.4, (T, n))
    terms = Terms.of_prices(buy, buy * rng.uniform(0, 1, n), STEP_H)
    if not demand_price:
        return terms
    windows = np.zeros((2, T), dtype=bool)
    windows[0, :5], windows[1, 7:10] = True, True
    return replace(terms, demand_price=demand_price * rng.uniform(0.5, 1.5, (2, n)), demand_window=windows)


def horizon_of(k: int, owned: Assets, world: Signals, terms: Terms, refill: bool) -> Horizon:
    """What home k knows before the first of all T steps."""
    return Horizon(
        price_buy=terms.price_buy[:, k],
        price_sell=terms.price_sell[:, k],
        p_net_kw=world.p_load_kw[:, k] - world.p_pv_kw[:, k],
        flexible_min_kw=world.p_flexible_min_kw[:, k],
        flexible_max_kw=world.p_flexible_max_kw[:, k],
        energy_start_kwh=float(owned.energy_start_kwh[k]),
        flexible_energy_kwh=STEP_H * float(world.p_flexible_kw[:, k].sum()),
        energy_end_min_kwh=float(owned.energy_start_kwh[k]) if refill else None,
    )


def energies(asked: Homes, owned: Assets, battery_kw: Array) -> Array:
    """Energy of the batteries at the end of each step, as a population lives it at their power, shape (T, n)."""
    population, found = Population(owned), np.zeros(battery_kw.shape)
    for step, power in enumerate(battery_kw):
        population.p_battery_kw[asked.rows] = power
        population.deliver(STEP_H)
        found[step] = population.energy_kwh[asked.rows]
    return found


def least_bill(block: Block, terms: Terms) -> float:
    """Least bill of one customer by its block and `terms` of that customer alone, with a variable per demand window."""
    n_columns, n_windows = block.matrix.shape[1], len(terms.demand_price)
    bill = STEP_H * (block.imports.T @ terms.price_buy[:, 0] - block.exports.T @ terms.price_sell[:, 0])
    rows = [(block.matrix, block.program.row_upper), (-block.matrix, -block.program.row_lower)]
    no_peaks = sparse.csc_array((block.matrix.shape[0], n_windows))
    stacked = [sparse.hstack([matrix, no_peaks]) for matrix, _ in rows]
    limits = [limit for _, limit in rows]
    for d, window in enumerate(terms.demand_window):
        peak = sparse.coo_array((np.full(window.sum(), -1.0), (np.arange(window.sum()), np.full(window.sum(), d))))
        peak.resize((int(window.sum()), n_windows))
        stacked.append(sparse.hstack([block.imports.tocsr()[window], peak]))
        limits.append(np.zeros(window.sum()))
    limit = np.concatenate(limits)
    known = np.isfinite(limit)
    solved = linprog(
        np.append(block.program.cost + bill, terms.demand_price[:, 0]),
        sparse.vstack(stacked).tocsr()[known],
        limit[known],
        bounds=[*zip(block.program.lower, block.program.upper, strict=True), *[(0, None)] * n_windows],
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    assert solved.status == 0 and len(solved.x) == n_columns + n_windows
    return float(solved.fun)


def columns(table: Any, who: list[int]) -> Any:
    """Assets or signals of some rows."""
    values = {field.name: getattr(table, field.name) for field in fields(table)}
    take = {name: [v[k] for k in who] if isinstance(v, list) else v[..., who] for name, v in values.items()}
    return type(table)(**take)
