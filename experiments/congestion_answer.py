"""What the study of congestion relief finds, as one object."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from experiments.congestion_flows import Flow
from experiments.congestion_outcomes import Outcome, counts, pick
from experiments.congestion_settings import CongestionSettings
from experiments.verdicts import Timing

__all__ = ["Answer"]


@dataclass(frozen=True, eq=False)
class Answer:
    """All years, and what they are summed up to.

    Attributes
    ----------
    settings : CongestionSettings
    times : DatetimeIndex, shape (T,)
        Beginnings of the market steps, local standard time.
    outcomes : sequence of Outcome
        Every draw, level and scenario; those of the first draw at the last level with their sums.
    sensitivity : DataFrame
        ``parameter, value, default, seed, scenario, load_violations, feedin_violations``.
    forecast : DataFrame
        ``seed, level, forecast, scenario, load_violations, feedin_violations, missed_days, false_days``.
    payers : DataFrame
        A row per scenario, draw and home; see `congestion_payers`.
    flows : sequence of Flow
    facts : DataFrame
        A row: the region's shares, energies and peaks, of the first draw.
    log : sequence of Timing
    notes : sequence of str
        What could not be computed, and why.
    """

    settings: CongestionSettings
    times: pd.DatetimeIndex
    outcomes: Sequence[Outcome]
    sensitivity: pd.DataFrame
    forecast: pd.DataFrame
    payers: pd.DataFrame
    flows: Sequence[Flow]
    facts: pd.DataFrame
    log: Sequence[Timing]
    notes: Sequence[str] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """``seed, level, scenario, load_violations, feedin_violations``."""
        return counts(self.outcomes)

    @property
    def step_h(self) -> float:
        """Length of a market step [h]."""
        return float((self.times[1] - self.times[0]) / pd.Timedelta(hours=1))

    @property
    def steps_per_day(self) -> int:
        """Market steps in a day."""
        return round(24 / self.step_h)

    def first(self, scenario: str) -> Outcome:
        """Of the first draw at the most stressed level.

        Raises
        ------
        LookupError
            For a scenario that was not run.
        """
        return pick(self.outcomes, self.settings.worst, scenario, self.settings.drawn[0])
