"""Whether hybrid limits the disparity in a cell, said by one rule for all cells."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from experiments.across_feeders_measures import CELL
from experiments.across_feeders_settings import NO_RULE

__all__ = ["COMPARED", "HUNTS_PERCENT", "NAMES", "NOTHING_POINTS", "against_anrc", "against_prc", "lines_of"]

COMPARED = ("prc", "anrc", "hybrid")
"""The rules of the source, without which nothing is said."""

NAMES = {
    "kept": "kept_percent",
    "spread": "spread_points",
    "ends": "head_to_end_points",
    "worst": "worst_decile_percent",
    "gini": "gini",
    "jain": "jain",
    "tce_near": "tce_near_kwh_per_kwp",
    "tce_far": "tce_far_kwh_per_kwp",
    "cvc": "cvc_pu",
    "cvc_others": "cvc_others_pu",
    "turning": "reversals_percent",
    "below": "below_dead_percent",
    "above": "above_dead_percent",
}
"""Measures that lines hold, by a short name."""

HUNTS_PERCENT = 1.0
"""Share of control steps in which voltages turn back, mean of the homes, from which on a cell is marked."""

NOTHING_POINTS = 1.0
"""Spread of the gain kept, near less far, below which there is nothing to limit [percentage points]."""

_PLACE = [key for key in CELL if key != "rule"]


def against_prc(spread_prc: float, difference: tuple[float, float, float]) -> str:
    """What hybrid does to PRC's spread, from the mean of that and hybrid's less PRC's with its interval [points]."""
    if abs(spread_prc) < NOTHING_POINTS:
        return "nothing to limit"
    sign = 1.0 if spread_prc > 0 else -1.0
    ends = sorted(sign * value for value in difference[1:])
    if ends[1] < 0:
        return "limits it"
    return "widens it" if ends[0] > 0 else "cannot be told"


def against_anrc(difference: tuple[float, float, float]) -> str:
    """Whether hybrid's spread is ANRC's, from the difference with its interval [points]."""
    mean, low, high = difference
    if abs(mean) < NOTHING_POINTS:
        return "as ANRC"
    if low > 0:
        return "more than ANRC"
    return "less than ANRC" if high < 0 else "cannot be told from ANRC"


def lines_of(table: pd.DataFrame, compared: pd.DataFrame) -> pd.DataFrame:
    """One row per cell but for the rule, with what is said of it; none where all runs under one of the rules failed.

    Columns: feeder, size, season, share, mode; ``NAME_RULE`` for none, prc, anrc and hybrid and each name of `NAMES`,
    in the units of the table, but CVC of all homes and of those who obey none under a rule in % of that without;
    ``less_prc``, ``less_anrc`` with ``_low`` and ``_high``, hybrid's spread less theirs; ``verdict``, ``verdict_anrc``.
    """
    of_cell = {tuple(row[name] for name in CELL): row for row in table.to_dict("records")}
    of_pair = {tuple(row[name] for name in (*_PLACE, "less")): row for row in compared.to_dict("records")}
    rows = []
    for key in dict.fromkeys(zip(*(table[name] for name in _PLACE), strict=True)):
        place = dict(zip(_PLACE, key, strict=True))
        found = {rule: of_cell.get(_in_order({**place, "rule": rule})) for rule in (NO_RULE, *COMPARED)}
        pairs = {other: of_pair.get((*key, other)) for other in ("prc", "anrc")}
        if None not in found.values() and None not in pairs.values():
            rows.append({**place, **_numbers(found), **_said(found, pairs)})
    return pd.DataFrame(rows)


def _in_order(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(cell[name] for name in CELL)


def _numbers(found: Mapping[str, Any]) -> dict[str, float]:
    """Of all rules, CVC under a rule relative to none."""
    row = {f"{short}_{rule}": cell[name] for rule, cell in found.items() for short, name in NAMES.items()}
    for rule, name in product(COMPARED, ("cvc", "cvc_others")):
        without = row[f"{name}_{NO_RULE}"]
        row[f"{name}_{rule}"] = 100 * row[f"{name}_{rule}"] / without if without > 0 else float("nan")
    return row


def _said(found: Mapping[str, Any], pairs: Mapping[str, Any]) -> dict[str, Any]:
    """Hybrid's spread less that of others, and what follows."""
    ends = ("", "_low", "_high")
    row = {f"less_{other}{end}": pair[f"spread_points{end}"] for other, pair in pairs.items() for end in ends}
    prc, anrc = ((row[f"less_{other}"], row[f"less_{other}_low"], row[f"less_{other}_high"]) for other in pairs)
    return {**row, "verdict": against_prc(found["prc"]["spread_points"], prc), "verdict_anrc": against_anrc(anrc)}
