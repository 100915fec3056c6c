"""Whether hybrid limits the disparity in a cell, said by one rule for all cells."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from experiments.across_feeders_measures import CELL
from experiments.across_feeders_settings import NO_RULE

__all__ = ["COMPARED", "HUNTS_PERCENT", "NOTHING_POINTS", "against_anrc", "against_prc", "lines_of"]

COMPARED = ("prc", "anrc", "hybrid")
"""The rules of the source, without which nothing is said."""

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
    """One row per cell but for the rule, with what is said of it.

    Columns: feeder, size, season, share, mode; ``kept_RULE``, ``spread_RULE``, ``worst_RULE``, ``turning_RULE``,
    ``gini_RULE``, ``jain_RULE``, ``tce_near_RULE``, ``tce_far_RULE``, ``cvc_RULE``, ``cvc_others_RULE`` [% and points,
    kWh/kWp; CVC of all homes and of those who obey none in % of that without rule]; ``less_prc``, ``less_anrc``
    with ``_low`` and ``_high``, hybrid's spread less theirs; ``verdict`` and ``verdict_anrc``.
    """
    names = {"kept": "kept_percent", "spread": "spread_points", "worst": "worst_decile_percent"}
    names |= {"turning": "reversals_percent", "cvc": "cvc_pu", "cvc_others": "cvc_others_pu", "gini": "gini"}
    names |= {"jain": "jain", "tce_near": "tce_near_kwh_per_kwp", "tce_far": "tce_far_kwh_per_kwp"}
    by_cell = table.set_index(CELL)
    pairs = compared.set_index([*_PLACE, "less"])
    rows = []
    for key, _ in table.groupby(_PLACE, sort=False):
        row: dict[str, Any] = dict(zip(_PLACE, key, strict=True))
        found = {rule: {**row, "rule": rule} for rule in (NO_RULE, *COMPARED)}
        places = {rule: tuple(cell[name] for name in CELL) for rule, cell in found.items()}
        if not all(place in by_cell.index for place in places.values()):
            continue  # all of its runs failed
        for rule, place in places.items():
            row |= {f"{short}_{rule}": by_cell.loc[place, name] for short, name in names.items()}
        for rule, name in product(COMPARED, ("cvc", "cvc_others")):
            without = row[f"{name}_{NO_RULE}"]
            row[f"{name}_{rule}"] = 100 * row[f"{name}_{rule}"] / without if without > 0 else float("nan")
        for rule in ("prc", "anrc"):
            pair = pairs.loc[(*key, rule)]
            row |= {f"less_{rule}{end}": pair[f"spread_points{end}"] for end in ("", "_low", "_high")}
        row["verdict"] = against_prc(row["spread_prc"], _three(row, "less_prc"))
        row["verdict_anrc"] = against_anrc(_three(row, "less_anrc"))
        rows.append(row)
    return pd.DataFrame(rows)


def _three(row: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]
