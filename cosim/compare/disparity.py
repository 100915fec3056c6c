"""How unevenly a rule's burden lies on a population: pure functions of arrays, one entry per prosumer.

Whoever has no gain from optimisation has no gain kept: NaN, left out here and counted by `measures`. What is undefined
is NaN and never zero. A tenth of n prosumers is ``max(1, n // 10)`` of them; those at the same distance share the last
places evenly, so that no measure depends on the order of rows.

Gain kept may be negative (a rule that costs more than optimisation saved) or above 100 %. Gini's coefficient divides
by the sum, which then may be near zero or negative; here it divides by the sum of sizes, after Raffinetti, Siletti and
Vernizzi, Statistical Methods & Applications 24 (2015) 507-521. Theirs is n/(n-1) times this one: 1 where one has all
that is positive and another all that is negative. Of values of one sign this is the usual coefficient. Jain's index
stays as it is: 1 where all have the same, and below 1/n, down to 0, where values of both signs cancel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import spearmanr

from cosim.indices import jain

__all__ = [
    "COUNTS",
    "MEASURES",
    "NEEDED",
    "Measure",
    "far_share",
    "head_to_end",
    "measures",
    "near_and_far",
    "rank_correlation",
    "signed_gini",
    "slope",
    "tenth",
    "worst_tenth",
]

Array = npt.NDArray[np.float64]

_RANK_DECIMALS = 6  # of a percentage; what differs by less differs by rounding


@dataclass(frozen=True)
class Measure:
    """What a column of measures is called in text and on axes, and its unit (empty for a plain number)."""

    label: str
    unit: str = ""

    @property
    def title(self) -> str:
        """Label with unit, for axes."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


MEASURES = {
    "spread_points": Measure("gain kept, head less end", "% points"),
    "worst_tenth_percent": Measure("gain kept, worst-off tenth", "%"),
    "gini_kept": Measure("Gini of gain kept"),
    "jain_kept": Measure("Jain of gain kept"),
    "rank_correlation": Measure("rank correlation of gain kept with distance"),
    "slope_points_per_ohm": Measure("slope of gain kept", "% points per ohm"),
    "gain_lost_percent": Measure("gain lost, all together", "%"),
    "gain_lost": Measure("gain lost, all together", "currency"),
    "lcg_percent": Measure("LCG of all together", "%"),
    "tce_kwh": Measure("curtailed energy", "kWh"),
    "gini_tce": Measure("Gini of curtailed energy"),
    "jain_tce": Measure("Jain of curtailed energy"),
    "far_tce_percent": Measure("curtailed energy borne by the farthest tenth", "%"),
    "cvc_pu": Measure("CVC", "p.u."),
    "cvc_reduction_percent": Measure("CVC below that of no rule", "%"),
}
"""Measures of a population by column. The last one compares populations: see `cosim.compare.populations`."""

NEEDED = (
    *("distance_ohm", "cost", "cost_without_rule", "cost_without_optimisation"),
    *("gain_kept_percent", "tce_kwh", "cvc_pu"),
)
"""Indices of a run that the measures are made of."""

COUNTS = ("n_prosumers", "n_with_gain", "n_kept_negative", "n_kept_above_100")


def measures(rows: pd.DataFrame) -> dict[str, float]:
    """All of `COUNTS` and `MEASURES` but CVC's reduction, of one population.

    Parameters
    ----------
    rows : DataFrame
        A row per prosumer, with the columns `NEEDED` of `cosim.Run.indices`.

    Returns
    -------
    dict
        Sums are over all rows, LCG and gain lost over those whose costs to compare with are known; measures of gain
        kept are over those that have one. NaN where undefined: also how unevenly energy is curtailed where one prosumer
        alone has a gain, since the others take no part.
    """
    distance, kept, tce, cvc = (
        rows[name].to_numpy(dtype=float) for name in ("distance_ohm", "gain_kept_percent", "tce_kwh", "cvc_pu")
    )
    known = kept[np.isfinite(kept)]
    several = len(known) > 1
    curtailed = len(tce) > 1 and len(known) != 1 and tce.sum() > 0  # one alone who acts is no population
    return {
        "n_prosumers": len(rows),
        "n_with_gain": len(known),
        "n_kept_negative": int((known < 0).sum()),
        "n_kept_above_100": int((np.round(known, _RANK_DECIMALS) > 100).sum()),
        "spread_points": head_to_end(kept, distance),
        "worst_tenth_percent": worst_tenth(kept),
        "gini_kept": signed_gini(known) if several else np.nan,
        "jain_kept": jain(known) if several else np.nan,
        "rank_correlation": rank_correlation(kept, distance),
        "slope_points_per_ohm": slope(kept, distance),
        **_lost(rows),
        "tce_kwh": float(tce.sum()),
        "gini_tce": signed_gini(tce) if curtailed else np.nan,
        "jain_tce": jain(tce) if curtailed else np.nan,
        "far_tce_percent": far_share(tce, distance) if curtailed else np.nan,
        "cvc_pu": float(cvc.sum()),
    }


def tenth(keys: Array, *, highest: bool = False) -> Array:
    """Weights of the tenth with the lowest (or highest) keys: 1 inside, equal shares for ties at the edge, else 0.

    They add up to ``max(1, n // 10)``; shape as `keys`, which holds at least one number and no NaN.
    """
    return _ends(keys, _tenth_of(len(keys)), highest=highest)


def near_and_far(kept_percent: Array, distance_ohm: Array) -> tuple[float, float]:
    """Mean gain kept [%] of the electrically nearest third and of the farthest, of those who have a gain.

    A third of n is ``max(1, n // 3)`` of them, with ties at its edge as in a tenth. NaN as for `head_to_end`.
    """
    kept_percent, distance_ohm = _pairs(kept_percent, distance_ohm)
    if len(kept_percent) < 2 or np.ptp(distance_ohm) == 0:
        return float("nan"), float("nan")
    third = max(1, len(kept_percent) // 3)
    near, far = (
        float(np.average(kept_percent, weights=_ends(distance_ohm, third, highest=highest)))
        for highest in (False, True)
    )
    return near, far


def _ends(keys: Array, count: int, *, highest: bool) -> Array:
    """Weights of the `count` lowest (or highest) keys, see `tenth`."""
    keys = -keys if highest else keys
    edge = np.partition(keys, count - 1)[count - 1]
    weights: Array = (keys < edge).astype(np.float64)
    tied = keys == edge
    weights[tied] = (count - weights.sum()) / tied.sum()
    return weights


def head_to_end(kept_percent: Array, distance_ohm: Array) -> float:
    """Spread [percent points]: mean gain kept of the electrically nearest tenth less that of the farthest.

    Positive where the end of the feeder keeps less. Tenths are of those who have a gain. NaN where fewer than two
    have one, or all live at one distance.
    """
    kept_percent, distance_ohm = _pairs(kept_percent, distance_ohm)
    if len(kept_percent) < 2 or np.ptp(distance_ohm) == 0:
        return float("nan")
    head, end = tenth(distance_ohm), tenth(distance_ohm, highest=True)
    return float(np.average(kept_percent, weights=head) - np.average(kept_percent, weights=end))


def worst_tenth(kept_percent: Array) -> float:
    """Mean gain kept [%] of the tenth that keeps least; NaN where nobody has a gain."""
    known = np.sort(kept_percent[np.isfinite(kept_percent)])
    return float(known[: _tenth_of(len(known))].mean()) if len(known) else float("nan")


def far_share(tce_kwh: Array, distance_ohm: Array) -> float:
    """Share [%] of all curtailed energy that the electrically farthest tenth bears.

    To be read against the share of prosumers that the tenth is: a third of three. NaN where nothing is curtailed, or
    all live at one distance.
    """
    tce_kwh, distance_ohm = _pairs(tce_kwh, distance_ohm)
    if len(tce_kwh) < 2 or np.ptp(distance_ohm) == 0 or tce_kwh.sum() <= 0:
        return float("nan")
    return float(100 * tenth(distance_ohm, highest=True) @ tce_kwh / tce_kwh.sum())


def signed_gini(values: Array) -> float:
    """Gini coefficient of values of any sign: half the mean absolute difference over the mean size.

    0 where all are the same, at most (n-1)/n; that of `cosim.indices.gini` where none is negative. See the source
    above. 0 where all are zero.
    """
    ordered, n = np.sort(values), len(values)
    sizes = np.abs(ordered).sum()
    if sizes == 0:
        return 0.0
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * sizes))


def rank_correlation(kept_percent: Array, distance_ohm: Array) -> float:
    """Spearman's rank correlation of gain kept with electrical distance: -1 where the farther always keeps less.

    NaN for fewer than three with a gain, where all keep the same, and where all live at one distance.
    """
    kept_percent, distance_ohm = _pairs(kept_percent, distance_ohm)
    kept_percent = np.round(kept_percent, _RANK_DECIMALS)
    if len(kept_percent) < 3 or np.ptp(kept_percent) == 0 or np.ptp(distance_ohm) == 0:
        return float("nan")
    return float(spearmanr(distance_ohm, kept_percent).statistic)


def slope(kept_percent: Array, distance_ohm: Array) -> float:
    """Least-squares slope of gain kept over electrical distance [percent points per ohm]; NaN as for `head_to_end`."""
    kept_percent, distance_ohm = _pairs(kept_percent, distance_ohm)
    if len(kept_percent) < 2 or np.ptp(distance_ohm) == 0:
        return float("nan")
    away = distance_ohm - distance_ohm.mean()
    return float(away @ (kept_percent - kept_percent.mean()) / (away @ away))


def _tenth_of(n: int) -> int:
    return max(1, n // 10)


def _lost(rows: pd.DataFrame) -> dict[str, float]:
    """What a rule takes from all together: LCG of the sums, and of the gain its amount and its share."""
    cost, free, idle = (
        rows[name].to_numpy(dtype=float) for name in ("cost", "cost_without_rule", "cost_without_optimisation")
    )
    known = np.isfinite(cost + free + idle)
    nothing = dict.fromkeys(("gain_lost_percent", "gain_lost", "lcg_percent"), float("nan"))
    if not known.any():
        return nothing
    lost, bill, gain = (float(part[known].sum()) for part in (cost - free, free, idle - free))
    return {
        "gain_lost_percent": 100 * lost / gain if gain > 0 else float("nan"),
        "gain_lost": lost,
        "lcg_percent": 100 * lost / abs(bill) if bill else float("nan"),
    }


def _pairs(values: Array, distance_ohm: Array) -> tuple[Array, Array]:
    """Those of which both are known."""
    known = np.isfinite(values) & np.isfinite(distance_ohm)
    return values[known], distance_ohm[known]
