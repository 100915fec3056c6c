"""From a sweep's tidy table to populations, each measured: a run is one, or the runs along an axis are one together.

Where control is tried at one prosumer at a time, as in Hashmi et al., table VII, nobody in a run can be compared with
anybody. The runs along the axis that moves the one who acts are then pooled: that prosumer's row of each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cosim.compare.disparity import COUNTS, MEASURES, measures
from cosim.compare.fields import LABELS, REPEATS, follows

__all__ = ["POPULATION", "Populations", "acts", "axis_of_one", "populations", "with_reduction"]

POPULATION = "population"
"""Number of the population that a row belongs to."""


@dataclass(frozen=True)
class Populations:
    """Rows by population, and each population measured.

    Attributes
    ----------
    rows : DataFrame
        Rows of the tidy table that count, with their `POPULATION`.
    measured : DataFrame
        One row per population: `POPULATION`, the fields it has one value of, `REPEATS`, ``n_runs``, counts, measures.
    n_incomplete : int
        Pools left out because a run along the axis is missing: what is left of them is another population.
    """

    rows: pd.DataFrame
    measured: pd.DataFrame
    n_incomplete: int = 0


def acts(table: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are of a prosumer that optimisation or the rule does something to."""
    moved = (table["cost"] - table["cost_without_rule"]).fillna(0.0) != 0
    acting: pd.Series[bool] = table["gain_kept_percent"].notna() | (table["tce_kwh"] > 0) | moved
    return acting


def axis_of_one(table: pd.DataFrame, fields: Sequence[str]) -> str | None:
    """The axis that says which one prosumer acts; None where in some run several do, or it is always the same."""
    acting = table[acts(table)]
    if acting.empty or acting.groupby("run").size().max() > 1 or acting["prosumer"].nunique() < 2:
        return None
    return next((name for name in fields if follows(acting, "prosumer", name)), None)


def populations(table: pd.DataFrame, fields: Sequence[str], pool: str | None = None) -> Populations:
    """Every run as a population, or with `pool` the runs that differ in this field alone as one.

    A pool has the acting prosumers' rows alone where no run has several, else all rows.

    Parameters
    ----------
    table : DataFrame
        One row per run and prosumer.
    fields : sequence of str
        Fields of the design that vary, the pooled one among them.
    pool : str, optional
        The field whose runs are pooled.
    """
    same = [name for name in (*fields, *REPEATS) if name != pool]
    rows, n_incomplete = (table, 0) if pool is None else _pooled(table, same, pool)
    by = ["run"] if pool is None else same
    rows = rows.assign(**{POPULATION: rows.groupby(by, sort=False, dropna=False).ngroup()})
    found = []
    for number, own in rows.groupby(POPULATION):
        first = own.iloc[0]
        fixed = {POPULATION: number, **{name: first[name] for name in same}}
        found.append({**fixed, "n_runs": own["run"].nunique(), **measures(own)})
    columns = [POPULATION, *same, "n_runs", *COUNTS, *(name for name in MEASURES if name != "cvc_reduction_percent")]
    return Populations(rows, pd.DataFrame(found, columns=columns), n_incomplete)


def with_reduction(measured: pd.DataFrame, by: str) -> pd.DataFrame:
    """Adds ``cvc_reduction_percent``: how far CVC is below that of rule ``none`` in the same case and repetition.

    NaN without such a population, with several, and where rule none leaves nothing to reduce. Where `by`, or a case by
    its name, says the rule, the population without rule may have another value of it.
    """
    if "rule" not in measured.columns:
        return measured.assign(cvc_reduction_percent=np.nan)
    naming = [name for name in (by, *LABELS) if name in measured.columns and follows(measured, "rule", name)]
    apart = {POPULATION, "rule", "n_runs", *COUNTS, *MEASURES, *naming}
    case = [str(name) for name in measured.columns if name not in apart]
    free = measured[measured["rule"] == "none"].drop_duplicates(case, keep=False)
    free = free[[*case, "cvc_pu"]].rename(columns={"cvc_pu": "free_pu"})
    free_pu = measured[case].merge(free, how="left", on=case)["free_pu"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100 * (1 - measured["cvc_pu"].to_numpy() / free_pu)
    return measured.assign(cvc_reduction_percent=np.where(free_pu > 0, percent, np.nan))


def _pooled(table: pd.DataFrame, same: Sequence[str], pool: str) -> tuple[pd.DataFrame, int]:
    """Rows of the pools that have a run of every value of the field, and how many have not."""
    acting = acts(table)
    one = acting.groupby(table["run"]).sum().max() <= 1
    there = table.groupby(list(same), sort=False, dropna=False)[pool].transform("nunique")
    whole = there == table[pool].nunique()
    n_incomplete = int(table[~whole].groupby(list(same), dropna=False).ngroups) if not whole.all() else 0
    return table[whole & (acting if one else True)], n_incomplete
