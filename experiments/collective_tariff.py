"""Can a dummy price keep customers of one tariff from dipping the voltage together, and how close to the best possible?

The study of A. Pensini, M. Robinson, N. Heine, M. Stadler, A. Mammoli, "Assessment of grid-friendly collective
optimization framework for distributed energy resources": four facilities that schedule their plants against one
time-of-use tariff all charge their stores in the last cheap hours. The operator publishes a dummy price to plan
against; bills stay on the tariff. Beyond the source: every signal of `agents.dso.signals` on the same weeks, on a
tight and on a slack feeder, beside the best that a central schedule could do, and who pays for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from pydantic import Field, field_validator

from agents.dso import SIGNALS, Bound, Coordination, SignalRule, central_bound, coordinate, make_signal
from cosim.collective import NIGHT_LOADS, Week, WeekSettings, collective_week
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.collective_report import report, write_answer

__all__ = ["COLUMNS", "Answer", "Case", "CollectiveSettings", "collective", "study"]

COLUMNS = [
    "feeder",
    "seed",
    "signal",
    "iteration",
    "v_min_pu",
    "deficit_pu_h",
    "bill_change_percent",
    "bound_share",
    "seconds",
    "best",
]


class CollectiveSettings(WeekSettings):
    """The weeks of the study, and what is tried on them.

    Attributes
    ----------
    seeds : tuple of int
        Of the loads.
    signals : tuple of str
        Which signals, each with its default parameters.
    alphas : tuple of float
        Exponents of the source's rule that are compared, on the first seed.
    """

    seeds: tuple[int, ...] = Field(default=(0, 1, 2), strict=False, min_length=1)
    signals: tuple[str, ...] = Field(default=tuple(SIGNALS), strict=False, min_length=1)
    alphas: tuple[float, ...] = Field(default=(1.0, 2.0, 4.0, 8.0), strict=False)

    @field_validator("signals")
    @classmethod
    def _known_signals(cls, signals: tuple[str, ...]) -> tuple[str, ...]:
        for name in signals:
            make_signal(name)
        return signals

    @field_validator("alphas")
    @classmethod
    def _usable(cls, alphas: tuple[float, ...]) -> tuple[float, ...]:
        for alpha in alphas:
            make_signal("source", alpha=alpha)
        return alphas

    @classmethod
    def changed(cls, changes: Mapping[str, Any]) -> CollectiveSettings:
        """The default settings with some fields changed; `InputErrors` for what is none, or no value of it."""
        return changed_settings(cls, changes)


@dataclass(frozen=True)
class Case:
    """One week: the bound, what each signal gave, and what the source's rule gave with each alpha."""

    feeder: str
    seed: int
    week: Week
    bound: Bound
    signals: Mapping[str, Coordination]
    alphas: Mapping[float, Coordination] = field(default_factory=dict)

    def table(self) -> pd.DataFrame:
        """One row per signal and iteration."""
        tables = [coordination.table(self.bound) for coordination in self.signals.values()]
        return pd.concat(tables, ignore_index=True).assign(feeder=self.feeder, seed=self.seed)

    def customers(self) -> pd.DataFrame:
        """Who pays: one row per signal and customer, of the best iterate."""
        tables = [found.by_customer().assign(signal=name) for name, found in self.signals.items()]
        central = tables[0][["customer", "bill_tariff"]].assign(bill=self.bound.bills, signal="bound", kept=False)
        central["change"] = central["bill"] - central["bill_tariff"]
        central["change_percent"] = 100 * central["change"] / central["bill_tariff"]
        return pd.concat([*tables, central], ignore_index=True).assign(feeder=self.feeder, seed=self.seed)


@dataclass(frozen=True)
class Answer:
    """All weeks, and the settings that made them."""

    settings: CollectiveSettings
    cases: Sequence[Case]

    @property
    def table(self) -> pd.DataFrame:
        """One row per feeder, seed, signal and iteration; columns `COLUMNS`."""
        return pd.concat([case.table() for case in self.cases], ignore_index=True)[COLUMNS]


def study(options: StudyOptions) -> StudyResult:
    """Can a dummy price keep customers of one tariff from dipping the voltage together, and how close to the best?"""
    answer = collective(CollectiveSettings.changed(options.changes), options)
    table = answer.table
    first = table[(table["seed"] == answer.settings.seeds[0]) & table["best"]].drop(columns=["best", "seed"])
    return StudyResult(
        title=f"best iterate of each signal, seed {answer.settings.seeds[0]}",
        table=first,
        text=report(answer),
        write=lambda folder: write_answer(answer, folder),
    )


def collective(settings: CollectiveSettings, options: StudyOptions) -> Answer:
    """Live through all weeks.

    Raises
    ------
    InputError, InputErrors
        As of `cosim.collective.collective_week`.
    """
    weeks = [(seed, feeder) for seed in settings.seeds for feeder in NIGHT_LOADS]
    cases = []
    for done, (seed, feeder) in enumerate(weeks):
        if options.progress is not None:
            options.progress(done, len(weeks))
        week = collective_week(settings, NIGHT_LOADS[feeder], seed)
        cases.append(_case(feeder, seed, week, settings))
    return Answer(settings, sorted(cases, key=lambda case: list(NIGHT_LOADS).index(case.feeder)))


def _case(feeder: str, seed: int, week: Week, settings: CollectiveSettings) -> Case:
    found = {name: _rehearsed(week, make_signal(name)) for name in settings.signals}
    alphas = settings.alphas if seed == settings.seeds[0] else ()
    by_alpha = {alpha: _rehearsed(week, make_signal("source", alpha=alpha)) for alpha in alphas}
    start = next(iter(found.values())).iterates[0]
    bound = central_bound(week.monitor, week.facilities, week.tariff, options=week.options, start=start)
    return Case(feeder, seed, week, bound, found, by_alpha)


def _rehearsed(week: Week, signal: SignalRule) -> Coordination:
    return coordinate(week.monitor, week.facilities, week.tariff, signal, options=week.options)
