"""The exact plan of one prosumer by dynamic programming, some fifty times as fast as the LP, for prices from 0 up.

It is the plan of `agents.prosumer.arbitrage` (same problem, same tie weights, hence the same plan), for horizons with
``0 <= price_sell <= price_buy``. There the bill is convex in the power at the meter and never falls with it, so that
one convex piecewise-linear function of battery energy per step says all about the future
(`agents.prosumer.value_function`), and one price, that of flexible energy, ties the steps together
(`agents.prosumer.flexible_price`). With a negative price neither holds: HiGHS it is then.

`DynamicProgramPlanner` plans for one prosumer from Python. A compiled loop over many calls `solve_plan` instead::

    work = make_work(n_steps)                  # once per thread, for all prosumers
    ties = tie_weights(n_steps, step_h)        # agents.prosumer.ties; shared by all who do not draw
    battery = battery_row(...)                 # agents.prosumer.reach; the numbers of Battery, in their order
    status, mu = solve_plan(
        step_h, price_buy, price_sell, p_net_kw, flexible_min_kw, flexible_max_kw,    # (n,) each, 1 <= n <= N
        energy_start_kwh, due_kwh, slack_kwh, energy_end_min_kwh,                     # -inf: no end condition
        battery, ties, work, out_battery_kw, out_flexible_kw, out_energy_kwh,         # outputs (n,) each
        mu,                                                                           # of the last plan, or NaN
    )

It holds no lock and allocates nothing. Numbers and arrays are doubles (an int means compiling once more); `work` and
`ties` are whole C-contiguous arrays, the others may be slices of any stride. A horizon of n < N steps takes the last n
tie weights. When `status` is not `PLANNED` the outputs are left as they were, and mu is returned as it was. `mu` makes
the search begin near its end; the plan is the same to the last bit wherever it begins. It is what another kWh of
flexible energy would cost [currency/kWh], where there is a choice.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.errors import PlanError, SolverError
from agents.prosumer.battery import Battery
from agents.prosumer.flexible_price import SAME_LOAD, mix, search
from agents.prosumer.plan import Horizon, Plan, arbitrage_cost
from agents.prosumer.plan_status import NOT_CONVEX, NOT_SETTLED, NOT_USABLE, PLANNED, UNREACHABLE, problem_status
from agents.prosumer.reach import battery_row, check_reachable, check_steps
from agents.prosumer.stages import fill_rates, fill_stages
from agents.prosumer.ties import price_scale, tie_weights
from agents.prosumer.value_function import FMAX, FMIN, N_PLAN, N_POLICY, N_RATES, N_STAGE, backward, forward, to_grid
from feeders.compiled import compiled

__all__ = [
    "NOT_CONVEX",
    "NOT_SETTLED",
    "NOT_USABLE",
    "PLANNED",
    "UNREACHABLE",
    "DemandChargeError",
    "DynamicProgramPlanner",
    "NegativePriceError",
    "make_work",
    "solve_plan",
]

Array = npt.NDArray[np.float64]

_STRIDE = 10.0  # where the mean price is near 1000: first step away from the last price of flexible energy


class NegativePriceError(PlanError):
    """A price is negative: the bill is not convex then.

    Parameters
    ----------
    step : int
        The first such step of the horizon.
    price : float
        Its selling price [currency/kWh].
    """

    def __init__(self, step: int, price: float) -> None:
        self.step, self.price = step, price
        super().__init__(
            f"no plan by dynamic programming: price_sell[{step}] is {price:.9g}, allowed: 0 or more; "
            "ArbitragePlanner (HiGHS) plans for negative prices"
        )


class DemandChargeError(PlanError):
    """The highest import has a price: the steps are then bound together by more than energy.

    Parameters
    ----------
    price : float
        The demand price [currency/kW].
    """

    def __init__(self, price: float) -> None:
        self.price = price
        super().__init__(
            f"no plan by dynamic programming: demand price {price:.9g}, allowed: 0; "
            "ArbitragePlanner (HiGHS) plans for demand charges"
        )


class DynamicProgramPlanner:
    """Plans for one prosumer as `ArbitragePlanner` does, where no price is negative; planners share nothing.

    Parameters
    ----------
    n_steps : int
        Longest horizon N, in steps.
    battery : Battery
        Its battery.
    step_h : float
        Length h of a market step [h].

    Raises
    ------
    InputError
        For no steps, or a step without length.
    """

    def __init__(self, n_steps: int, battery: Battery, step_h: float) -> None:
        check_steps(n_steps, step_h)
        self.n_steps, self.battery, self.step_h = n_steps, battery, float(step_h)
        self._battery = battery_row(battery)
        self._ties = tie_weights(n_steps, step_h)
        self._work = make_work(n_steps)
        self._mu = float("nan")

    def plan(self, horizon: Horizon, ties: Array | None = None) -> Plan:
        """The cheapest plan for the steps of `horizon`, at most N, as `ArbitragePlanner.plan`.

        Raises
        ------
        InputError
            As `Horizon.checked`.
        UnreachableError
            When battery or flexible load cannot have the energy that is due; says what is due and possible.
        NegativePriceError
            When a price is negative; says which.
        DemandChargeError
            When the highest import has a price.
        SolverError
            When the search for the price of flexible energy does not end.
        """
        horizon = horizon.checked(self.n_steps)
        if (horizon.price_sell < 0).any():
            step = int(np.argmax(horizon.price_sell < 0))
            raise NegativePriceError(step, float(horizon.price_sell[step]))
        if horizon.demand is not None and horizon.demand.price.any():
            raise DemandChargeError(float(horizon.demand.price.max()))
        check_reachable(horizon, self.battery, self.step_h)
        end = horizon.energy_end_min_kwh
        battery_kw, flexible_kw, energy_kwh = np.empty((3, len(horizon.price_buy)))
        status, self._mu = solve_plan(
            self.step_h,
            *horizon.columns,
            float(horizon.energy_start_kwh),
            float(horizon.flexible_energy_kwh),
            float(horizon.flexible_slack_kwh),
            -np.inf if end is None else float(end),
            self._battery,
            self._ties if ties is None else ties,
            self._work,
            battery_kw,
            flexible_kw,
            energy_kwh,
            self._mu,
        )
        if status != PLANNED:
            raise SolverError(f"dynamic program: status {status} for a horizon that has a plan")
        meter = horizon.p_net_kw + flexible_kw + battery_kw
        cost = float(arbitrage_cost(meter, horizon.price_buy, horizon.price_sell, self.step_h))
        return Plan(battery_kw, flexible_kw, energy_kwh, cost, "dynamic-program", 0.0, horizon, self.step_h)


def make_work(n_steps: int) -> Array:
    """Room that `solve_plan` works in, for horizons of up to `n_steps`; no two threads may share one."""
    return np.empty(int(_work_size(n_steps)))


@compiled
def _work_size(n_steps: int) -> int:
    return N_RATES + 4 * (4 * n_steps + 8) + n_steps * (N_STAGE + N_POLICY + 3 * N_PLAN)


@compiled
def _solve(
    start: float,
    end: float,
    target: float,
    mu: float,
    stride: float,
    stages: Array,
    rates: Array,
    lists: Array,
    policy: Array,
    plans: Array,
) -> tuple[bool, int, int, float, float]:
    """As `search`, also where the flexible load has no choice."""
    least = most = 0.0
    for i in range(len(stages)):
        least += stages[i, FMIN]
        most += stages[i, FMAX]
    rounding = SAME_LOAD * max(most, 1.0)
    if least + rounding < target < most - rounding:
        return search(mu, target, start, end, stages, rates, lists, policy, plans, stride)
    extreme = -np.inf if target <= least + rounding else np.inf
    backward(extreme, end, stages, rates, lists, policy)
    forward(extreme, start, stages, rates, policy, plans, 0)
    return True, 0, 0, 0.0, mu


@compiled
def _parts(work: Array, n: int) -> tuple[Array, Array, Array, Array, Array]:
    """Rates, lists, stages, policy and three plans of `n` steps, one after the other in `work`; see `_work_size`."""
    at = N_RATES
    lists = work[at : at + 4 * (4 * n + 8)].reshape(4, 4 * n + 8)
    at += lists.size
    stages = work[at : at + n * N_STAGE].reshape(n, N_STAGE)
    at += stages.size
    policy = work[at : at + n * N_POLICY].reshape(n, N_POLICY)
    at += policy.size
    return work[:N_RATES], lists, stages, policy, work[at : at + 3 * N_PLAN * n].reshape(3, N_PLAN, n)


@compiled
def solve_plan(
    step_h: float,
    price_buy: Array,
    price_sell: Array,
    p_net_kw: Array,
    flexible_min_kw: Array,
    flexible_max_kw: Array,
    energy_start_kwh: float,
    due_kwh: float,
    slack_kwh: float,
    energy_end_min_kwh: float,
    battery: Array,
    ties: Array,
    work: Array,
    out_battery_kw: Array,
    out_flexible_kw: Array,
    out_energy_kwh: Array,
    mu: float,
) -> tuple[int, float]:
    """Plan one horizon into the output arrays; its status and price of flexible energy: see the module's docstring."""
    n = price_buy.size
    room = min(out_battery_kw.size, out_flexible_kw.size, out_energy_kwh.size, ties.shape[1])
    if room < n or work.size < _work_size(n):
        return NOT_USABLE, mu
    status = problem_status(
        step_h, price_buy, price_sell, p_net_kw, flexible_min_kw, flexible_max_kw,
        energy_start_kwh, due_kwh, slack_kwh, energy_end_min_kwh, battery,
    )  # fmt: skip
    if status != PLANNED:
        return status, mu

    rates, lists, stages, policy, plans = _parts(work, n)
    magic = fill_rates(step_h, battery, rates)
    weight = step_h * price_scale(price_buy, price_sell)
    fill_stages(weight, price_buy, price_sell, p_net_kw, flexible_min_kw, flexible_max_kw, ties, rates, magic, stages)
    start = to_grid(min(max(energy_start_kwh, battery[0]), battery[1]), magic)
    # An end that is out of reach by rounding makes the battery charge throughout: as near to it as can be.
    end = to_grid(min(max(energy_end_min_kwh, battery[0]), battery[1]), magic)
    target = (due_kwh - slack_kwh) / step_h
    settled, less, more, share, found = _solve(
        start, end, target, mu * weight, _STRIDE * step_h, stages, rates, lists, policy, plans
    )
    if not settled:
        return NOT_SETTLED, mu
    mix(plans[less], plans[more], share, stages, rates, out_battery_kw, out_flexible_kw, out_energy_kwh)
    return PLANNED, found / weight
