"""Whether hybrid limits the disparity in a cell, said by one rule for all cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from experiments.across_feeders_measures import CELL

__all__ = ["HUNTS_PERCENT", "NOTHING_POINTS", "against_anrc", "against_prc", "lines_of"]

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
    ``cvc_RULE`` for prc, anrc and hybrid [% and points; CVC in % of that without rule]; ``less_prc``, ``less_anrc``
    with ``_low`` and ``_high``, hybrid's spread less theirs; ``verdict`` and ``verdict_anrc``.
    """
    names = {"kept": "kept_percent", "spread": "spread_points", "worst": "worst_decile_percent"}
    names |= {"turning": "reversals_percent", "cvc": "cvc_pu"}
    by_cell = table.set_index(CELL)
    rows = []
    for key, _ in table.groupby(_PLACE, sort=False):
        row: dict[str, Any] = dict(zip(_PLACE, key, strict=True))
        for rule in ("none", "prc", "anrc", "hybrid"):
            cell = _found(by_cell, {**row_key(row), "rule": rule})
            row |= {f"{short}_{rule}": cell[name] for short, name in names.items()}
        for rule in ("prc", "anrc", "hybrid"):
            row[f"cvc_{rule}"] = 100 * row[f"cvc_{rule}"] / row["cvc_none"] if row["cvc_none"] > 0 else float("nan")
        pairs = compared.set_index([*_PLACE, "less"])
        for rule in ("prc", "anrc"):
            pair = pairs.loc[(*key, rule)]
            row |= {f"less_{rule}{end}": pair[f"spread_points{end}"] for end in ("", "_low", "_high")}
        row["verdict"] = against_prc(row["spread_prc"], _three(row, "less_prc"))
        row["verdict_anrc"] = against_anrc(_three(row, "less_anrc"))
        rows.append(row)
    return pd.DataFrame(rows)


def row_key(row: Mapping[str, Any]) -> dict[str, Any]:
    """What names the cell of a line, but for the rule."""
    return {name: row[name] for name in _PLACE}


def _found(by_cell: pd.DataFrame, key: Mapping[str, Any]) -> pd.Series[Any]:
    return by_cell.loc[tuple(key[name] for name in CELL)]


def _three(row: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]
