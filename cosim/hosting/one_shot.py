"""The highest level at once: a guess, and the two neighbouring levels that prove it, one inside and one outside."""

from __future__ import annotations

from cosim.hosting.ladder import Ladder

__all__ = ["bracket"]


def bracket(ladder: Ladder, guess: int) -> int:
    """Index of a level inside its limits whose next is outside, or the last; -1 if the first is outside.

    From the guess by growing strides until one is inside and one outside, then by halves: two checks where the guess is
    right. Where levels above one that is outside are inside again it may find either end; `stepping.climb` the lowest.
    """
    if not ladder.feasible(0):
        return -1
    low, high = 0, ladder.last + 1
    at, stride = min(max(guess, 1), ladder.last), 1
    while high - low > 1:
        inside = ladder.feasible(at)
        low, high = (at, high) if inside else (low, at)
        at += stride if inside else -stride
        stride *= 2
        if not low < at < high:
            at = (low + high) // 2
    return low
