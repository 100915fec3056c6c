"""How unequally a rule bears on homes of one run, and what several populations say of it together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import t as student

from cosim.indices import gini, jain
from experiments.across_feeders_runs import KEYS

__all__ = ["CELL", "MEASURES", "cells", "differences", "interval", "measures_of", "per_run"]

Array = npt.NDArray[np.float64]

MEASURES = [
    *("kept_percent", "kept_near_percent", "kept_far_percent", "spread_points", "worst_decile_percent"),
    *("nothing_left_percent", "gini", "jain", "tce_near_kwh_per_kwp", "tce_far_kwh_per_kwp"),
    *("cvc_pu", "cvc_controlled_pu", "cvc_others_pu", "kept_others_percent"),
    *("reversals_percent", "not_settled_percent", "above_dead_percent", "below_dead_percent"),
    *("vm_min_pu", "vm_max_pu"),
]
"""In the order of the table; see `measures_of`."""

_MINUTES = ("reversals_percent", "not_settled_percent", "above_dead_percent", "below_dead_percent")
CELL = [key for key in KEYS if key != "seed"]
_CONFIDENCE = 0.95


def measures_of(homes: pd.DataFrame) -> dict[str, float]:
    """The measures of one run.

    Parameters
    ----------
    homes : DataFrame
        A row per home, as of `experiments.across_feeders_runs.live`.

    Returns
    -------
    dict
        Among homes that obey the rule: their number ``n_controlled``; gain kept [%], its mean, that of the nearest and
        of the farthest third by electrical distance, and the difference of these (``spread_points``, > 0 where the end
        of the feeder bears more) [percentage points]; the mean of the worst-off decile, at least one home; the share
        who keep nothing; Gini coefficient and Jain index of gain kept, where below zero counts as nothing; curtailed
        energy of both thirds per installed PV [kWh/kWp]. ``cvc_pu`` is the mean over all homes, and over those with
        and without a rule; ``kept_others_percent`` the gain kept of the latter. Of all homes: control steps at which
        the voltage turned back, those not settled, and those above and below the dead band [%]; least and largest
        voltage. NaN where there is nobody.
    """
    obey, others = homes[homes["controlled"]], homes[~homes["controlled"]]
    obey = obey.sort_values(["distance_ohm", "bus"], kind="stable")
    kept = obey["gain_kept_percent"].to_numpy()
    third = round(len(obey) / 3)
    near, far = slice(0, max(1, third)), slice(len(obey) - max(1, third), len(obey))
    spilled, kwp = obey["tce_kwh"].to_numpy(), obey["pv_kwp"].to_numpy()
    left = np.maximum(kept, 0.0)
    found = {
        "kept_percent": _mean(kept),
        "kept_near_percent": _mean(kept[near]),
        "kept_far_percent": _mean(kept[far]),
        "spread_points": _mean(kept[near]) - _mean(kept[far]) if len(obey) > 1 else np.nan,
        "worst_decile_percent": _mean(np.sort(kept)[: max(1, round(len(kept) / 10))]),
        "nothing_left_percent": 100 * _mean((kept <= 0).astype(float)),
        "gini": gini(left) if len(left) else np.nan,
        "jain": jain(left) if len(left) else np.nan,
        "tce_near_kwh_per_kwp": _ratio(spilled[near], kwp[near]),
        "tce_far_kwh_per_kwp": _ratio(spilled[far], kwp[far]),
        "cvc_pu": _mean(homes["cvc_pu"].to_numpy()),
        "cvc_controlled_pu": _mean(obey["cvc_pu"].to_numpy()),
        "cvc_others_pu": _mean(others["cvc_pu"].to_numpy()),
        "kept_others_percent": _mean(others["gain_kept_percent"].to_numpy()),
        **{name: _mean(homes[name].to_numpy()) for name in _MINUTES},
        "vm_min_pu": float(homes["vm_min_pu"].min()),
        "vm_max_pu": float(homes["vm_max_pu"].max()),
    }
    return {"n_controlled": float(len(obey)), **found}


def per_run(homes: pd.DataFrame) -> pd.DataFrame:
    """One row per run: `KEYS`, ``n_controlled`` and `MEASURES`."""
    rows = [
        {**dict(zip(KEYS, key, strict=True)), **measures_of(group)}
        for key, group in homes.groupby(KEYS, sort=False)
        if isinstance(key, tuple)
    ]
    return pd.DataFrame(rows, columns=[*KEYS, "n_controlled", *MEASURES])


def cells(runs: pd.DataFrame) -> pd.DataFrame:
    """One row per cell, i.e. all but the seed: number of seeds, and each measure with its interval over them.

    Columns ``NAME``, ``NAME_low`` and ``NAME_high`` as of `interval`; ``n_controlled`` is the mean.
    """
    rows = []
    for key, group in runs.groupby(CELL, sort=False):
        row = {**dict(zip(CELL, key, strict=True)), "n_seeds": len(group), "n_controlled": group["n_controlled"].mean()}
        rows.append({**row, **_intervals(group[MEASURES])})
    return pd.DataFrame(rows)


def differences(runs: pd.DataFrame, rule: str, others: Sequence[str]) -> pd.DataFrame:
    """`rule` less each of `others`, population by population: one row per cell and other rule, columns as `cells`."""
    same = [key for key in KEYS if key != "rule"]
    rows = []
    own = runs[runs["rule"] == rule].set_index(same)[MEASURES]
    for other in others:
        paired = (own - runs[runs["rule"] == other].set_index(same)[MEASURES]).dropna(how="all").reset_index()
        place = [key for key in CELL if key != "rule"]
        for key, group in paired.groupby(place, sort=False):
            row = {**dict(zip(place, key, strict=True)), "rule": rule, "less": other, "n_seeds": len(group)}
            rows.append({**row, **_intervals(group[MEASURES])})
    return pd.DataFrame(rows)


def interval(values: Array) -> tuple[float, float, float]:
    """Mean and 95 % interval of Student's t over populations; without an interval (NaN) where there are fewer than two."""
    values = values[np.isfinite(values)]
    if not len(values):
        return np.nan, np.nan, np.nan
    mean = float(values.mean())
    if len(values) < 2:
        return mean, np.nan, np.nan
    quantile = float(student.ppf(0.5 + _CONFIDENCE / 2, len(values) - 1))
    half = quantile * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half


def _intervals(group: pd.DataFrame) -> dict[str, float]:
    found = {}
    for name in MEASURES:
        found[name], found[f"{name}_low"], found[f"{name}_high"] = interval(group[name].to_numpy(dtype=float))
    return found


def _mean(values: Array) -> float:
    """NaN of nobody; homes without a gain to keep do not count."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _ratio(energy: Array, size: Array) -> float:
    return float(energy.sum() / size.sum()) if size.sum() > 0 else np.nan
