"""Does hybrid keep limiting the locational disparity on other feeders, with few or all homes controlled, all year?

The source (Hashmi et al., arXiv 2207.10248) compares its rules on four buses, in open loop, at one home at a time. Here
homes with the published house's equipment are spread over a medium-voltage, a low-voltage and a SimBench feeder; all
optimise, a share of them obeys the rule, which reads the voltage of the last minute; a week of summer and one of
winter. Several populations each, the same under every rule. Beside the closed loop stands the settled one, which tells
what a rule does from what its hunting does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from cosim.run import Progress
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.across_feeders_loop import loop_gains
from experiments.across_feeders_measures import cells, differences, per_run
from experiments.across_feeders_report import printed, report, write_answer
from experiments.across_feeders_runs import live
from experiments.across_feeders_settings import AcrossSettings, Size
from experiments.across_feeders_sizes import at_limit

__all__ = ["Answer", "across", "study"]


@dataclass(frozen=True)
class Answer:
    """What came of it.

    Attributes
    ----------
    settings : AcrossSettings
    sizes : mapping of (str, str) to Size
        How large homes are, by feeder and name of the size.
    homes : DataFrame
        One row per run and home, see `experiments.across_feeders_runs.Homes`.
    gains : DataFrame
        Loop gains, see `experiments.across_feeders_loop.loop_gains`.
    left_out : sequence of str
        Feeders that are not there, and why.
    failed : sequence of str
        Runs that have no rows, and why.
    """

    settings: AcrossSettings
    sizes: dict[tuple[str, str], Size]
    homes: pd.DataFrame
    gains: pd.DataFrame
    left_out: Sequence[str]
    failed: Sequence[str]

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row per run, see `experiments.across_feeders_measures.per_run`."""
        return per_run(self.homes)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per cell, see `experiments.across_feeders_measures.cells`."""
        return cells(self.runs)

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Hybrid less each other rule, see `experiments.across_feeders_measures.differences`; empty without hybrid."""
        others = [rule for rule in self.settings.rules if rule != "hybrid"]
        return differences(self.runs, "hybrid", others) if "hybrid" in self.settings.rules else pd.DataFrame()


def study(options: StudyOptions) -> StudyResult:
    """Does hybrid keep limiting the locational disparity across feeders, shares of homes controlled and seasons?"""
    answer = across(changed_settings(AcrossSettings, options.changes), options)
    return StudyResult(
        title="gain kept by homes that obey, as large as the feeder carries, closed loop",
        table=printed(answer),
        text=report(answer),
        write=lambda folder: write_answer(answer, folder),
    )


def across(settings: AcrossSettings, options: StudyOptions) -> Answer:
    """Size the homes, and live all cells.

    Raises
    ------
    InputError, InputErrors
        For a feeder that does not exist, or whose voltage is beyond the limits without any home.
    """
    feeders, left_out = settings.usable()
    sizes: dict[tuple[str, str], Size] = {}
    gains, tables = [], []
    failed: list[str] = []
    jobs = [(feeder, name) for feeder in feeders for name in settings.sizes]
    for place, (feeder, name) in enumerate(jobs):
        size = Size(name) if name == "as-is" else at_limit(settings, feeder, options.threads)
        sizes[feeder, name] = size
        gains.append(loop_gains(settings, feeder, size))
        part = _part(options.progress, place, len(jobs))
        found = live(settings, feeder, size, settings.modes, options.threads, part)
        tables.append(found.table)
        failed += found.notes
    homes, steep = (pd.concat(some, ignore_index=True) for some in (tables, gains))
    return Answer(settings, sizes, homes, steep, left_out, failed)


def _part(progress: Progress | None, place: int, n_parts: int) -> Progress | None:
    """Progress of one part of a job as progress of the whole."""
    if progress is None:
        return None
    return lambda done, total: progress(place * total + done, n_parts * total)
