"""The arbitrage problem as published, and as an exact MILP, solved by GLPK: a second formulation and a second solver.

Both are written from the problem's definition with dense rows, and share nothing with the planners but their types.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import swiglpk as glpk  # type: ignore[import-untyped]

from agents.prosumer.arbitrage import Horizon
from agents.prosumer.battery import Battery
from cosim.bench.published import published_program

__all__ = ["exact_cost", "published_cost", "published_rows"]

Array = npt.NDArray[np.float64]


def published_rows(horizon: Horizon, battery: Battery, step_h: float) -> tuple[Array, Array]:
    """``A, upper`` of the rows ``A (x, f, t) <= upper``."""
    program = published_program(horizon, battery, step_h)
    return program.rows, program.upper


def published_cost(horizon: Horizon, battery: Battery, step_h: float) -> float:
    """Optimum of the published form; right where ``0 <= price_sell <= price_buy``."""
    program = published_program(horizon, battery, step_h)
    return _minimum(program.cost, program.rows, program.upper, program.lowest, program.highest)


def exact_cost(horizon: Horizon, battery: Battery, step_h: float) -> float:
    """Optimum for prices of any sign: in every step a binary for charging or discharging, one for import or export.

    Variables c, d, f, import, export, u, v (n each), and before them a peak for each demand window, which is no less
    than the import in its steps; rows ``<=``, equalities as two.
    """
    n = len(horizon.price_buy)
    eye, zero = np.eye(n), np.zeros((n, n))
    charge_max = battery.p_charge_max_kw / battery.efficiency_charge
    discharge_max = battery.p_discharge_max_kw * battery.efficiency_discharge
    most = charge_max + discharge_max + np.abs(horizon.p_net_kw) + np.abs(horizon.flexible_max_kw) + 1
    rate = battery.self_discharge_per_h
    kept = (1 - rate) ** step_h
    # Of a constant power, the mean of what is left of each moment's energy at the end of the step.
    gain = step_h * (1 - kept) / -np.log(kept) if rate else step_h
    age = np.subtract.outer(np.arange(n), np.arange(n))
    so_far = gain * np.tril(kept ** np.maximum(age, 0))
    start = battery.energy_min_kwh + kept ** np.arange(1, n + 1) * (horizon.energy_start_kwh - battery.energy_min_kwh)
    energy = [so_far * battery.efficiency_charge, -so_far / battery.efficiency_discharge] + [zero] * 5
    meter = [eye, -eye, eye, -eye, eye, zero, zero]
    lowest = np.full(n, battery.energy_min_kwh)
    lowest[-1] = max(lowest[-1], horizon.energy_end_min_kwh or 0.0)
    total = [np.full((1, n), step_h if block == 2 else 0.0) for block in range(7)]
    due, slack = horizon.flexible_energy_kwh, horizon.flexible_slack_kwh
    blocks: list[tuple[list[Array], Array | float]] = [
        (energy, battery.energy_max_kwh - start),
        ([-block for block in energy], start - lowest),
        (meter, -horizon.p_net_kw),
        ([-block for block in meter], horizon.p_net_kw),
        ([eye, zero, zero, zero, zero, -charge_max * eye, zero], 0.0),
        ([zero, eye, zero, zero, zero, discharge_max * eye, zero], discharge_max),
        ([zero, zero, zero, eye, zero, zero, -np.diag(most)], 0.0),
        ([zero, zero, zero, zero, eye, zero, np.diag(most)], most),
        (total, due + slack),
        ([-block for block in total], slack - due),
    ]
    matrix = np.vstack([np.hstack(row) for row, _ in blocks])
    upper = np.concatenate([np.broadcast_to(bound, len(row[0])) for row, bound in blocks])
    nothing = np.zeros(n)
    cost = step_h * np.concatenate(
        [nothing, nothing, nothing, horizon.price_buy, -horizon.price_sell, nothing, nothing]
    )
    tops = (charge_max, discharge_max, horizon.flexible_max_kw, most, most, 1.0, 1.0)
    upper_bound = np.concatenate([np.broadcast_to(top, n) for top in tops])
    lower_bound = np.concatenate([nothing, nothing, horizon.flexible_min_kw, np.zeros(4 * n)])
    if horizon.demand is None:
        return _minimum(cost, matrix, upper, lower_bound, upper_bound, n_binaries=2 * n)
    demand = horizon.demand
    size = len(demand.price)
    peaks = [
        np.hstack(
            [np.tile(-np.eye(size)[d], (n, 1)), zero, zero, zero, np.diag(within.astype(float)), zero, zero, zero]
        )
        for d, within in enumerate(demand.window)
    ]
    highest = np.full(size, max(most.max(), demand.peak_so_far_kw.max(initial=0.0)))
    return _minimum(
        np.append(demand.price, cost),
        np.vstack([np.hstack([np.zeros((len(matrix), size)), matrix]), *peaks]),
        np.append(upper, np.zeros(n * size)),
        np.append(demand.peak_so_far_kw, lower_bound),
        np.append(highest, upper_bound),
        n_binaries=2 * n,
    )


def _minimum(
    cost: Array, matrix: Array, upper: Array, lower_bound: Array, upper_bound: Array, n_binaries: int = 0
) -> float:
    """Least ``cost @ v`` subject to ``matrix @ v <= upper`` and bounds; the last `n_binaries` of v are 0 or 1."""
    glpk.glp_term_out(glpk.GLP_OFF)
    problem = glpk.glp_create_prob()
    try:
        n_rows, n_columns = matrix.shape
        glpk.glp_add_rows(problem, n_rows)
        glpk.glp_add_cols(problem, n_columns)
        for row in range(n_rows):
            glpk.glp_set_row_bnds(problem, row + 1, glpk.GLP_UP, 0.0, float(upper[row]))
        for column in range(n_columns):
            low, high = float(lower_bound[column]), float(upper_bound[column])
            kind = glpk.GLP_FR if low == -np.inf else glpk.GLP_FX if low == high else glpk.GLP_DB
            glpk.glp_set_col_bnds(problem, column + 1, kind, low, high)
            # GLPK's tolerances are relative to 1: bring prices of some 0.1 nearer to it.
            glpk.glp_set_obj_coef(problem, column + 1, 100.0 * float(cost[column]))
        for column in range(n_columns - n_binaries, n_columns):
            glpk.glp_set_col_kind(problem, column + 1, glpk.GLP_BV)
        _load(problem, matrix)
        return _solve(problem, bool(n_binaries)) / 100.0
    finally:
        glpk.glp_delete_prob(problem)


def _load(problem: glpk.glp_prob, matrix: Array) -> None:
    rows, columns = np.nonzero(matrix)
    size = len(rows)
    row_index, column_index, value = glpk.intArray(size + 1), glpk.intArray(size + 1), glpk.doubleArray(size + 1)
    entries = zip(rows.tolist(), columns.tolist(), matrix[rows, columns].tolist(), strict=True)
    for place, (row, column, entry) in enumerate(entries, start=1):
        row_index[place], column_index[place], value[place] = row + 1, column + 1, entry
    glpk.glp_load_matrix(problem, size, row_index, column_index, value)


def _solve(problem: glpk.glp_prob, with_binaries: bool) -> float:
    simplex = glpk.glp_smcp()
    glpk.glp_init_smcp(simplex)
    simplex.tol_bnd = simplex.tol_dj = 1e-9
    assert glpk.glp_simplex(problem, simplex) == 0
    assert glpk.glp_get_status(problem) == glpk.GLP_OPT
    if not with_binaries:
        return float(glpk.glp_get_obj_val(problem))
    search = glpk.glp_iocp()
    glpk.glp_init_iocp(search)
    search.tol_int, search.tol_obj = 1e-9, 1e-9
    assert glpk.glp_intopt(problem, search) == 0
    assert glpk.glp_mip_status(problem) == glpk.GLP_OPT
    return float(glpk.glp_mip_obj_val(problem))
