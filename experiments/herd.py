"""What dissolves the herd that a time-of-use tariff makes of homes with batteries, at what cost, and who bears it?

A hundred homes whose batteries all charge in the same cheap quarter hours, by night on a low-voltage feeder. Signals of
`agents.dso.signals` are tried on the same night, and homes that break ties at random by themselves; beside them stand
what there would be without batteries, and the bound of a central schedule. Batteries with and without self-discharge,
as that decides whether the moment of charging is a tie. The rehearsal of the evening before stands beside the day
lived minute by minute, without and with an inverter rule. Then the same for more homes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from agents.dso import Aim, BoundError, Coordination, central_bound, coordinate, make_signal
from cosim import CoSimulation, Run, Scenario
from cosim.build import build_feeder
from cosim.evening import Eve
from cosim.outcome import runs_of
from cosim.population import resolve
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.herd_night import NO_BATTERY, Herd, Outcome, eve_of, lowest_at_homes, reference
from experiments.herd_report import report, write_answer
from experiments.herd_settings import RANDOM_HOMES, SWEPT, TARIFF, HerdSettings
from feeders import Feeder

__all__ = ["BOUND", "Answer", "herd", "study"]

BOUND = "bound"
_AIM = Aim(max_rounds=60, agreement_pu=1e-5)  # lossless batteries leave many plans of equal bills to try
_MIXED = ("dual-ascent", "frank-wolfe", "column-generation")


@dataclass(frozen=True)
class Answer:
    """The herd at both levels, the same for several numbers of homes and parameters at rehearsal, and the settings."""

    settings: HerdSettings
    main: Herd
    strengths: Herd
    sizes: Sequence[Herd]

    @property
    def size_table(self) -> pd.DataFrame:
        """The tables of all sizes, with the number of homes."""
        tables = [found.table.assign(homes=len(found.places), feeder=found.feeder) for found in self.sizes]
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def study(options: StudyOptions) -> StudyResult:
    """What dissolves the herd that a time-of-use tariff makes of homes with batteries, and who bears the cost?"""
    answer = herd(changed_settings(HerdSettings, options.changes), options)
    table = answer.main.table
    rehearsed = table[table["level"] == "rehearsal"].drop(columns=["level", "rule", "mode", "parameter", "n_reversals"])
    # Who has no battery begins the day without its energy: that bill is not to be compared.
    changes = [name for name in rehearsed.columns if name.endswith("change_percent")]
    rehearsed.loc[rehearsed["signal"] == NO_BATTERY, changes] = np.nan
    return StudyResult(
        title=f"{answer.settings.homes} homes on {answer.settings.feeder}, rehearsed",
        table=rehearsed,
        text=report(answer),
        write=lambda folder: write_answer(answer, folder),
    )


def herd(settings: HerdSettings, options: StudyOptions) -> Answer:
    """Try everything.

    Raises
    ------
    InputError, InputErrors
        For a feeder or signal that does not exist, or more homes than the feeder carries.
    """
    n_parts = 1 + len(settings.self_discharges) + len(settings.sizes)
    done = 0

    def told() -> None:
        nonlocal done
        if options.progress is not None:
            options.progress(done, n_parts)
        done += 1

    told()
    feeder = build_feeder(settings.scenario().feeder)
    seen, places = reference(settings, feeder)
    outcomes: list[Outcome] = []
    strengths: list[Outcome] = []
    notes: list[str] = []
    for lost in settings.self_discharges:
        told()
        outcomes += _night(settings, lost, seen.operator, feeder, options.threads, notes)
        eve = eve_of(settings.signal(TARIFF, lost, seen.operator), feeder)
        strengths += _swept(settings, lost, eve)
    sizes = []
    for n in settings.sizes:
        told()
        sizes.append(_size(settings, n))
    told()
    main = Herd(settings.feeder, places, seen, outcomes, notes)
    return Answer(settings, main, Herd(settings.feeder, places, seen, strengths), sizes)


def _night(
    settings: HerdSettings, lost: float, operator: dict[str, Any], feeder: Feeder, threads: int, notes: list[str]
) -> Iterator[Outcome]:
    """Both levels of one self-discharge; what is rehearsed is what the day's own evening has rehearsed.

    Why there is no bound where there should be one goes to `notes`.
    """
    eve = eve_of(settings.signal(TARIFF, lost, operator), feeder)
    scenarios = {NO_BATTERY: settings.without_batteries()}
    scenarios |= {name: settings.signal(name, lost, operator) for name in settings.signals}
    lived: list[Outcome] = []
    for mode, rules in _ways(settings).items():
        cases = {
            (name, rule): resolve(scenario.changed({"rule": rule, "mode": mode}), feeder)
            for (name, scenario), rule in product(scenarios.items(), rules)
        }
        model = CoSimulation(list(cases.values()), feeder=feeder, threads=threads)
        model.run()
        for copy, ((name, rule), run) in enumerate(zip(cases, runs_of(model), strict=True)):
            lived.append(_lived(lost, name, run))
            found = model.evenings[copy].dso.last
            if rule == "none" and found is not None:
                yield _rehearsed(lost, name, eve, found)
    if settings.bound:
        try:
            yield _bound(lost, eve)
        except BoundError as error:
            notes.append(f"No bound for self-discharge {lost:g} per h: {error}.")
    yield from lived


def _ways(settings: HerdSettings) -> dict[str, tuple[str, ...]]:
    """Rules by mode; without one the mode does not matter."""
    rules = tuple(rule for rule in settings.rules if rule != "none")
    ways: dict[str, tuple[str, ...]] = {mode: rules for mode in settings.modes if rules}
    return {"closed-loop": ("none", *ways.pop("closed-loop", ())), **ways}


def _rehearsed(lost: float, name: str, eve: Eve, found: Coordination, parameter: float = np.nan) -> Outcome:
    """The best iterate of a rehearsal; bills of homes without batteries are at the same tariff."""
    best = found.best
    return Outcome(
        self_discharge_per_h=lost,
        level="rehearsal",
        rule="",
        mode="",
        signal=name,
        power_kw=best.p_kw.sum(axis=1),
        vm_pu=lowest_at_homes(eve, best.p_kw, best.q_kvar),
        off_peak=eve.options.active_of(len(best.p_kw)),
        bills=eve.tariff.bills(best.p_kw),
        parameter=parameter,
        deficit_pu_h=np.nan if name == NO_BATTERY else best.deficit_pu_h,
        iteration=best.iteration,
        iterations=found.iterates[-1].iteration,
        ended=found.ended,
        seconds=sum(iterate.seconds for iterate in found.iterates),
    )


def _bound(lost: float, eve: Eve) -> Outcome:
    """The central schedule of least bills and deficits."""
    bound = central_bound(eve.monitor, eve.homes, eve.tariff, options=eve.options, aim=_AIM)
    return Outcome(
        self_discharge_per_h=lost,
        level="rehearsal",
        rule="",
        mode="",
        signal=BOUND,
        power_kw=bound.p_kw.sum(axis=1),
        vm_pu=lowest_at_homes(eve, bound.p_kw, bound.q_kvar),
        off_peak=eve.options.active_of(len(bound.p_kw)),
        bills=bound.bills,
        deficit_pu_h=bound.deficit_pu_h,
        iterations=bound.rounds,
        seconds=bound.seconds,
    )


def _lived(lost: float, name: str, run: Run) -> Outcome:
    """A day that was lived; the voltage is that at the homes."""
    scenario, vm_pu = run.scenario, run.column("vm_pu")
    assert scenario.dso is not None
    return Outcome(
        self_discharge_per_h=lost,
        level="lived",
        rule=scenario.rule,
        mode=scenario.mode,
        signal=name,
        power_kw=run.column("p_meter_kw").sum(axis=1),
        vm_pu=vm_pu.min(axis=1),
        off_peak=scenario.dso.active_steps(run.times),
        bills=run.totals["cost"].to_numpy(dtype=float),
        n_reversals=float(run.totals["n_reversals"].mean()),
    )


def _swept(settings: HerdSettings, lost: float, eve: Eve) -> Iterator[Outcome]:
    """Parameters of two signals, at rehearsal, and signals that go on when the limits hold."""
    tried: list[tuple[str, float, Mapping[str, float]]] = [(TARIFF, np.nan, {})]
    for field, (name, parameter) in SWEPT.items():
        tried += [(name, value, {parameter: value}) for value in getattr(settings, field)]
    for name, value, parameters in tried:
        signal = make_signal(name, **parameters)
        found = coordinate(eve.monitor, eve.homes, eve.tariff, signal, options=eve.options)
        yield _rehearsed(lost, name, eve, found, value)
    n = settings.longer
    longer = replace(eve.options, max_iterations=n, patience=max(1, n), stop_when_met=False)
    for name in settings.signals if n else ():
        if name in _MIXED:
            found = coordinate(eve.monitor, eve.homes, eve.tariff, make_signal(name), options=longer)
            yield _rehearsed(lost, name, eve, found, n)


def _size(settings: HerdSettings, n: int) -> Herd:
    """Rehearsals of `n` homes on the feeder that is for it, without bound."""
    sized = settings.model_copy(update={"homes": n, "feeder": settings.size_feeder})
    feeder = build_feeder(sized.scenario().feeder)
    seen, places = reference(sized, feeder)
    outcomes = []
    for lost in settings.self_discharges:
        ways: dict[str, Scenario] = {NO_BATTERY: sized.without_batteries()}
        ways |= {name: sized.signal(name, lost, seen.operator) for name in settings.size_signals}
        for name, scenario in ways.items():
            eve = eve_of(scenario, feeder)
            signal = make_signal(TARIFF if name in (NO_BATTERY, RANDOM_HOMES) else name)
            found = coordinate(eve.monitor, eve.homes, eve.tariff, signal, options=eve.options)
            outcomes.append(_rehearsed(lost, name, eve, found))
    return Herd(sized.feeder, places, seen, outcomes)
