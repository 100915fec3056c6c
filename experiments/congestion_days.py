"""Days of the year that figures show, and how they are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from experiments.congestion_outcomes import Outcome, pick
from experiments.congestion_scenarios import STOR

__all__ = ["Day", "longest_day", "pick_up_day"]


class Day(NamedTuple):
    """A day by its row in the year, and why it is shown."""

    row: int
    why: str


def pick_up_day(outcomes: Sequence[Outcome], level: str, seed: int, steps_per_day: int) -> Day:
    """The day on which CurB makes the most load violations that there are not without it; the first of equals.

    Where it makes none, the day on which it raises the load the most after it has lowered it.
    """
    before, after = (pick(outcomes, level, name, seed) for name in (STOR, f"{STOR}+CurB"))
    new = (after.load & ~before.load).reshape(-1, steps_per_day).sum(axis=1)
    if new.any():
        row = int(np.argmax(new))
        return Day(row, f"the day with the most load violations that CurB makes ({int(new[row])} quarter-hours)")
    rise = (after.p_region_kw - before.p_region_kw).reshape(-1, steps_per_day).max(axis=1)
    row = int(np.argmax(rise))
    return Day(row, f"no day has a load violation that CurB makes; that on which it adds the most, {rise[row]:.0f} kW")


def longest_day(outcomes: Sequence[Outcome], level: str, seed: int, steps_per_day: int) -> Day:
    """The day with the most load violations under self-consumption alone of those on which CurB begins after noon.

    Any day where there is no such. The first of the year is left out, as stores begin it empty, and the last, as it
    has no night after it.
    """
    before, after = (pick(outcomes, level, name, seed) for name in (STOR, f"{STOR}+CurB"))
    found = before.load.reshape(-1, steps_per_day).sum(axis=1)[1:-1]
    morning = after.relieved.reshape(-1, steps_per_day)[1:-1, : steps_per_day // 2].any(axis=1)
    among = np.where(morning, -1, found) if (found[~morning] > 0).any() else found
    row = int(np.argmax(among))
    why = "the day with the most load violations under self-consumption alone of those congested from the afternoon on"
    return Day(1 + row, f"{why} ({int(found[row])} quarter-hours)")
