"""The highest level at once: a guess, and the two neighbouring levels that prove it, one inside and one outside."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace

import numpy as np

from agents.dso.dispatch import DispatchSettings, most
from agents.prosumer.fleet import RATINGS, Fleet
from cosim.hosting.case import HostingCase
from cosim.hosting.definition import Definition
from cosim.hosting.ladder import Ladder
from cosim.hosting.siting import RATING, fleet_at

__all__ = ["bracket", "dynamic_guess"]

_PASSES = 3  # of a program whose answer its neighbours prove or refute
_ROUNDS = 3  # of the guess, as random units are not all of one direction
_NEAR = 0.1  # of a level: a direction from there leads to the same within a step or two


def bracket(ladder: Ladder, guess: int) -> int:
    """Index of a level inside its limits whose next is outside, or the last; -1 if the first is outside.

    From the guess by growing strides until one is inside and one outside, then by halves: two checks where the guess is
    right, three where it is one off. Where levels above one that is outside are inside again it may find either end;
    `stepping.climb` the lowest.
    """
    if not ladder.feasible(0):
        return -1
    low, high = 0, ladder.last + 1
    at, looked = min(max(guess, 1), ladder.last), 0
    while high - low > 1:
        inside = ladder.feasible(at)
        low, high = (at, high) if inside else (low, at)
        looked += 1
        stride = 2 ** max(looked - 2, 0)  # 1, 1, 2, 4, ...
        at += stride if inside else -stride
        if not low < at < high:
            at = (low + high) // 2
    return low


def dynamic_guess(case: HostingCase, definition: Definition, levels: list[float], settings: DispatchSettings) -> int:
    """Index of the level that a program gives whose variable is the level itself, with all devices coordinated.

    Ratings go from those of the first level along a direction: that of scaled siting, or, of random units, the mean of
    the units up to a level, which is moved to what was found until it is near.
    """
    if definition.siting == "scaled":
        return _highest(case, definition, levels, len(levels) - 1, settings)
    at = max(bisect_right(levels, levels[0] + 1.0) - 1, 1)
    at = max(_highest(case, definition, levels, at, settings, passes=1), 1)  # roughly, for a direction
    for _ in range(_ROUNDS):
        found = _highest(case, definition, levels, at, settings)
        if found == 0 or abs(found - at) <= _NEAR * at:
            break
        at = found
    return found


def _highest(
    case: HostingCase,
    definition: Definition,
    levels: list[float],
    at: int,
    settings: DispatchSettings,
    passes: int = _PASSES,
) -> int:
    name, base = RATING[definition.der], fleet_at(case, definition, levels[0])
    rise = levels[at] - levels[0]
    direction = (getattr(fleet_at(case, definition, levels[at]), name) - getattr(base, name)) / rise
    rows = np.any([getattr(base, rating) > 0 for rating in RATINGS], axis=0) | (direction > 0)
    present: Fleet = base.rows(rows)
    # Charging and discharging at once raises a level little, and to rule it out takes most of the time: checks do.
    hasty = replace(settings, passes=passes, exclusive=False)
    done = most(case.engine, present, case.inputs, {name: direction[rows]}, hasty, upper=levels[-1] - levels[0])
    if done.status == "infeasible":
        return 0
    return bisect_right(levels, levels[0] + float(done.x[0]) + 1e-9) - 1
