"""What goes into an arbitrage plan, what comes out, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from agents.errors import PlanError
from agents.prosumer.demand import Demand
from feeders.errors import InputError

__all__ = ["SAME_ENERGY_KWH", "Horizon", "Plan", "UnreachableError", "arbitrage_cost"]

Array = npt.NDArray[np.float64]

# Fifteen one-minute additions differ from one of fifteen minutes by some 1e-15 kWh, and a day of them by
# 1e-13; a difference of 1e-9 kWh cannot be told from that and is worth nothing at any price.
SAME_ENERGY_KWH = 1e-9

_COLUMNS = ("price_buy", "price_sell", "p_net_kw", "flexible_min_kw", "flexible_max_kw")
_LARGEST = 1e9  # beyond it a number is a mistake, and HiGHS takes 1e20 for infinite


class UnreachableError(PlanError):
    """A plan would have to reach an energy that it cannot.

    Parameters
    ----------
    what : str
        Which energy, e.g. ``"flexible energy"``.
    due_kwh : float
        What is asked for.
    lowest_kwh, highest_kwh : float
        What is possible.
    """

    def __init__(self, what: str, due_kwh: float, lowest_kwh: float, highest_kwh: float) -> None:
        self.what, self.due_kwh = what, due_kwh
        self.lowest_kwh, self.highest_kwh = lowest_kwh, highest_kwh
        super().__init__(
            f"no plan: {what} of {due_kwh:.9g} kWh is due; possible: {lowest_kwh:.9g} to {highest_kwh:.9g} kWh"
        )


@dataclass(frozen=True)
class Horizon:
    """What a prosumer knows of the n market steps that it plans; arrays of shape (n,).

    Attributes
    ----------
    price_buy, price_sell : array
        Prices [currency/kWh]; ``price_sell <= price_buy`` in every step, either may be negative.
    p_net_kw : array
        Inelastic load less available PV, > 0 consumed.
    flexible_min_kw, flexible_max_kw : array
        Bounds of the flexible load.
    energy_start_kwh : float
        Battery energy now.
    flexible_energy_kwh : float
        Energy that the flexible load must still receive over these steps.
    flexible_slack_kwh : float
        By how much it may be missed, either way.
    energy_end_min_kwh : float, optional
        Least battery energy at the end: the terminal condition of a rolling horizon.
    demand : Demand, optional
        Charges on the highest import.
    """

    price_buy: Array
    price_sell: Array
    p_net_kw: Array
    flexible_min_kw: Array
    flexible_max_kw: Array
    energy_start_kwh: float
    flexible_energy_kwh: float
    flexible_slack_kwh: float = 0.0
    energy_end_min_kwh: float | None = None
    demand: Demand | None = None

    @property
    def columns(self) -> tuple[Array, Array, Array, Array, Array]:
        """The five arrays, in the order of the attributes."""
        return (
            self.price_buy,
            self.price_sell,
            self.p_net_kw,
            self.flexible_min_kw,
            self.flexible_max_kw,
        )

    def checked(self, n_steps: int) -> Horizon:
        """The same with copies of the arrays, once it is found usable for a planner of `n_steps`.

        Raises
        ------
        InputError
            For arrays of different lengths, numbers that are not finite, a step that sells above its buying
            price or whose flexible load has no room between its bounds; names the first step. As `Demand.checked`.
        """
        n = np.size(self.price_buy)
        for name, column in zip(_COLUMNS, self.columns, strict=True):
            if np.shape(column) != (n,) or not 1 <= n <= n_steps:
                raise InputError("horizon", name, np.shape(column), f"one shape (n,) for all, 1 <= n <= {n_steps}")
        columns = np.array(self.columns, dtype=np.float64)
        _check_size(columns)
        _check_scalars(self)
        _check_order(_COLUMNS[1], _COLUMNS[0], columns[1], columns[0])
        _check_order(_COLUMNS[3], _COLUMNS[4], columns[3], columns[4])
        demand = None if self.demand is None else self.demand.checked(n)
        return replace(self, **dict(zip(_COLUMNS, columns, strict=True)), demand=demand)


@dataclass(frozen=True)
class Plan:
    """The cheapest use of battery and flexible load over a horizon of n steps; arrays of shape (n,).

    Attributes
    ----------
    p_battery_kw : array
        AC power of the battery, > 0 charging.
    p_flexible_kw : array
        Flexible load.
    energy_kwh : array
        Battery energy at the end of each step.
    cost : float
        The bill over the horizon, see `arbitrage_cost`, and the charges on the highest import [currency].
    exact : str
        What proved the plan optimal: ``"lp"`` or ``"dynamic-program"``, or ``"milp"`` where negative prices made
        it pay to charge and discharge at once; ``"limit"`` when that search was cut short.
    cost_gap : float
        By how much at most another plan could cost less; 0 unless the search was cut short [currency].
    horizon : Horizon
        What the plan was made for, as copies.
    step_h : float
        Length of a step [h].
    """

    p_battery_kw: Array
    p_flexible_kw: Array
    energy_kwh: Array
    cost: float
    exact: Literal["lp", "dynamic-program", "milp", "limit"]
    cost_gap: float
    horizon: Horizon
    step_h: float

    def covers(self, horizon: Horizon, elapsed: int) -> bool:
        """Whether the plan without its first `elapsed` steps is the cheapest for `horizon`.

        That is so (Bellman's principle of optimality) when the remaining steps are those that the plan was
        made for, with the same prices and forecasts, and battery and flexible load have the energy that the
        plan assumed. What happened to load and prices in the steps that have passed does not matter. False
        says that the plan must be made anew, not that it would differ.
        """
        made_for = self.horizon
        if not 0 <= elapsed < len(self.energy_kwh):
            return False
        energy = self.energy_kwh[elapsed - 1] if elapsed else made_for.energy_start_kwh
        due = made_for.flexible_energy_kwh - self.step_h * float(self.p_flexible_kw[:elapsed].sum())
        return (
            bool(abs(horizon.energy_start_kwh - energy) <= SAME_ENERGY_KWH)
            and abs(horizon.flexible_energy_kwh - due) <= SAME_ENERGY_KWH
            and horizon.flexible_slack_kwh == made_for.flexible_slack_kwh
            and horizon.energy_end_min_kwh == made_for.energy_end_min_kwh
            and self._covers_demand(horizon.demand, elapsed)
            and all(
                np.array_equal(now, then[elapsed:]) for now, then in zip(horizon.columns, made_for.columns, strict=True)
            )
        )

    def _covers_demand(self, ahead: Demand | None, elapsed: int) -> bool:
        if self.horizon.demand is None:
            return ahead is None
        return self.horizon.demand.covers(
            ahead, elapsed, self.horizon.p_net_kw + self.p_flexible_kw + self.p_battery_kw
        )


def arbitrage_cost(p_meter_kw: Array, price_buy: Array, price_sell: Array, step_h: float) -> Array:
    """The bill [currency] for the power at a meter (> 0 import), summed over the last axis::

        sum_i  h * (pb_i * max(L_i, 0) - ps_i * max(-L_i, 0))

    the objective of Hashmi et al., arXiv 2207.10248, section II-B. Prices [currency/kWh] broadcast against the power.
    """
    bought = price_buy * np.maximum(p_meter_kw, 0.0)
    sold = price_sell * np.maximum(-p_meter_kw, 0.0)
    bill: Array = step_h * np.sum(bought - sold, axis=-1)
    return bill


def _check_size(columns: Array) -> None:
    # A comparison with NaN is false, so that one test finds both.
    usable = np.abs(columns) < _LARGEST
    if not usable.all():
        row, step = np.argwhere(~usable)[0]
        value = float(columns[row, step])
        raise InputError("horizon", f"{_COLUMNS[row]}[{step}]", value, "a finite number, below 1e9 in size")


def _check_order(lower_name: str, upper_name: str, lower: Array, upper: Array) -> None:
    if (lower > upper).any():
        step = int(np.argmax(lower > upper))
        pair = (float(lower[step]), float(upper[step]))
        raise InputError("horizon", f"({lower_name}, {upper_name})[{step}]", pair, f"{lower_name} <= {upper_name}")


def _check_scalars(horizon: Horizon) -> None:
    end = horizon.energy_end_min_kwh
    for name, value, lowest in (
        ("energy_start_kwh", horizon.energy_start_kwh, -_LARGEST),
        ("flexible_energy_kwh", horizon.flexible_energy_kwh, -_LARGEST),
        ("flexible_slack_kwh", horizon.flexible_slack_kwh, 0.0),
        ("energy_end_min_kwh", 0.0 if end is None else end, -_LARGEST),
    ):
        if not lowest <= value < _LARGEST:
            raise InputError("horizon", name, value, f"a finite number, {lowest:g} <= {name} < 1e9")
