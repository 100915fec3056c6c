"""What makes the cheapest plan a single one: the scale of prices, and the tiny weights that break ties on it.

Shared by all planners, so that they choose the same plan. Which one that is, is a behaviour, `TIES`: where a price is
the same for hours, the bill does not say when a battery charges, and what a thousand homes take for indifferent is what
the feeder sees.

``late``
    Energy held costs a little: charging tends towards the end of a cheap time, discharging towards the beginning of a
    dear one. Flexible load tends to run early. Within that the steps have an order of preference that is the same
    for all, whose weights differ by up to what eight hours of holding cost. So equal homes charge in the same quarter
    hours, most of them in the second half of a cheap night: a herd.
``early``
    All as soon as it costs no more: charging, discharging and flexible load. A herd as well, at the other end.
``random``
    Each prosumer prefers steps of its own, drawn for each step of the run from the scenario's seed and its name: other
    hours from home to home and from day to day. Equal homes spread over a cheap time.

No weight is negative, and together they are at most some millionths of the mean price per kWh. So they only choose
where nothing else does: self-discharge of a thousandth per hour already decides that all charge as late as they can.
"""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np
import numpy.typing as npt

from feeders.compiled import compiled
from feeders.errors import InputError

__all__ = ["FLEXIBLE", "HOLDING", "THROUGHPUT", "TIES", "draw_weights", "price_scale", "tie_key", "tie_weights"]

Array = npt.NDArray[np.float64]

THROUGHPUT, FLEXIBLE, HOLDING = range(3)  # rows of the tie weights

TIES = ("late", "early", "random")
"""Which of equally cheap plans a prosumer follows."""

_MEAN_PRICE = 1000.0  # the scale of prices, where HiGHS's absolute tolerance is fine enough
_TIE_THROUGHPUT = 1e-3  # per kWh, on that scale
_TIE_FLEXIBLE = 1e-3
_TIE_HOLDING = 1e-5

_BITS, _FACTOR, _OTHER = 0xFFFFFFFF, 0x45D9F3B, 0x9E3779B9  # of 32-bit hashes


@compiled
def price_scale(price_buy: Array, price_sell: Array) -> float:
    """What brings the mean price near 1000: a power of two, so that scaling rounds nothing; 1 if all are zero."""
    buy = sell = 0.0
    for step in range(price_buy.size):
        buy += abs(price_buy[step])
        sell += abs(price_sell[step])
    mean = max(buy, sell) / price_buy.size
    return math.ldexp(1.0, int(np.rint(np.log2(_MEAN_PRICE / mean)))) if mean > 0 else 1.0


def tie_key(seed: int, name: str) -> int:
    """What sets the draws of one prosumer apart from those of others, whatever their order and number."""
    return crc32(f"{seed} {name}".encode())


def tie_weights(n_steps: int, step_h: float, ties: str = "late", key: int = 0, until: int = 0) -> Array:
    """Costs that choose among plans of equal bill, shape (3, N), in scaled currency (see `price_scale`); all distinct.

    Rows: throughput, per kW of charging or discharging power at the AC side; flexible load, per kW; energy held at the
    end of the step, per kWh. A horizon of n < N steps takes the last n, so that the weight of a step does not change as
    the horizon shrinks.

    Parameters
    ----------
    n_steps : int
        Longest horizon N.
    step_h : float
        Length of a step [h].
    ties : str
        One of `TIES`.
    key : int
        Of a prosumer that draws, see `tie_key`.
    until : int
        Market step of the run with which the N steps end, for one that draws: its draws belong to the steps of the run,
        so that they stay as the horizon moves, and differ from day to day.

    Raises
    ------
    InputError
        For another name of `ties`.
    """
    if ties not in TIES:
        raise InputError("prosumer", "ties", ties, f"one of {', '.join(TIES)}")
    step = np.arange(1, n_steps + 1)
    weights = np.zeros((3, n_steps))
    if ties == "late":
        weights[THROUGHPUT] = step_h * _TIE_THROUGHPUT * (1 + 0.5 * np.modf(step * np.sqrt(2))[0])
        weights[FLEXIBLE] = step_h * _TIE_FLEXIBLE * (step / n_steps + 0.5 * np.modf(step * np.sqrt(3))[0])
        weights[HOLDING] = _TIE_HOLDING * (1 + np.modf(step * np.sqrt(5))[0])
    elif ties == "early":
        weights[THROUGHPUT] = (
            step_h * _TIE_THROUGHPUT * (1 + 0.5 * (step - np.modf(step * np.sqrt(2))[0] / 2) / n_steps)
        )
        weights[FLEXIBLE] = step_h * _TIE_FLEXIBLE * (step - np.modf(step * np.sqrt(3))[0] / 2) / n_steps
    else:
        draw_weights(key, until, n_steps, step_h, weights)
    return weights


@compiled
def draw_weights(key: int, until: int, n: int, step_h: float, weights: Array) -> None:
    """Write the weights of one that draws into the last `n` columns of `weights`, shape (3, N); see `tie_weights`."""
    n_steps = weights.shape[1]
    for i in range(n_steps - n, n_steps):
        step = until - n_steps + i
        weights[THROUGHPUT, i] = step_h * _TIE_THROUGHPUT * (1.0 + 0.5 * _draw(key, 2 * step))
        weights[FLEXIBLE, i] = step_h * _TIE_FLEXIBLE * (0.5 + _draw(key, 2 * step + 1))
        weights[HOLDING, i] = 0.0


@compiled
def _draw(key: int, count: int) -> float:
    """A number in [0, 1), uniform over counts and keys: two hashes of 32 bits after the point."""
    first = _mixed(key ^ _mixed(count & _BITS))
    return (first + _mixed(first ^ _OTHER) / (_BITS + 1.0)) / (_BITS + 1.0)


@compiled
def _mixed(x: int) -> int:
    """A hash of 32 bits to 32 bits, one to one; products stay below 2**59."""
    x = ((x ^ (x >> 16)) * _FACTOR) & _BITS
    x = ((x ^ (x >> 16)) * _FACTOR) & _BITS
    return x ^ (x >> 16)
