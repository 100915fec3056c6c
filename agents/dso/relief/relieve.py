"""Several measures at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from agents.dso.relief.cur_b import CurB
from agents.dso.relief.directives import Directives
from agents.dso.relief.outlook import Measure, Outlook

__all__ = ["in_passes", "makeup_h", "relieve"]


def relieve(measures: Iterable[Measure], outlook: Outlook) -> Directives:
    """What all measures together ask: the lowest caps; stores that charge from the grid do not hold meanwhile.

    Raises
    ------
    InputError
        Where a measure starts at what the others leave, and the outlook does not say what that is.
    """
    parts = [measure.directives(outlook) for measure in measures]
    if not parts:
        return Directives.none(len(outlook))
    joined = Directives.joined(parts)
    return replace(joined, hold=joined.hold & ~joined.charge_from_grid)


def in_passes(measures: Iterable[Measure]) -> tuple[list[Measure], list[Measure]]:
    """Measures that follow from the load without storage, and those that start at what is left after them."""
    ordered = list(measures)
    later = [measure for measure in ordered if isinstance(measure, CurB) and measure.start == "residual"]
    return [measure for measure in ordered if measure not in later], list(later)


def makeup_h(measures: Sequence[Measure]) -> float:
    """Hours in which deferred heat is made up for: the longest that a measure asks, its default where none does."""
    return max((measure.makeup_h for measure in measures if isinstance(measure, CurB)), default=CurB.makeup_h)
