"""What comes of a year of a region in one scenario, and the tables of many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["COLUMNS", "Outcome", "added_and_removed", "counts", "mean_counts", "pick", "spans_h"]

Array = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

COLUMNS = ["seed", "level", "scenario", "load_violations", "feedin_violations"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """One year.

    Attributes
    ----------
    seed : int
    level, scenario : str
    threshold_kw : float
        Load or feed-in of the region that is allowed.
    p_region_kw : array, shape (T,)
        > 0 load.
    load, feedin : array of bool, shape (T,)
        Market steps whose load or feed-in is beyond the threshold.
    relieved : array of bool, shape (T,)
        Market steps in which CurB caps heat pumps.
    seconds : float
        Wall clock of the year.
    soc : tuple of float
        Extremes of the state of charge of all stores.
    lost_share : float
        Charging and heat neither served nor owed in the end, over what was asked for, at the worst home.
    sums : DataFrame, optional
        Of all homes in each step: ``p_ev_kw``, ``p_hp_kw`` (electric, with what stores take), ``p_battery_kw``,
        ``p_tes_kw`` (electric worth of the thermal stores' charging), ``battery_kwh``, ``tes_kwh`` (at its end).
    """

    seed: int
    level: str
    scenario: str
    threshold_kw: float
    p_region_kw: Array
    load: Booleans
    feedin: Booleans
    relieved: Booleans
    seconds: float = np.nan
    soc: tuple[float, float] = (np.nan, np.nan)
    lost_share: float = 0.0
    sums: pd.DataFrame | None = None

    @property
    def n_load(self) -> int:
        """Market steps of too much load."""
        return int(self.load.sum())

    @property
    def n_feedin(self) -> int:
        """Market steps of too much feed-in."""
        return int(self.feedin.sum())


def counts(outcomes: Iterable[Outcome]) -> pd.DataFrame:
    """One row per outcome, columns `COLUMNS`."""
    rows = [(o.seed, o.level, o.scenario, o.n_load, o.n_feedin) for o in outcomes]
    return pd.DataFrame(rows, columns=COLUMNS)


def mean_counts(table: pd.DataFrame, by: Sequence[str] = ("level", "scenario")) -> pd.DataFrame:
    """Mean and standard deviation over the seeds of both counts (0 where there is one seed), in order of appearance."""
    grouped = table.groupby(list(by), sort=False)
    return grouped.agg(
        load=("load_violations", "mean"),
        load_sd=("load_violations", _sd),
        feedin=("feedin_violations", "mean"),
        feedin_sd=("feedin_violations", _sd),
    ).reset_index()


def pick(outcomes: Iterable[Outcome], level: str, scenario: str, seed: int) -> Outcome:
    """The one outcome of these.

    Raises
    ------
    LookupError
        Where there is none.
    """
    for outcome in outcomes:
        if (outcome.level, outcome.scenario, outcome.seed) == (level, scenario, seed):
            return outcome
    raise LookupError(f"no outcome of {scenario!r} at {level!r} with seed {seed}")


def spans_h(outcome: Outcome, steps_per_day: int) -> Array:
    """Hours of too much load on each day that has some."""
    by_day = outcome.load.reshape(-1, steps_per_day).sum(axis=1)
    hours: Array = by_day[by_day > 0] * 24.0 / steps_per_day
    return hours


def added_and_removed(before: Outcome, after: Outcome, makeup_h: float, step_h: float) -> dict[str, int]:
    """Where CurB takes load violations away, and where it makes some.

    Returns
    -------
    dict
        ``removed_first``, ``added_first`` while it caps heat pumps; ``removed_then``, ``added_then`` in the `makeup_h`
        hours after that; ``removed_else``, ``added_else`` at other times.
    """
    recent = np.zeros(len(after.relieved), dtype=bool)
    for back in range(1, round(makeup_h / step_h) + 1):
        recent[back:] |= after.relieved[:-back]
    phase = np.where(after.relieved, 0, np.where(recent, 1, 2))
    gone, new = before.load & ~after.load, after.load & ~before.load
    words = ("first", "then", "else")
    removed = {f"removed_{word}": int(gone[phase == k].sum()) for k, word in enumerate(words)}
    return removed | {f"added_{word}": int(new[phase == k].sum()) for k, word in enumerate(words)}


def _sd(values: pd.Series[float]) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0
