"""Raising the penetration step by step, and keeping what every level looks like."""

from __future__ import annotations

from cosim.hosting.ladder import Ladder

__all__ = ["climb"]


def climb(ladder: Ladder, stride: int = 1) -> int:
    """Index of the highest level below which none that was looked at is outside its limits; -1 if the first is.

    Parameters
    ----------
    ladder : Ladder
    stride : int
        Levels at once, for checks that take long: by strides up to the first level outside, then one by one from the
        last inside. Levels between strides are taken to be inside; with a stride of 1 every one is looked at.
    """
    if not ladder.feasible(0):
        return -1
    low = 0
    for ahead in dict.fromkeys((stride, 1)):
        while low + ahead <= ladder.last and ladder.feasible(low + ahead):
            low += ahead
    return low
