"""Dynamic program over battery energy, for one price of flexible energy: convex and piecewise linear throughout.

With the flexible energy priced at mu [per kW and step], a step costs, as a function of ``u = -x`` (what the battery
gives, kWh), at most four straight pieces of rising slope: dearer while importing than while exporting, dearer
charging than discharging, and flat at the meter between the two where the flexible load takes up what the battery
does. The least cost from a step on, as a function of the battery energy b at its start,

    V_{i-1}(b) = min over u of  c_i(u) + W_i(rest(b) - u),      W_i(b) = V_i(b) + t_i b,

where rest(b) is what a step at rest leaves (`agents.prosumer.self_discharge`), b itself without self-discharge. As a
function of rest(b) it is an infimal convolution: its pieces are those of c_i and W_i in the order of their slopes,
cut off at the bounds of the energy. A piece of c_i with slope k that is put where W_i has the energy T_k (its pieces
of lower slope to the left, of higher to the right) means: *move towards T_k, as far as the piece is long*. These few
targets are all that the forward pass needs, so that no value function is kept. From rest(b) to b positions are
stretched by 1 / kept and slopes shrink by kept, ``rest(b) = b_min + kept * (b - b_min)``: the function stays convex,
and has as many pieces.

Energies are rounded to a grid of some 1e-15 of the battery's size (a power of two), on which sums are exact. So a
plan depends on which pieces it uses alone, to the last bit, and not on the way its breakpoints were added up. With
self-discharge each stretch is rounded to the grid.

All functions are compiled, and work on these arrays of doubles:

=============  =========================================================================================
``stages[i]``  WS, WB: what a kW sold or bought is worth in the step, scaled; TT, TF, TH: tie weights; Z: net
               load; FMIN, FMAX: flexible load [kW]; UMIN, UMAX: u that brings the meter to zero when the flexible
               load is least or most [kWh]
``policy[i]``  five ends of the four pieces of c_i [kWh], their targets T [kWh], their slopes
``plans[j]``   over the steps: MOVED, the change x of battery energy [kWh]; FLEXIBLE_KW; ENERGY after the step [kWh];
               COST, scaled
``rates``      least and most energy, most charge and discharge in a step [kWh]; AC power per kWh charged and
               discharged in a step [kW/kWh]; share of the energy above the least that a step keeps; what it leaves
               of the most energy [kWh]; the grid's `magic`, see `to_grid`
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
    "KEPT",
    "KW_CHARGED",
    "KW_DISCHARGED",
    "MAGIC",
    "MOVED",
    "N_PLAN",
    "N_POLICY",
    "N_RATES",
    "N_STAGE",
    "TF",
    "TH",
    "TOP",
    "TOP_RESTED",
    "TT",
    "UMAX",
    "UMIN",
    "WB",
    "WS",
    "Z",
    "backward",
    "forward",
    "to_grid",
]

Array = npt.NDArray[np.float64]

WS, WB, TT, TF, TH, Z, FMIN, FMAX, UMIN, UMAX = range(10)
N_STAGE = 10
BASE, TOP, CHARGE, DISCHARGE, KW_CHARGED, KW_DISCHARGED, KEPT, TOP_RESTED, MAGIC = range(9)
N_RATES = 9
MOVED, FLEXIBLE_KW, ENERGY, COST = range(4)
N_PLAN = 4
_END, _TARGET, _SLOPE = 0, 5, 9  # within a row of the policy: 5 ends, 4 targets, 4 slopes
N_POLICY = 13


@compiled
def to_grid(value: float, magic: float) -> float:
    """Round to the multiples that are left of a number when `magic` has been added to it."""
    return (value + magic) - magic


@compiled
def _step_pieces(mu: float, stages: Array, rates: Array, policy: Array, i: int) -> None:
    """Write ends and slopes of the cost of step i as a function of u: four pieces, some of them without length."""
    sell, buy, tie, worth = stages[i, WS], stages[i, WB], stages[i, TT], mu - stages[i, TF]
    first, last = stages[i, UMIN], stages[i, UMAX]
    if worth <= sell:
        last = first
    elif worth >= buy:
        first = last
    lo, hi = -rates[CHARGE], rates[DISCHARGE]
    first = lo if first < lo else hi if first > hi else first
    last = lo if last < lo else hi if last > hi else last
    charged, discharged = rates[KW_CHARGED], rates[KW_DISCHARGED]
    policy[i, _END], policy[i, _END + 4] = lo, hi
    policy[i, _SLOPE], policy[i, _SLOPE + 3] = -(buy + tie) * charged, -(sell - tie) * discharged
    if first >= 0.0:
        policy[i, _END + 1], policy[i, _END + 2], policy[i, _END + 3] = 0.0, first, last
        policy[i, _SLOPE + 1], policy[i, _SLOPE + 2] = -(buy - tie) * discharged, -(worth - tie) * discharged
    elif last >= 0.0:
        policy[i, _END + 1], policy[i, _END + 2], policy[i, _END + 3] = first, 0.0, last
        policy[i, _SLOPE + 1], policy[i, _SLOPE + 2] = -(worth + tie) * charged, -(worth - tie) * discharged
    else:
        policy[i, _END + 1], policy[i, _END + 2], policy[i, _END + 3] = first, last, 0.0
        policy[i, _SLOPE + 1], policy[i, _SLOPE + 2] = -(worth + tie) * charged, -(sell + tie) * charged


@compiled
def _merge(policy: Array, i: int, tie: float, lists: Array, side: int, start: int, n: int) -> int:
    """Merge pieces `start` to n of W with those of step i, and add the tie on energy; the number of pieces."""
    pos, slope, new_pos, new_slope = side, side + 1, 2 - side, 3 - side
    j, m, shift = start, 0, policy[i, _END]
    lists[new_pos, 0] = lists[pos, j] + shift
    for k in range(4):
        end = policy[i, _END + k + 1]
        if end > shift:
            limit = policy[i, _SLOPE + k]
            while j < n and lists[slope, j] < limit:
                lists[new_slope, m] = lists[slope, j] + tie
                j += 1
                m += 1
                lists[new_pos, m] = lists[pos, j] + shift
            shift = end
            lists[new_slope, m] = limit + tie
            m += 1
            lists[new_pos, m] = lists[pos, j] + shift
        policy[i, _TARGET + k] = lists[pos, j]
    while j < n:
        lists[new_slope, m] = lists[slope, j] + tie
        j += 1
        m += 1
        lists[new_pos, m] = lists[pos, j] + shift
    return m


@compiled
def _before_rest(lists: Array, side: int, start: int, n: int, rates: Array) -> None:
    """From the energy that a step at rest leaves to the energy before it, for pieces `start` to n."""
    base, kept, magic = rates[BASE], rates[KEPT], rates[MAGIC]
    full = lists[side, n] == rates[TOP_RESTED]
    for j in range(start, n + 1):
        lists[side, j] = base + to_grid((lists[side, j] - base) / kept, magic)
        lists[side + 1, j] *= kept
    if full:
        lists[side, n] = rates[TOP]


@compiled
def backward(mu: float, end: float, stages: Array, rates: Array, lists: Array, policy: Array) -> None:
    """Fill the policy for a price `mu`, from a last step that must leave at least the energy `end` [kWh].

    Pieces per step: at most 4, and they are only added or cut off, so that 4 N + 1 are never exceeded: `lists` has
    shape (4, 4 N + 8), two lists of positions and slopes that take turns.
    """
    base, top, kept = rates[BASE], rates[TOP_RESTED], rates[KEPT]
    n_steps = len(stages)
    start, n, side = 0, 1, 0
    lists[0, 0], lists[0, 1], lists[1, 0] = end, rates[TOP], stages[n_steps - 1, TH]
    for i in range(n_steps - 1, -1, -1):
        _step_pieces(mu, stages, rates, policy, i)
        tie = stages[i - 1, TH] / kept if i > 0 else 0.0
        n = _merge(policy, i, tie, lists, side, start, n)
        side = 2 - side
        start = 0
        while start < n and lists[side, start + 1] <= base:
            start += 1
        while n > start and lists[side, n - 1] >= top:
            n -= 1
        lists[side, start] = max(lists[side, start], base)
        lists[side, n] = min(lists[side, n], top)
        if kept < 1.0:
            _before_rest(lists, side, start, n, rates)


@compiled
def _next_energy(energy: float, policy: Array, i: int) -> float:
    """Follow the policy of step i from what rest leaves: towards the target of each piece as far as it is long."""
    given: float = policy[i, _END]
    for k in range(4):
        target: float = policy[i, _TARGET + k]
        if energy <= target + given:
            break
        given = policy[i, _END + k + 1]
        if energy <= target + given:
            return target
    return energy - given


@compiled
def forward(mu: float, start: float, stages: Array, rates: Array, policy: Array, plans: Array, place: int) -> float:
    """Write plan number `place` of `plans`, which the policy makes from the energy `start`; its flexible load [kW].

    The flexible load is summed over the steps. Row COST does not count what `mu` pays for it.
    """
    total, energy, base = 0.0, start, rates[BASE]
    for i in range(len(stages)):
        rested = base + to_grid(rates[KEPT] * (energy - base), rates[MAGIC])
        after = min(max(_next_energy(rested, policy, i), base), rates[TOP])
        moved = after - rested
        energy = after
        battery = moved * (rates[KW_CHARGED] if moved > 0.0 else rates[KW_DISCHARGED])
        sell, buy, worth = stages[i, WS], stages[i, WB], mu - stages[i, TF]
        flexible, most = stages[i, FMIN], stages[i, FMAX]
        if worth >= buy or (worth > sell and -moved >= stages[i, UMAX]):
            flexible = most
        elif worth > sell and -moved > stages[i, UMIN]:
            flexible = min(max(-(stages[i, Z] + battery), flexible), most)
        meter = stages[i, Z] + battery + flexible
        bill = sell * meter + (buy - sell) * max(meter, 0.0)
        ties = stages[i, TT] * abs(battery) + stages[i, TF] * flexible + stages[i, TH] * energy
        plans[place, MOVED, i], plans[place, FLEXIBLE_KW, i] = moved, flexible
        plans[place, ENERGY, i], plans[place, COST, i] = energy, bill + ties
        total += flexible
    return total
