"""Virtual prices of one market step, and the linear program that they make: what the closed form is checked against.

Prices are per kWh of electricity, so that the order of stores does not change with the COP of a thermal store. They are
no money; they say what goes first (see `agents.prosumer.self_consumption`)::

    import 10 > discharge battery 8 > discharge thermal store 6 > charge battery 4 > charge thermal store 2 > feed-in 1

What the operator asks changes prices, nothing else:

- stores charge from the grid: import .5, feed-in .25, both below what any charging is worth; no discharge pays. The
  cap on the region's load is a limit of its HV/MV station, never below the load with stores at rest;
- stores are held: discharging costs 12, more than import; charging is worth what it was;
- stores are released: the prices above.

Limits of branches are soft, at a price above all others: a branch beyond its limit has stores discharged, held or not,
or charged, and what storage cannot relieve is reported.

Variables, all >= 0: battery charge and discharge, thermal charge and discharge (n each), import and feed-in (n in scope
"home", 1 in "region"), excess of load and of feed-in (L each). Rows, z the net power with stores at rest::

    import - feed-in - charge + discharge = z                                  (of each home, or of the sum)
    sum over members of (charge - discharge) - over + under  in  -+p_max - sum over members of z       (L rows)
    sum of (charge - discharge) <= max(cap - sum of z, 0)                                             (1 row)
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import SolverError
from agents.highs import OPTIMAL, Program, accept, new_solver, pass_lp, run
from agents.prosumer.behind_meter import BehindMeter, Scope
from agents.prosumer.limits import Limits
from agents.prosumer.self_consumption import SCOPES, Asked, Step, Stores, net_and_room
from agents.prosumer.store_priority import BATTERY, BATTERY_IN, BATTERY_OUT, TES, TES_IN, TES_OUT
from feeders.errors import InputError

__all__ = ["Limits", "Solved", "StepProgram", "VirtualPrices", "solve_step", "virtual_cost"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VirtualPrices:
    """Prices and values per kWh of electricity, in falling order; they encode this order, no money.

    Raises
    ------
    InputError
        Where they are not in the order that they stand for.
    """

    beyond_limit: float = 1000.0
    held: float = 12.0
    grid: float = 10.0
    battery_discharge: float = 8.0
    tes_discharge: float = 6.0
    battery_charge: float = 4.0
    tes_charge: float = 2.0
    feed_in: float = 1.0
    grid_lowered: float = 0.5
    feed_in_lowered: float = 0.25

    def __post_init__(self) -> None:
        for higher, lower in pairwise(field.name for field in fields(self)):
            if not np.inf > getattr(self, higher) > getattr(self, lower):
                allowed = f"finite, and above {lower}, {getattr(self, lower)}"
                raise InputError("virtual prices", higher, getattr(self, higher), allowed)

    def import_and_feed_in(self, asked: Asked) -> tuple[float, float]:
        """Price of import and value of feed-in."""
        return (self.grid_lowered, self.feed_in_lowered) if asked.charge_from_grid else (self.grid, self.feed_in)

    def of_stores(self, asked: Asked) -> tuple[float, float, float, float]:
        """Costs per kWh in the order of a step's room: charging battery and thermal store (< 0), discharging them."""
        discharge = (self.held, self.held) if asked.hold else (self.battery_discharge, self.tes_discharge)
        return -self.battery_charge, -self.tes_charge, *discharge


class Solved(NamedTuple):
    """A step as the linear program has it.

    Attributes
    ----------
    p_battery_kw, q_tes_kw : array, shape (n,)
        As `serve_step`.
    cost_per_h : float
        Value of the objective [virtual price x kW], excess included.
    over_kw : array, shape (L,)
        How far each branch is beyond its limit.
    """

    p_battery_kw: Array
    q_tes_kw: Array
    cost_per_h: float
    over_kw: Array


def solve_step(
    step: Step,
    stores: Stores,
    assets: BehindMeter,
    scope: Scope = "home",
    asked: Asked | None = None,
    limits: Limits | None = None,
    prices: VirtualPrices | None = None,
) -> Solved:
    """One market step as the linear program of virtual prices, solved by HiGHS.

    In scope "home" without limits or cap the optimum is the only one; else others may cost as much.

    Raises
    ------
    InputError, InputErrors
        As `serve_step`; for limits of another number of homes.
    SolverError
        When HiGHS finds no optimum.
    """
    asked = Asked() if asked is None else asked
    p_net_kw, room_kw, cop = net_and_room(step, stores, assets, asked.heat_cap)
    program = StepProgram(len(assets), scope, limits, prices)
    p_stores_kw = program.solve(p_net_kw, room_kw, asked)
    over_kw = np.empty(0) if limits is None else limits.excess_kw(p_net_kw + p_stores_kw.sum(axis=0))
    return Solved(p_stores_kw[BATTERY], p_stores_kw[TES] * cop, program.cost_per_h, over_kw)


def virtual_cost(
    p_net_kw: Array, p_stores_kw: Array, scope: Scope, asked: Asked, prices: VirtualPrices | None = None
) -> float:
    """What a dispatch costs at the virtual prices [price x kW], branch limits left out.

    Parameters
    ----------
    p_net_kw : array, shape (n,)
        With stores at rest.
    p_stores_kw : array, shape (2, n)
        Batteries and thermal stores [kW electric], > 0 charges.
    """
    prices = VirtualPrices() if prices is None else prices
    meter_kw = p_net_kw + p_stores_kw.sum(axis=0)
    meter_kw = meter_kw if scope == "home" else meter_kw.sum(keepdims=True)
    grid, feed_in = prices.import_and_feed_in(asked)
    charge, discharge = np.maximum(p_stores_kw, 0.0).sum(axis=1), np.maximum(-p_stores_kw, 0.0).sum(axis=1)
    stores = float(prices.of_stores(asked) @ np.concatenate([charge, discharge]))
    return stores + grid * float(np.maximum(meter_kw, 0.0).sum()) - feed_in * float(np.maximum(-meter_kw, 0.0).sum())


class StepProgram:
    """The linear program of n homes, whose matrix is passed once; each solve starts afresh, so that no step depends on
    those before it.

    Parameters
    ----------
    n : int
        Number of homes.
    scope : "home" or "region"
    limits : Limits, optional
    prices : VirtualPrices, optional

    Raises
    ------
    InputError
        For an unknown scope, or limits of another number of homes.
    """

    def __init__(self, n: int, scope: Scope, limits: Limits | None = None, prices: VirtualPrices | None = None) -> None:
        if scope not in SCOPES:
            raise InputError("virtual prices", "scope", scope, " or ".join(SCOPES))
        if limits is not None and limits.members.shape[1] != n:
            raise InputError("virtual prices", "limits.members", limits.members.shape, f"columns of {n} homes")
        self.prices = VirtualPrices() if prices is None else prices
        self.cost_per_h = float("nan")
        self._members = np.zeros((0, n)) if limits is None else limits.members.astype(float)
        self._p_max_kw = np.empty(0) if limits is None else limits.p_max_kw
        self._balanced = np.eye(n) if scope == "home" else np.ones((1, n))
        self._matrix = _matrix(self._balanced, self._members)
        self._solver = new_solver()
        n_rows, n_columns = self._matrix.shape
        self._rows, self._columns = np.arange(n_rows, dtype=np.int32), np.arange(n_columns, dtype=np.int32)
        pass_lp(self._solver, self._matrix, Program(*np.zeros((3, n_columns)), *np.zeros((2, n_rows))))

    def solve(self, p_net_kw: Array, room_kw: Array, asked: Asked) -> Array:
        """What batteries and thermal stores do [kW electric], > 0 charges, shape (2, n); sets `cost_per_h`.

        Parameters
        ----------
        p_net_kw : array, shape (n,)
            With stores at rest.
        room_kw : array, shape (4, n)
            As of `net_and_room`.

        Raises
        ------
        SolverError
            For numbers that are not finite, and when HiGHS finds no optimum.
        """
        if not (np.isfinite(p_net_kw).all() and np.isfinite(room_kw).all() and not np.isnan(asked.station_cap_kw)):
            raise SolverError("numbers that are not finite in a step's program")
        solver, n = self._solver, p_net_kw.size
        cost, upper = self._costs(n, asked), np.full(self._columns.size, np.inf)
        upper[: 4 * n] = room_kw.ravel()
        row_lower, row_upper = self._row_bounds(p_net_kw, asked)
        accept(solver.clearSolver(), "a fresh start")
        accept(solver.changeColsCost(self._columns.size, self._columns, cost), "virtual prices")
        accept(solver.changeColsBounds(self._columns.size, self._columns, np.zeros(upper.size), upper), "room")
        accept(solver.changeRowsBounds(self._rows.size, self._rows, row_lower, row_upper), "net power")
        ended = run(solver)
        if ended != OPTIMAL:
            raise SolverError(f"HiGHS ended with {ended.name}")
        values = np.clip(np.array(solver.getSolution().col_value), 0.0, upper)
        self.cost_per_h = float(cost @ values)
        part = values[: 4 * n].reshape(4, n)
        return np.stack([part[BATTERY_IN] - part[BATTERY_OUT], part[TES_IN] - part[TES_OUT]])

    def _costs(self, n: int, asked: Asked) -> Array:
        grid, feed_in = self.prices.import_and_feed_in(asked)
        n_meters, n_limits = len(self._balanced), len(self._members)
        return np.concatenate(
            [
                np.repeat(self.prices.of_stores(asked), n),
                np.repeat([grid, -feed_in], n_meters),
                np.full(2 * n_limits, self.prices.beyond_limit),
            ]
        )

    def _row_bounds(self, p_net_kw: Array, asked: Asked) -> tuple[Array, Array]:
        balance, through = self._balanced @ p_net_kw, self._members @ p_net_kw
        cap_kw = asked.station_cap_kw if asked.charge_from_grid else np.inf
        headroom_kw = max(cap_kw - p_net_kw.sum(), 0.0)
        lower = np.concatenate([balance, -self._p_max_kw - through, [-np.inf]])
        upper = np.concatenate([balance, self._p_max_kw - through, [headroom_kw]])
        return lower, upper


def _matrix(balanced: Array, members: Array) -> sparse.csc_array:
    """Of `balanced` rows (n or 1, n) and branches' members (L, n), in the order of `BATTERY_IN`, ..., import, ..."""
    one, many = np.eye(len(balanced)), np.eye(len(members))
    total = np.ones((1, members.shape[1]))
    blocks = [
        [-balanced, -balanced, balanced, balanced, one, -one, None, None],
        [members, members, -members, -members, None, None, -many, many],
        [total, total, -total, -total, None, None, None, None],
    ]
    if not len(members):
        blocks = [[block for block in row[:6]] for row in (blocks[0], blocks[2])]
    return sparse.csc_array(sparse.block_array([[_sparse(block) for block in row] for row in blocks]))


def _sparse(block: Array | None) -> sparse.coo_array | None:
    return None if block is None else sparse.coo_array(block)
