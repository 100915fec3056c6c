"""The arbitrage problem in the form in which it was published: dense rows, an epigraph variable per step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from agents.prosumer import Battery, Horizon

__all__ = ["PublishedProgram", "published_program", "solved_by_linprog"]

Array = npt.NDArray[np.float64]


class PublishedProgram(NamedTuple):
    """Minimise ``cost @ v`` subject to ``rows @ v <= upper`` and ``lowest <= v <= highest``; v is (x, f, t)."""

    cost: Array
    rows: Array
    upper: Array
    lowest: Array
    highest: Array


def published_program(horizon: Horizon, battery: Battery, step_h: float) -> PublishedProgram:
    """The 6N + 2 rows over 3N variables of Hashmi et al., arXiv 2207.10248, section II-B.

    4N cost segments ``t_i >= p * (h (z_i + f_i) + a x_i)`` for p in {pb_i, ps_i} and a in {1/eta_ch, eta_dis}, 2N
    capacity rows, 2 rows of flexible energy. The terminal condition tightens the last capacity row. Its optimum is
    the bill where ``0 <= price_sell <= price_buy``. With self-discharge, which is not in the paper, x_i is the energy
    that the power alone would add in the step; (1 - exp(-k h)) / k of an hour's worth of it is there at its end, and
    exp(-k h (j - i)) of that at the end of step j.
    """
    n = len(horizon.price_buy)
    eye, zero = np.eye(n), np.zeros((n, n))
    rows, upper = [], []
    for price in (horizon.price_buy, horizon.price_sell):
        for slope in (1 / battery.efficiency_charge, battery.efficiency_discharge):
            rows.append(np.hstack([np.diag(price * slope), np.diag(price * step_h), -eye]))
            upper.append(-price * step_h * horizon.p_net_kw)
    k_h = -step_h * np.log1p(-battery.self_discharge_per_h)
    share = -np.expm1(-k_h) / k_h if k_h else 1.0
    age = np.subtract.outer(np.arange(n), np.arange(n))
    so_far = np.hstack([share * np.tril(np.exp(-k_h * np.maximum(age, 0))), zero, zero])
    by_itself = np.exp(-k_h * np.arange(1, n + 1))
    by_itself = battery.energy_min_kwh + by_itself * (horizon.energy_start_kwh - battery.energy_min_kwh)
    least = np.full(n, battery.energy_min_kwh)
    least[-1] = max(least[-1], horizon.energy_end_min_kwh or 0.0)
    rows += [so_far, -so_far]
    upper += [np.full(n, battery.energy_max_kwh) - by_itself, by_itself - least]
    total = np.hstack([np.zeros((1, n)), np.full((1, n), step_h), np.zeros((1, n))])
    due, slack = horizon.flexible_energy_kwh, horizon.flexible_slack_kwh
    rows += [total, -total]
    upper += [np.array([due + slack]), np.array([slack - due])]
    change_lo, change_hi = -step_h * battery.p_discharge_max_kw, step_h * battery.p_charge_max_kw
    return PublishedProgram(
        np.concatenate([np.zeros(2 * n), np.ones(n)]),
        np.vstack(rows),
        np.concatenate(upper),
        np.concatenate([np.full(n, change_lo), horizon.flexible_min_kw, np.full(n, -np.inf)]),
        np.concatenate([np.full(n, change_hi), horizon.flexible_max_kw, np.full(n, np.inf)]),
    )


def solved_by_linprog(program: PublishedProgram) -> float:
    """Its optimum by ``scipy.optimize.linprog(method="highs")``; NaN where that finds none."""
    bounds = np.column_stack([program.lowest, program.highest])
    found = linprog(program.cost, A_ub=program.rows, b_ub=program.upper, bounds=bounds, method="highs")
    return float(found.fun) if found.status == 0 else float("nan")
