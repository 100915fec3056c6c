"""Populations summed up: means with intervals, and paired differences from a base, one row per measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.compare.disparity import MEASURES
from cosim.compare.intervals import mean_interval

__all__ = ["differences", "summary"]

Array = npt.NDArray[np.float64]

_MEAN = ("mean", "low", "high", "n", "n_undefined")
_DIFFERENCE = ("difference", "difference_low", "difference_high", "n_pairs", "n_unpaired")


def summary(
    measured: pd.DataFrame, by: str, values: Sequence[Any], base: object, per: Sequence[str], case: Sequence[str]
) -> pd.DataFrame:
    """Every measure of every group and value of `by`: its mean, and how far it is from that of `base`.

    Parameters
    ----------
    measured : DataFrame
        One row per population, with the columns `MEASURES`.
    by : str
        The field whose values are compared, in the order of `values`.
    values : sequence
        Its values.
    base : object
        The value that differences are taken from, pair by pair; None for no differences.
    per : sequence of str
        Fields that groups are made of.
    case : sequence of str
        Fields in which the two of a pair are the same.

    Returns
    -------
    DataFrame
        Fields `per`, `by`, ``measure``, ``unit``; ``mean`` and its 95 % interval ``low`` to ``high`` over ``n``
        populations, ``n_undefined`` left out; ``against`` and ``difference`` with its interval over ``n_pairs``,
        ``n_unpaired`` left out, since the partner or one of the two values is missing.
    """
    keys = [*per, by]
    apart = differences(measured, by, base, case)
    found = []
    for named, own in measured.groupby(keys, sort=False, dropna=False):
        for name, measure in MEASURES.items():
            whole = mean_interval(own[name].to_numpy(dtype=float))
            row = {**dict(zip(keys, named, strict=True)), "measure": name, "unit": measure.unit}
            row |= dict(zip(_MEAN, (whole.mean, whole.low, whole.high, whole.n, whole.n_undefined), strict=True))
            if base is not None and row[by] != base:
                gap = mean_interval(apart.loc[own.index, name].to_numpy(dtype=float))
                row["against"] = base
                row |= dict(zip(_DIFFERENCE, (gap.mean, gap.low, gap.high, gap.n, gap.n_undefined), strict=True))
            found.append(row)
    columns = [*keys, "measure", "unit", *_MEAN, "against", *_DIFFERENCE]
    table = pd.DataFrame(found, columns=columns).astype({"n_pairs": "Int64", "n_unpaired": "Int64"})
    return _in_order(table, by, values, per)


def differences(measured: pd.DataFrame, by: str, base: object, case: Sequence[str]) -> pd.DataFrame:
    """Each population's measures less those of its partner: the one with `base` and the same `case`.

    Index as `measured`, columns `MEASURES`; NaN where there is no partner, or several.
    """
    names = list(MEASURES)
    partners = measured[measured[by] == base].drop_duplicates(list(case), keep=False)
    found = measured[list(case)].merge(partners[[*case, *names]], how="left", on=list(case))
    values: Array = measured[names].to_numpy(dtype=float) - found[names].to_numpy(dtype=float)
    return pd.DataFrame(values, index=measured.index, columns=names)


def _in_order(table: pd.DataFrame, by: str, values: Sequence[Any], per: Sequence[str]) -> pd.DataFrame:
    """Groups as they come, in each the values as given."""
    group = table.groupby(list(per), sort=False, dropna=False).ngroup() if per else 0
    place = table[by].map({value: number for number, value in enumerate(values)})
    order = table.assign(_group=group, _place=place).sort_values(["_group", "_place"], kind="stable").index
    return table.loc[order].reset_index(drop=True)
