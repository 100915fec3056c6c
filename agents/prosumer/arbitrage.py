"""Energy arbitrage of one prosumer: battery and flexible load against the price, as a linear program.

The published problem (Hashmi et al., arXiv 2207.10248, section II-B) minimises the bill over the change of battery
energy x and the flexible load f, where the battery draws ``s(x) = (max(x, 0) / eta_ch + min(x, 0) * eta_dis) / h``
and the meter sees ``L = z + f + s(x)``. Its epigraph form has 3N variables and 6N + 2 dense rows. Here charging c,
discharging d, import g and energy b are variables of their own; the bill is ``h * sum(ps * L + (pb - ps) * g)`` with
``g >= L, g >= 0``. That makes 5N variables, 2N + 1 sparse rows, and a matrix that never changes, so that each plan
starts from the basis of the last.

**When it is exact.** With ``ps <= pb`` the bill is convex in L, and g is max(L, 0) at the optimum. What the LP adds
to the published problem is that c and d may both be positive, which burns energy: the same x at a larger L.

- ``pb >= ps >= 0``: the bill never falls with L. Burning never pays; replacing c and d by their net effect (the same
  x, no larger L) costs no more. The LP is exact.
- ``pb >= 0 > ps``: the bill falls with L while exporting. Burning may pay as long as there is surplus.
- ``0 > pb >= ps``: the bill falls with L everywhere. Burning pays whenever it is possible.

So only steps with ``ps < 0`` can go wrong. There the net effect is taken as well, and its bill compared: bill of the
LP's solution <= optimum <= bill of the netted plan, which is a proof when the two ends meet. When they do not, a
binary for each step with ``ps < 0`` chooses charging or discharging (`agents.prosumer.exclusive`); the other steps
still need none, as above. A search that is cut short says so in the plan, with the bound it reached. All of this
holds with self-discharge too: what the battery holds after a step depends on the net effect alone. With ``ps > pb``
energy could be bought and sold at once without end: refused.

**Demand charges.** A price on the highest import of a window is one variable more per window, ``peak >= g`` in its
steps, and no less than the peak so far (`Horizon.demand`). The charge never falls with L either, so that all of the
above holds with it; a demand price below zero would not be convex: refused.

**Ties.** Equal prices leave many plans of equal cost. Tiny weights on throughput, on flexible load and on energy held,
no two steps alike, choose one of them (`agents.prosumer.ties`), so that the plan depends neither on the solver nor
on where it started. They are some millionths of the mean price; what they leave unearned is at most that per kWh.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.errors import SolverError
from agents.highs import Program
from agents.prosumer.battery import Battery
from agents.prosumer.exclusive import charge_or_discharge
from agents.prosumer.highs import N_BLOCKS, SplitLp
from agents.prosumer.peaks import with_peaks
from agents.prosumer.plan import (
    SAME_ENERGY_KWH,
    Horizon,
    Plan,
    UnreachableError,
    arbitrage_cost,
)
from agents.prosumer.reach import battery_row, check_reachable, check_steps, end_limits
from agents.prosumer.self_discharge import decay, energies_after
from agents.prosumer.ties import FLEXIBLE, HOLDING, THROUGHPUT, price_scale, tie_weights
from feeders.errors import InputError

__all__ = [
    "ArbitragePlanner",
    "Horizon",
    "Plan",
    "UnreachableError",
    "arbitrage_cost",
]

Array = npt.NDArray[np.float64]

_RESIDUAL = 1e-6  # kW or kWh by which a solution may miss a constraint


class ArbitragePlanner:
    """Plans for one prosumer; planners share nothing, so that each may run in a thread of its own.

    Parameters
    ----------
    n_steps : int
        Longest horizon N, in steps.
    battery : Battery
        Its battery.
    step_h : float
        Length h of a market step [h].
    n_windows : int
        Most windows of demand charges in a horizon, at most N.

    Raises
    ------
    InputError
        For no steps, a step without length, or more windows than steps.
    """

    def __init__(self, n_steps: int, battery: Battery, step_h: float, n_windows: int = 0) -> None:
        check_steps(n_steps, step_h)
        if not 0 <= n_windows <= n_steps:
            raise InputError("arbitrage", "n_windows", n_windows, f"0 to {n_steps}, the number of steps")
        self.n_steps, self.battery, self.step_h, self.n_windows = n_steps, battery, step_h, n_windows
        self._lp = SplitLp(n_steps, battery, step_h, n_windows)
        self._ties = tie_weights(n_steps, step_h)

    def plan(self, horizon: Horizon, ties: Array | None = None) -> Plan:
        """The cheapest plan for the steps of `horizon`, at most N.

        Parameters
        ----------
        horizon : Horizon
        ties : array, shape (3, N), optional
            Which of equally cheap ones, as of `agents.prosumer.ties.tie_weights`; by default "late".

        Raises
        ------
        InputError
            For arrays of different lengths, numbers that are not finite, a step that sells above its buying
            price or whose flexible load has no room between its bounds, and more or unusable demand charges.
        UnreachableError
            When battery or flexible load cannot have the energy that is due; says what is due and possible.
        SolverError
            When HiGHS fails.
        """
        horizon = self._checked(horizon)
        program = self._numbers(horizon, self._ties if ties is None else ties)
        values = self._lp.solve(program)[:N_BLOCKS]
        plan = self._netted(values, program, horizon)
        either = np.flatnonzero(horizon.price_sell < 0)
        if either.size == 0 or self._is_proved(plan, values):
            return plan
        either += self.n_steps - len(horizon.price_buy)
        choice = charge_or_discharge(self._lp.matrix, program, either)
        program.upper[1, either[choice.charging]] = 0.0
        program.upper[0, either[~choice.charging]] = 0.0
        plan = self._netted(self._lp.solve(program)[:N_BLOCKS], program, horizon)
        gap = choice.gap / self._scale(horizon)
        return replace(plan, exact="limit" if choice.gap else "milp", cost_gap=gap)

    def linear_program(self, horizon: Horizon, ties: Array | None = None) -> tuple[sparse.csc_array, Program]:
        """Matrix and numbers of the LP for a horizon, tie weights among its costs, for whoever solves it elsewhere.

        Raises
        ------
        InputError, UnreachableError
            As `plan`.
        """
        return self._lp.matrix, self._numbers(self._checked(horizon), self._ties if ties is None else ties)

    def _checked(self, horizon: Horizon) -> Horizon:
        horizon = horizon.checked(self.n_steps)
        n_windows = 0 if horizon.demand is None else len(horizon.demand.price)
        if n_windows > self.n_windows:
            raise InputError("demand", "price", n_windows, f"at most {self.n_windows} windows, as the planner has")
        check_reachable(horizon, self.battery, self.step_h)
        return horizon

    def _numbers(self, horizon: Horizon, ties: Array) -> Program:
        """The LP's numbers, those of the peaks among them."""
        program = self._program(horizon, ties)
        if not self.n_windows:
            return program
        return with_peaks(program, horizon.demand, self._scale(horizon), self.n_windows)

    def _scale(self, horizon: Horizon) -> float:
        """What brings the mean price near 1000; where energy is free, the demand price spread over the horizon."""
        if (
            horizon.demand is None
            or not len(horizon.demand.price)
            or horizon.price_buy.any()
            or horizon.price_sell.any()
        ):
            return price_scale(horizon.price_buy, horizon.price_sell)
        spread = horizon.demand.price / (self.step_h * len(horizon.price_buy))
        return price_scale(spread, spread)

    def _program(self, horizon: Horizon, ties: Array) -> Program:
        """The LP's numbers; the horizon fills the last n of N steps, before which nothing changes."""
        battery, step_h = self.battery, self.step_h
        buy, sell, net, flexible_min, flexible_max = horizon.columns
        ahead = slice(self.n_steps - len(buy), None)
        scale = step_h * self._scale(horizon)

        cost, lower, upper = np.zeros((3, N_BLOCKS, self.n_steps))
        cost[0, ahead] = cost[2, ahead] = scale * sell
        cost[1, ahead] = -scale * sell
        cost[3, ahead] = scale * (buy - sell)
        cost[0] += ties[THROUGHPUT]
        cost[1] += ties[THROUGHPUT]
        cost[2] += ties[FLEXIBLE]
        cost[4] += ties[HOLDING]
        upper[0, ahead] = battery.p_charge_max_kw / battery.efficiency_charge
        upper[1, ahead] = battery.p_discharge_max_kw * battery.efficiency_discharge
        lower[2, ahead], upper[2, ahead] = flexible_min, flexible_max
        upper[3] = np.inf
        lower[4], upper[4] = battery.energy_min_kwh, battery.energy_max_kwh

        row_lower, row_upper = np.zeros((2, 2 * self.n_steps + 1))
        start, lost = self._start(horizon), decay(battery.self_discharge_per_h, step_h)[0]
        # The energy waits at the start until the horizon begins, and decays from there on.
        row_lower[: self.n_steps] = lost * start
        row_lower[: self.n_steps][ahead] = lost * battery.energy_min_kwh
        row_lower[0] = start if len(buy) < self.n_steps else start - lost * (start - battery.energy_min_kwh)
        row_upper[: self.n_steps] = row_lower[: self.n_steps]
        row_lower[self.n_steps : -1][ahead] = net
        row_upper[self.n_steps : -1] = np.inf
        # Within rounding of what is possible the bound gives way, so that the LP has a solution.
        due, slack = horizon.flexible_energy_kwh, horizon.flexible_slack_kwh
        row_lower[-1] = min(due - slack, step_h * flexible_max.sum())
        row_upper[-1] = max(due + slack, step_h * flexible_min.sum())
        if horizon.energy_end_min_kwh is not None:
            _, highest = end_limits(float(step_h * len(buy)), start, battery_row(battery))
            lower[4, -1] = min(max(horizon.energy_end_min_kwh, battery.energy_min_kwh), highest)
        return Program(cost, lower, upper, row_lower, row_upper)

    def _start(self, horizon: Horizon) -> float:
        """The battery's energy at the start, but for rounding beyond its bounds."""
        return min(max(float(horizon.energy_start_kwh), self.battery.energy_min_kwh), self.battery.energy_max_kwh)

    def _netted(self, values: Array, program: Program, horizon: Horizon) -> Plan:
        """The plan in the LP's solution, charging and discharging at once replaced by the net effect."""
        battery, step_h = self.battery, self.step_h
        ahead = slice(self.n_steps - len(horizon.price_buy), None)
        charge, discharge, flexible, _, _ = values[:, ahead]
        stored = charge * battery.efficiency_charge - discharge / battery.efficiency_discharge
        s = np.where(stored > 0, stored / battery.efficiency_charge, stored * battery.efficiency_discharge)
        energy = energies_after(self._start(horizon), stored, step_h, battery_row(battery))
        _check_residual(program, ahead, s, flexible, energy, step_h)
        meter = horizon.p_net_kw + flexible + s
        cost = float(arbitrage_cost(meter, horizon.price_buy, horizon.price_sell, step_h))
        cost += horizon.demand.charge(meter) if horizon.demand is not None else 0.0
        return Plan(s, flexible, energy, cost, "lp", 0.0, horizon, step_h)

    def _is_proved(self, plan: Plan, values: Array) -> bool:
        """Whether the plan costs no more than the LP's own solution, below which no plan can be."""
        horizon = plan.horizon
        charge, discharge, flexible, _, _ = values[:, self.n_steps - len(horizon.price_buy) :]
        buy, sell = horizon.price_buy, horizon.price_sell
        meter = horizon.p_net_kw + flexible + charge - discharge
        bound = arbitrage_cost(meter, buy, sell, self.step_h)
        bound += horizon.demand.charge(meter) if horizon.demand is not None else 0.0
        return bool(plan.cost <= bound + SAME_ENERGY_KWH * np.abs(sell).mean())


def _check_residual(program: Program, ahead: slice, s: Array, flexible: Array, energy: Array, step_h: float) -> None:
    """Whether the powers, taken by themselves, keep every constraint of the problem."""
    lower, upper = program.lower[:, ahead], program.upper[:, ahead]
    total, due = step_h * float(flexible.sum()), 2 * program.lower.shape[1]
    beyond = np.concatenate(
        (
            s - upper[0],
            -s - upper[1],
            lower[2] - flexible,
            flexible - upper[2],
            lower[4] - energy,
            energy - upper[4],
            [program.row_lower[due] - total, total - program.row_upper[due]],
        )
    ).max()
    if not beyond <= _RESIDUAL:
        raise SolverError(f"the solution misses a constraint by {beyond:.3g} kW or kWh")
