"""How a compiled planner ended, in a number, since a compiled loop over many prosumers cannot raise for one of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer.reach import end_limits, within
from feeders.compiled import compiled

__all__ = ["NOT_CONVEX", "NOT_SETTLED", "NOT_USABLE", "PLANNED", "UNREACHABLE", "problem_status"]

Array = npt.NDArray[np.float64]

PLANNED = 0
UNREACHABLE = 1  # battery or flexible load cannot have the energy that is due
NOT_CONVEX = 2  # a price is negative, sells above its buying price, or is no number
NOT_USABLE = 3  # another number is none, bounds are out of order, or arrays do not fit one another
NOT_SETTLED = 4  # the search for the price of flexible energy ran out of trials

_LARGEST = 1e9  # as of a Horizon


@compiled
def problem_status(
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
) -> int:
    """What is wrong with a problem, or `PLANNED` when nothing is; comparisons with NaN are false.

    As `Horizon.checked` and `check_reachable`, and no price may be negative; battery as `battery_row`.
    """
    n = price_buy.size
    if min(price_sell.size, p_net_kw.size, flexible_min_kw.size, flexible_max_kw.size) != n or n < 1:
        return NOT_USABLE
    least, most = 0.0, 0.0
    for i in range(n):
        if not 0.0 <= price_sell[i] <= price_buy[i] < _LARGEST:
            return NOT_CONVEX
        if not (abs(p_net_kw[i]) < _LARGEST and -_LARGEST < flexible_min_kw[i] <= flexible_max_kw[i] < _LARGEST):
            return NOT_USABLE
        least += step_h * flexible_min_kw[i]
        most += step_h * flexible_max_kw[i]
    if not 0.0 <= slack_kwh < _LARGEST:
        return NOT_USABLE
    lowest, highest = end_limits(step_h * n, energy_start_kwh, battery)
    reachable = (
        within(energy_start_kwh, battery[0], battery[1])
        # Only a least energy is asked for: one below all that is possible asks for nothing.
        and (energy_end_min_kwh <= lowest or within(energy_end_min_kwh, lowest, highest))
        and within(due_kwh, least - slack_kwh, most + slack_kwh)
    )
    return PLANNED if reachable else UNREACHABLE
