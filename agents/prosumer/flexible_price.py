"""The price of flexible energy at which a prosumer takes as much of it as is due: a search in one dimension.

The flexible energy taken over a horizon is the only thing that ties its steps together beside the battery. At a price
mu for it the dynamic program (`agents.prosumer.value_function`) gives the best plan; its flexible energy grows with
mu, in jumps. Its cost less mu times its flexible energy is the dual function: concave, piecewise linear, one straight
piece for each plan. The search keeps the plan that takes too little and the one that takes too much, and tries the
price where their lines cross (Kelley's cutting planes). When that gives no third plan, both are optimal there, and
so is each mixture of them: the one that takes what is due is the answer, exactly, after finitely many trials. Tie
weights make it the only one, so that it depends neither on where the search began nor on the way it took.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer.value_function import (
    BASE,
    COST,
    ENERGY,
    FLEXIBLE_KW,
    FMAX,
    FMIN,
    KW_CHARGED,
    KW_DISCHARGED,
    MOVED,
    TF,
    TOP,
    WB,
    WS,
    Z,
    backward,
    forward,
)
from feeders.compiled import compiled

__all__ = ["SAME_LOAD", "mix", "search"]

Array = npt.NDArray[np.float64]

SAME_LOAD = 1e-13  # of the flexible load, or kW: what sums of it are known to

_TRIALS = 300  # some 10 are usual; every other one halves the bracket once there have been _QUICK
_QUICK = 12


@compiled
def _limits(stages: Array) -> tuple[float, float]:
    """Prices [scaled, per kW and step] below and above which all flexible load is at its least or most."""
    lowest, highest = np.inf, -np.inf
    for i in range(len(stages)):
        lowest = min(lowest, stages[i, WS] + stages[i, TF])
        highest = max(highest, stages[i, WB] + stages[i, TF])
    return lowest - 1.0, highest + 1.0


@compiled
def _taken_without_battery(mu: float, stages: Array) -> float:
    total = 0.0
    for i in range(len(stages)):
        worth = mu - stages[i, TF]
        if worth <= stages[i, WS]:
            total += stages[i, FMIN]
        elif worth >= stages[i, WB]:
            total += stages[i, FMAX]
        else:
            total += min(max(-stages[i, Z], stages[i, FMIN]), stages[i, FMAX])
    return total


@compiled
def _first_guess(target: float, lowest: float, highest: float, stages: Array) -> float:
    """The price at which the target would be taken if there were no battery, roughly."""
    for _ in range(16):
        middle = 0.5 * (lowest + highest)
        if _taken_without_battery(middle, stages) < target:
            lowest = middle
        else:
            highest = middle
    return 0.5 * (lowest + highest)


@compiled
def _crossing(less: Array, more: Array) -> float:
    """Where the lines of two plans cross; differences are summed, since most steps of the two are the same."""
    cost: float = 0.0
    load: float = 0.0
    for i in range(less.shape[1]):
        cost += more[COST, i] - less[COST, i]
        load += more[FLEXIBLE_KW, i] - less[FLEXIBLE_KW, i]
    return cost / load


@compiled
def search(
    mu: float,
    target: float,
    start: float,
    end: float,
    stages: Array,
    rates: Array,
    lists: Array,
    policy: Array,
    plans: Array,
    stride: float,
) -> tuple[bool, int, int, float, float]:
    """Find the two plans whose mixture takes `target` [kW, summed over steps] of flexible load.

    Parameters
    ----------
    mu : float
        Where to begin [scaled, per kW and step]; NaN where nothing is known.
    target : float
        Between the sums of least and most flexible load, neither of them.
    start, end : float
        Battery energy at the start, and the least at the end [kWh].
    stages, rates, lists, policy : array
        As of `agents.prosumer.value_function`.
    plans : array, shape (3, 4, N)
        Room for three plans.
    stride : float
        First step of the search away from a known `mu`.

    Returns
    -------
    settled : bool
        False when the trials ran out, which rounding alone could bring about.
    less, more : int
        The two plans' places in `plans`; equal when one plan takes the target by itself.
    share : float
        Share of the second in the mixture.
    mu : float
        Price at which both are optimal.
    """
    lowest, highest = _limits(stages)
    mu = _first_guess(target, lowest, highest, stages) if np.isnan(mu) else min(max(mu, lowest), highest)
    less = more = -1
    taken_less = taken_more = 0.0
    crossed = False
    for trial in range(_TRIALS):
        place = 0 if less != 0 and more != 0 else 1 if less != 1 and more != 1 else 2
        backward(mu, end, stages, rates, lists, policy)
        taken = forward(mu, start, stages, rates, policy, plans, place)
        if abs(taken - target) <= SAME_LOAD * max(target, 1.0):
            return True, place, place, 0.0, mu
        if crossed and (taken in (taken_less, taken_more)):
            return True, less, more, (target - taken_less) / (taken_more - taken_less), mu
        if taken < target:
            less, taken_less, lowest = place, taken, mu
        else:
            more, taken_more, highest = place, taken, mu
        crossed = False
        if less < 0:
            mu = max(mu - stride, lowest)
        elif more < 0:
            mu = min(mu + stride, highest)
        elif trial >= _QUICK and trial % 2 == 0:
            mu = 0.5 * (lowest + highest)
        else:
            mu = _crossing(plans[less], plans[more])
            crossed = True
            if not lowest < mu < highest:
                return True, less, more, (target - taken_less) / (taken_more - taken_less), mu
        stride *= 4.0
    return False, 0, 0, 0.0, mu


@compiled
def mix(
    less: Array,
    more: Array,
    share: float,
    stages: Array,
    rates: Array,
    out_battery_kw: Array,
    out_flexible_kw: Array,
    out_energy_kwh: Array,
) -> None:
    """Write the mixture of two plans, `share` of the second: AC power, flexible load and energy, within bounds."""
    for i in range(len(stages)):
        moved = less[MOVED, i] + share * (more[MOVED, i] - less[MOVED, i])
        energy = less[ENERGY, i] + share * (more[ENERGY, i] - less[ENERGY, i])
        flexible = less[FLEXIBLE_KW, i] + share * (more[FLEXIBLE_KW, i] - less[FLEXIBLE_KW, i])
        out_battery_kw[i] = moved * (rates[KW_CHARGED] if moved > 0.0 else rates[KW_DISCHARGED])
        out_energy_kwh[i] = min(max(energy, rates[BASE]), rates[TOP])
        out_flexible_kw[i] = min(max(flexible, stages[i, FMIN]), stages[i, FMAX])
