"""The fields of a sweep's design in its tidy table: which there are, which vary, which follow from others."""

from __future__ import annotations

import tomllib
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from cosim.errors import known_key
from cosim.sweep.columns import CASE, SAMPLE
from feeders.errors import InputError, InputErrors

__all__ = [
    "LABELS",
    "REPEATS",
    "chosen",
    "design_fields",
    "follows",
    "known_field",
    "known_value",
    "matching",
    "ordered",
    "plain",
    "varying",
    "wanted",
]

REPEATS = ("seed", "replication")
"""What tells the repetitions of one case from each other."""

LABELS = (CASE, SAMPLE)
"""Axes that only name what other fields say."""

_ALWAYS = ("mode", "feeder.name", "start", "days")  # in every table; an axis that sets one says it better
_RULES = ("none", "prc", "anrc", "hybrid")
_WHERE = "cosim compare"


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """The table with fields that cannot be grouped by, arrays and tables, as text."""
    changes = {
        name: table[name].map(lambda value: value if isinstance(value, Hashable) else str(value))
        for name in design_fields(table)
        if table[name].dtype == object
    }
    return table.assign(**changes)


def design_fields(table: pd.DataFrame) -> list[str]:
    """Columns of the design: those before ``prosumer``, without the run's number and id and its repetition."""
    columns = [str(name) for name in table.columns]
    own = columns[: columns.index("prosumer")] if "prosumer" in columns else columns
    return [name for name in own if name not in ("run", "run_id", *REPEATS)]


def varying(table: pd.DataFrame, fields: Sequence[str]) -> list[str]:
    """Fields with more than one value; of those that every table has, the ones that follow from no other."""
    found = [name for name in fields if table[name].nunique(dropna=False) > 1]
    axes = [name for name in found if name not in _ALWAYS]
    return [name for name in found if name in axes or not any(follows(table, name, axis) for axis in axes)]


def follows(table: pd.DataFrame, name: str, other: str) -> bool:
    """Whether a field has one value alone for each value of another."""
    return bool((table.groupby(other, dropna=False)[name].nunique(dropna=False) <= 1).all())


def known_field(option: str, name: str, fields: Sequence[str]) -> str:
    """The name, where it is a field; else an `InputError` with the nearest ones."""
    if name not in fields:
        raise InputError(_WHERE, option, name, known_key(name, fields))
    return name


def known_value(option: str, value: str, values: Sequence[object]) -> object:
    """The value that is written so; else an `InputError` with those there are."""
    for known in values:
        if str(known) == value:
            return known
    raise InputError(_WHERE, option, value, f"one of {', '.join(map(str, values))}")


def ordered(values: Sequence[Any]) -> list[Any]:
    """Rules with none, PRC, ANRC and hybrid first; numbers by size; anything else as it comes."""
    found = list(dict.fromkeys(values))
    if all(isinstance(value, int | float) for value in found):
        return sorted(found)
    first = [rule for rule in _RULES if rule in found]
    return first + [value for value in found if value not in first]


def wanted(pairs: Sequence[str] | None) -> dict[str, list[Any]]:
    """``["rule=prc", "rule=anrc"]`` as ``{"rule": ["prc", "anrc"]}``: values as in TOML, bare words as text."""
    found: dict[str, list[Any]] = {}
    for pair in pairs or ():
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InputErrors([InputError("--where", pair, pair, "FIELD=VALUE, e.g. rule=prc")])
        try:
            parsed = tomllib.loads(f"value = {text}")
        except tomllib.TOMLDecodeError:
            parsed = {}
        found.setdefault(name, []).append(parsed["value"] if len(parsed) == 1 else text)
    return found


def chosen(table: pd.DataFrame, where: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Rows whose fields have one of the values wanted, equal or written alike.

    Raises
    ------
    InputError
        For what is no field, a value that no run has, and values that none has together.
    """
    fields = [*design_fields(table), *(name for name in REPEATS if name in table)]
    for name, values in where.items():
        there = ordered(table[known_field("--where", name, fields)].tolist())
        for value in values:
            if not any(_alike(value, known) for known in there):
                raise InputError(_WHERE, f"--where {name}", value, f"one of {_some(there)}")
    found = matching(table, where)
    if found.empty:
        asked = ", ".join(f"{name}={value}" for name, values in where.items() for value in values)
        raise InputError(_WHERE, "--where", asked, "values that some finished run has together")
    return found


def matching(table: pd.DataFrame, where: Mapping[str, Sequence[Any]]) -> pd.DataFrame:
    """Rows whose fields have one of the values wanted, equal or written alike; none where there is no such field."""
    for name, values in where.items():
        column = table[name].tolist() if name in table else [None] * len(table)
        table = table.loc[np.array([any(_alike(value, known) for value in values) for known in column], dtype=bool)]
    return table


def _alike(value: object, known: object) -> bool:
    return bool(value == known) or str(value) == str(known)


def _some(values: Sequence[object], most: int = 12) -> str:
    rest = len(values) - most
    return ", ".join(map(str, values[:most])) + (f" and {rest} more" if rest > 0 else "")
