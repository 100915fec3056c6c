"""How unequally a rule bears on homes of one run, and what several populations say of it together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from cosim.compare.disparity import head_to_end, signed_gini, worst_tenth
from cosim.compare.intervals import mean_interval
from cosim.indices import jain
from experiments.across_feeders_runs import KEYS

__all__ = ["CELL", "MEASURES", "cells", "differences", "measures_of", "per_run"]

Array = npt.NDArray[np.float64]

MEASURES = [
    *("kept_percent", "kept_near_percent", "kept_far_percent", "spread_points", "head_to_end_points"),
    *("worst_decile_percent", "nothing_left_percent", "gini", "jain", "tce_near_kwh_per_kwp", "tce_far_kwh_per_kwp"),
    *("cvc_pu", "cvc_controlled_pu", "cvc_others_pu", "kept_others_percent"),
    *("reversals_percent", "not_settled_percent", "above_dead_percent", "below_dead_percent"),
    *("vm_min_pu", "vm_max_pu"),
]
"""In the order of the table; see `measures_of`."""

_MINUTES = ("reversals_percent", "not_settled_percent", "above_dead_percent", "below_dead_percent")
CELL = [key for key in KEYS if key != "seed"]


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
        of the feeder bears more), and that of the nearest and the farthest tenth (``head_to_end_points``) [percentage
        points]; the mean of the worst-off tenth; the share who keep nothing; Gini coefficient and Jain index of gain
        kept; curtailed energy of both thirds per installed PV [kWh/kWp]. Tenths, Gini and Jain are those of
        `cosim.compare.disparity`; thirds are the measure here, since of a tenth of the homes a tenth is one home.
        ``cvc_pu`` is the mean over all homes, and over those with and without a rule; ``kept_others_percent`` the gain
        kept of the latter. Of all homes: control steps at which the voltage turned back, those not settled, and those
        above and below the dead band [%]; least and largest voltage. NaN where there is nobody.
    """
    obey, others = homes[homes["controlled"]], homes[~homes["controlled"]]
    obey = obey.sort_values(["distance_ohm", "bus"], kind="stable")
    kept = obey["gain_kept_percent"].to_numpy()
    third = round(len(obey) / 3)
    near, far = slice(0, max(1, third)), slice(len(obey) - max(1, third), len(obey))
    spilled, kwp, distance = (obey[name].to_numpy(dtype=float) for name in ("tce_kwh", "pv_kwp", "distance_ohm"))
    known = kept[np.isfinite(kept)]
    found = {
        "kept_percent": _mean(kept),
        "kept_near_percent": _mean(kept[near]),
        "kept_far_percent": _mean(kept[far]),
        "spread_points": _mean(kept[near]) - _mean(kept[far]) if len(obey) > 1 else np.nan,
        "head_to_end_points": head_to_end(kept, distance),
        "worst_decile_percent": worst_tenth(kept),
        "nothing_left_percent": 100 * _mean((known <= 0).astype(float)),
        "gini": signed_gini(known) if len(known) > 1 else np.nan,
        "jain": jain(known) if len(known) > 1 else np.nan,
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

    Columns ``NAME``, ``NAME_low``, ``NAME_high``: mean and 95 % interval by Student's t; ``n_controlled`` is the mean.
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


def _intervals(group: pd.DataFrame) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in MEASURES:
        over_seeds = mean_interval(group[name].to_numpy(dtype=float))
        found |= {name: over_seeds.mean, f"{name}_low": over_seeds.low, f"{name}_high": over_seeds.high}
    return found


def _mean(values: Array) -> float:
    """NaN of nobody; homes without a gain to keep do not count."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else np.nan


def _ratio(energy: Array, size: Array) -> float:
    return float(energy.sum() / size.sum()) if size.sum() > 0 else np.nan
