"""Numbers as people read them: digits that mean something, the same number of decimals down a column."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

__all__ = ["MINUS", "column_of", "counted", "fixed", "listed", "measured", "minutes", "share"]

MINUS = "\N{MINUS SIGN}"
_MOST_DECIMALS = 6
_TINY = 1e-9  # what is no more is a difference of rounding


def fixed(value: float, decimals: int, unknown: str = "not known") -> str:
    """A number with so many decimals; `unknown` where it is none."""
    if not math.isfinite(value):
        return unknown
    text = f"{value:,.{decimals}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,") else MINUS + text[1:]
    return text


def measured(value: float, unit: str = "", digits: int = 3, unknown: str = "not known") -> str:
    """A number with at least so many significant digits, and its unit."""
    if not math.isfinite(value):
        return unknown
    text = fixed(value, _decimals([value], digits))
    return f"{text} {unit}" if unit else text


def column_of(values: Iterable[float], digits: int = 3, unknown: str = "not known") -> list[str]:
    """Numbers of one column: as many decimals as the largest needs for so many significant digits."""
    found = [float(value) for value in values]
    decimals = _decimals(found, digits)
    return [fixed(value, decimals, unknown) for value in found]


def share(part: float, whole: float) -> str:
    """A part of a whole in percent."""
    return f"{fixed(100 * part / whole, 1)} %" if whole else "not known"


def minutes(count: float) -> str:
    """A number of minutes, as hours where they are many."""
    return f"{fixed(count / 60, 1)} h" if count >= 600 else f"{fixed(count, 0)} min"


def counted(number: int, one: str, several: str = "") -> str:
    """``1 run``, ``2 runs``."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def listed(words: Iterable[str], most: int = 8) -> str:
    """``a, b and c``; of many the first, and how many more."""
    given = list(words)
    if len(given) > most:
        given = [*given[:most], f"{len(given) - most:,} more"]
    return given[0] if len(given) == 1 else f"{', '.join(given[:-1])} and {given[-1]}" if given else "none"


def _decimals(values: list[float], digits: int) -> int:
    sizes = np.abs([value for value in values if math.isfinite(value)])
    largest = float(sizes.max()) if len(sizes) else 0.0
    if largest < _TINY:
        return 0
    return int(np.clip(digits - 1 - math.floor(math.log10(largest)), 0, _MOST_DECIMALS))
