"""Dynamic program over battery energy, for one price of flexible energy: convex and piecewise linear throughout.

With the flexible energy priced at mu [per kW and step], a step costs, as a function of ``u = -x`` (what the battery
gives, kWh), at most four straight pieces of rising slope: dearer while importing than while exporting, dearer
charging than discharging, and flat at the meter between the two where the flexible load takes up what the battery
does. The least cost from a step on, as a function of the battery energy b at its start,

    V_{i-1}(b) = min over u of  c_i(u) + W_i(b - u),      W_i(b) = V_i(b) + t_i b,

is an infimal convolution: its pieces are those of c_i and W_i in the order of their slopes, cut off at the bounds of
the energy. A piece of c_i with slope k that is put where W_i has the energy T_k (its pieces of lower slope to the
left, of higher to the right) means: *move towards T_k, as far as the piece is long*. These few targets are all that
the forward pass needs, so that no value function is kept.

Energies are rounded to a grid of some 1e-15 of the battery's size (a power of two), on which sums are exact. So a
plan depends on which pieces it uses alone, to the last bit, and not on the way its breakpoints were added up.

All functions are compiled, and work on one row of doubles per step:

=============  =========================================================================================
``stages[i]``  WS, WB: what a kW sold or bought is worth in the step, scaled; TT, TF, TH: tie weights; Z: net
               load; FMIN, FMAX: flexible load [kW]; UMIN, UMAX: u that brings the meter to zero when the flexible
               load is least or most [kWh]
``policy[i]``  number of pieces K, then K + 1 ends U [kWh], K targets T [kWh] and K slopes
``plan[j]``    rows X [kWh], F [kW], B [kWh], COST (scaled) over the steps
``rates``      least and most energy, most charge and discharge in a step [kWh]; AC power per kWh charged and
               discharged in a step [kW/kWh]
=============  =========================================================================================
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from feeders.compiled import compiled

__all__ = [
    "BASE",
    "CHARGE",
    "COST",
    "DISCHARGE",
    "ENERGY",
    "FLEXIBLE_KW",
    "FMAX",
    "FMIN",
    "KW_CHARGED",
    "KW_DISCHARGED",
    "MOVED",
    "N_PLAN",
    "N_POLICY",
    "N_RATES",
    "N_STAGE",
    "TF",
    "TH",
    "TOP",
    "TT",
    "UMAX",
    "UMIN",
    "WB",
    "WS",
    "Z",
    "backward",
    "forward",
]

Array = npt.NDArray[np.float64]

WS, WB, TT, TF, TH, Z, FMIN, FMAX, UMIN, UMAX = range(10)
N_STAGE = 10
BASE, TOP, CHARGE, DISCHARGE, KW_CHARGED, KW_DISCHARGED = range(6)
N_RATES = 6
MOVED, FLEXIBLE_KW, ENERGY, COST = range(4)
N_PLAN = 4
_END, _TARGET, _SLOPE = 1, 6, 10  # within a row of the policy: at most 4 pieces, 5 ends
N_POLICY = 14


@compiled
def _piece(row: Array, count: int, upto: float, weight: float, tie: float, rates: Array) -> int:
    """Append the piece (or two, either side of rest) that ends at `upto` and costs `weight` per kW; their number."""
    start = row[_END + count]
    if start < 0.0:
        end = min(upto, 0.0)
        if end > start:
            row[_SLOPE + count] = -(weight + tie) * rates[KW_CHARGED]
            count += 1
            row[_END + count] = start = end
    upto = min(upto, rates[DISCHARGE])
    if upto > start:
        row[_SLOPE + count] = -(weight - tie) * rates[KW_DISCHARGED]
        count += 1
        row[_END + count] = upto
    return count


@compiled
def _stage_cost(mu: float, stage: Array, rates: Array, row: Array) -> int:
    """Write ends and slopes of the cost of a step as a function of u; the number of pieces."""
    worth = mu - stage[TF]
    first, last = stage[UMIN], stage[UMAX]
    if worth <= stage[WS]:
        last = first
    elif worth >= stage[WB]:
        first = last
    row[_END] = -rates[CHARGE]
    count = _piece(row, 0, first, stage[WB], stage[TT], rates)
    count = _piece(row, count, last, worth, stage[TT], rates)
    return _piece(row, count, rates[DISCHARGE], stage[WS], stage[TT], rates)


@compiled
def _merge(
    count: int, row: Array, tie: float, n: int, start: int, pos: Array, slope: Array, new_pos: Array, new_slope: Array
) -> int:
    """Merge the pieces of a step with those of W, and add the tie on energy; the number of pieces of V + tie * b."""
    j, m, shift = start, 0, row[_END]
    new_pos[0] = pos[j] + shift
    for k in range(count):
        limit = row[_SLOPE + k]
        while j < n and slope[j] < limit:
            j += 1
            new_pos[m + 1] = pos[j] + shift
            new_slope[m] = slope[j - 1] + tie
            m += 1
        row[_TARGET + k] = pos[j]
        shift = row[_END + k + 1]
        new_pos[m + 1] = pos[j] + shift
        new_slope[m] = limit + tie
        m += 1
    while j < n:
        j += 1
        new_pos[m + 1] = pos[j] + shift
        new_slope[m] = slope[j - 1] + tie
        m += 1
    return m


@compiled
def backward(mu: float, end: float, stages: Array, rates: Array, lists: Array, policy: Array) -> None:
    """Fill the policy for a price `mu`, from a last step that must leave at least the energy `end` [kWh].

    Pieces per step: at most 4, and they are only added or cut off, so that 4 N + 1 are never exceeded: `lists` has
    shape (4, 4 N + 8).
    """
    pos, slope, new_pos, new_slope = lists[0], lists[1], lists[2], lists[3]
    base, top = rates[BASE], rates[TOP]
    n_steps = len(stages)
    start, n = 0, 1
    pos[0], pos[1], slope[0] = end, top, stages[n_steps - 1, TH]
    for i in range(n_steps - 1, -1, -1):
        row = policy[i]
        count = _stage_cost(mu, stages[i], rates, row)
        row[0] = count
        tie = stages[i - 1, TH] if i > 0 else 0.0
        n = _merge(count, row, tie, n, start, pos, slope, new_pos, new_slope)
        start = 0
        while start < n and new_pos[start + 1] <= base:
            start += 1
        while n > start and new_pos[n - 1] >= top:
            n -= 1
        new_pos[start] = max(new_pos[start], base)
        new_pos[n] = min(new_pos[n], top)
        pos, new_pos = new_pos, pos
        slope, new_slope = new_slope, slope


@compiled
def _next_energy(energy: float, row: Array) -> float:
    """Follow the policy of a step: move towards the target of each piece as far as it is long."""
    count = int(row[0])
    given: float = row[_END]
    for k in range(count):
        target: float = row[_TARGET + k]
        if energy <= target + given:
            break
        given = row[_END + k + 1]
        if energy <= target + given:
            return target
    return energy - given


@compiled
def forward(mu: float, start: float, stages: Array, rates: Array, policy: Array, plan: Array) -> float:
    """Write the plan (shape (4, N)) that the policy makes from the energy `start`; the sum of its flexible load [kW].

    Row COST does not count what `mu` pays for flexible energy.
    """
    total, energy = 0.0, start
    for i in range(len(stages)):
        stage = stages[i]
        after = min(max(_next_energy(energy, policy[i]), rates[BASE]), rates[TOP])
        moved = after - energy
        energy = after
        battery = moved * (rates[KW_CHARGED] if moved > 0.0 else rates[KW_DISCHARGED])
        worth = mu - stage[TF]
        if worth <= stage[WS]:
            flexible = stage[FMIN]
        elif worth >= stage[WB] or -moved >= stage[UMAX]:
            flexible = stage[FMAX]
        elif -moved <= stage[UMIN]:
            flexible = stage[FMIN]
        else:
            flexible = min(max(-(stage[Z] + battery), stage[FMIN]), stage[FMAX])
        meter = stage[Z] + battery + flexible
        bill = stage[WS] * meter + (stage[WB] - stage[WS]) * max(meter, 0.0)
        ties = stage[TT] * abs(battery) + stage[TF] * flexible + stage[TH] * energy
        plan[MOVED, i], plan[FLEXIBLE_KW, i], plan[ENERGY, i], plan[COST, i] = moved, flexible, energy, bill + ties
        total += flexible
    return total
