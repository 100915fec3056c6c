"""What makes the cheapest plan a single one: the scale of prices, and the tiny weights that break ties on it.

Shared by all planners, so that they choose the same plan.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from feeders.compiled import compiled

__all__ = ["FLEXIBLE", "HOLDING", "THROUGHPUT", "price_scale", "tie_weights"]

Array = npt.NDArray[np.float64]

THROUGHPUT, FLEXIBLE, HOLDING = range(3)  # rows of the tie weights

_MEAN_PRICE = 1000.0  # the scale of prices, where HiGHS's absolute tolerance is fine enough
_TIE_THROUGHPUT = 1e-3  # per kWh, on that scale
_TIE_FLEXIBLE = 1e-3
_TIE_HOLDING = 1e-5


@compiled
def price_scale(price_buy: Array, price_sell: Array) -> float:
    """What brings the mean price near 1000: a power of two, so that scaling rounds nothing; 1 if all are zero."""
    buy = sell = 0.0
    for step in range(price_buy.size):
        buy += abs(price_buy[step])
        sell += abs(price_sell[step])
    mean = max(buy, sell) / price_buy.size
    return math.ldexp(1.0, int(np.rint(np.log2(_MEAN_PRICE / mean)))) if mean > 0 else 1.0


def tie_weights(n_steps: int, step_h: float) -> Array:
    """Costs that choose among plans of equal bill, shape (3, N): fractions of irrational multiples, all distinct.

    Rows: throughput, per kW of charging or discharging power at the AC side; flexible load, per kW, less for
    earlier steps; energy held at the end of the step, per kWh. In scaled currency, see `price_scale`. A horizon of
    n < N steps takes the last n, so that the weight of a step does not change as the horizon shrinks.
    """
    step = np.arange(1, n_steps + 1)
    ties = np.zeros((3, n_steps))
    ties[THROUGHPUT] = step_h * _TIE_THROUGHPUT * (1 + 0.5 * np.modf(step * np.sqrt(2))[0])
    ties[FLEXIBLE] = step_h * _TIE_FLEXIBLE * (step / n_steps + 0.5 * np.modf(step * np.sqrt(3))[0])
    ties[HOLDING] = _TIE_HOLDING * (1 + np.modf(step * np.sqrt(5))[0])
    return ties
