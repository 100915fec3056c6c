"""A sweep's runs compared: disparity by rule or any other field, with intervals over seeds and paired differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cosim.compare.fields import (
    LABELS,
    REPEATS,
    chosen,
    design_fields,
    follows,
    known_field,
    known_value,
    ordered,
    plain,
    varying,
)
from cosim.compare.populations import axis_of_one, populations, with_reduction
from cosim.compare.summary import summary

__all__ = ["Comparison", "Question", "compare"]

_NO = "none"  # a field of no name


@dataclass(frozen=True)
class Question:
    """What is compared with what.

    Attributes
    ----------
    by : str
        The field whose values are compared.
    base : str or None
        The value that the others are compared with pair by pair; ``hybrid`` by default, else the first.
    per : sequence of str or None
        Fields that groups are made of: all others that vary by default; ``("none",)`` for one group. What then varies
        within a group is averaged over, and `Comparison.averaged` names it.
    where : mapping of str to sequence
        Values of fields that a run must have.
    pool : str or None
        The field whose runs make one population together; by default one that moves the only prosumer that acts;
        ``"none"`` for none.
    """

    by: str = "rule"
    base: str | None = None
    per: Sequence[str] | None = None
    where: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    pool: str | None = None


@dataclass(frozen=True)
class Comparison:
    """What came out.

    Attributes
    ----------
    by, base : str, object
        The field whose values are compared, and the value that differences are against; None with one value alone.
    values : sequence
        The values of `by`, in the order in which they are shown.
    per, averaged : sequence of str
        Fields that tell groups apart; fields that vary within a group and are averaged over.
    constant : mapping of str to object
        Fields with one value in all runs.
    pool : str or None
        The field whose runs are pooled.
    rows : DataFrame
        The rows of the tidy table that count, with their population.
    measured : DataFrame
        One row per population, see `cosim.compare.populations.Populations`.
    table : DataFrame
        See `cosim.compare.summary.summary`.
    n_incomplete : int
        Pools left out because a run is missing.
    """

    by: str
    base: object
    values: Sequence[Any]
    per: Sequence[str]
    averaged: Sequence[str]
    constant: Mapping[str, object]
    pool: str | None
    rows: pd.DataFrame
    measured: pd.DataFrame
    table: pd.DataFrame
    n_incomplete: int = 0

    def groups(self) -> Iterator[tuple[dict[str, Any], pd.DataFrame]]:
        """Each group: its fields by name, and its populations."""
        if not self.per:
            yield {}, self.measured
            return
        for values, own in self.measured.groupby(list(self.per), sort=False, dropna=False):
            yield dict(zip(self.per, values, strict=True)), own


def compare(table: pd.DataFrame, question: Question | None = None) -> Comparison:
    """Compare the runs in a sweep's tidy table.

    Parameters
    ----------
    table : DataFrame
        One row per run and prosumer: ``run``, ``run_id``, fields of the design, ``seed``, ``replication``,
        ``prosumer``, then those of the columns of `cosim.Run.indices` that are in `NEEDED`, or all. At least one row.
    question : Question, optional
        What is compared with what.

    Raises
    ------
    InputError
        For a field or a value that is not there, also together with others.
    """
    question = question or Question()
    table = chosen(plain(table), question.where)
    every = design_fields(table)
    by = known_field("--by", question.by, every)
    fields = list(dict.fromkeys([*varying(table, every), by]))
    pool = _pool(table, [name for name in fields if name != by], question.pool)
    found = populations(table, fields, pool)
    free = _free(found.measured, [name for name in fields if name not in (by, pool)], by)
    measured = with_reduction(found.measured, by)
    per = _per(question.per, every, free, measured)
    values = ordered(measured[by].tolist())
    base = _base(question.base, by, values)
    return Comparison(
        by=by,
        base=base,
        values=values,
        per=per,
        averaged=_varying_within(measured, free, [*per, by]),
        constant={name: table[name].iloc[0] for name in every if name != by and table[name].nunique(dropna=False) == 1},
        pool=pool,
        rows=found.rows,
        measured=measured,
        table=summary(measured, by, values, base, per, [*free, *REPEATS]),
        n_incomplete=found.n_incomplete,
    )


def _pool(table: pd.DataFrame, fields: Sequence[str], name: str | None) -> str | None:
    if name == _NO:
        return None
    return axis_of_one(table, fields) if name is None else known_field("--pool", name, fields)


def _free(measured: pd.DataFrame, fields: Sequence[str], by: str) -> list[str]:
    """Fields that tell cases apart: neither those that change with `by` alone, nor names of cases that say it."""
    own = [name for name in fields if not follows(measured, name, by)]
    return [name for name in own if name not in LABELS or not follows(measured, by, name)]


def _per(names: Sequence[str] | None, every: Sequence[str], free: Sequence[str], measured: pd.DataFrame) -> list[str]:
    if names is None:  # where cases have names, these say what the fields of a case would
        named = [name for name in LABELS if name in free]
        return [name for name in free if name in named or not any(follows(measured, name, one) for one in named)]
    return [known_field("--per", name, every) for name in names if name != _NO and (name not in every or name in free)]


def _base(name: str | None, by: str, values: Sequence[object]) -> object:
    if len(values) < 2 and name is None:
        return None
    if name is not None:
        return known_value("--base", name, values)
    return "hybrid" if by == "rule" and "hybrid" in values else values[0]


def _varying_within(measured: pd.DataFrame, free: Sequence[str], cell: Sequence[str]) -> list[str]:
    rest = [name for name in free if name not in cell]
    counts = measured.groupby(list(cell), dropna=False)[rest].nunique(dropna=False) if rest else pd.DataFrame()
    return [name for name in rest if (counts[name] > 1).any()]
