"""How much solar, storage, heat pumps and cars does a feeder take, if each runs alone and if all are coordinated?

The IEEE 123 node feeder on one day, as far as its published data go; what they leave open was decided before any result
was looked at (`cosim.hosting.day`, `feeders.ieee123`). Four published cases beside ours: PV and heat pumps raised step
by step, PV sited and sized by a two-stage program over scenarios, and PV on a hundred days under uncertainty. Every
capacity is one that the AC power flow confirms, and the level one step higher is outside. Beside that: what the numbers
depend on, what batteries and heat pumps make feasible together, and how much the feeder takes under inverter rules that
each home follows by itself, with the disparity that they cause.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from cosim.hosting.case import HostingCase
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.hosting_answer import Answer, Found
from experiments.hosting_cases import CASES, DETERMINISTIC, MONTE_CARLO, TWO_STAGE, WORDS
from experiments.hosting_draws import draws_of
from experiments.hosting_local import local_of
from experiments.hosting_planned import correlations_of, planned_of, region_of
from experiments.hosting_report import report, write_answer
from experiments.hosting_runs import METHODS, MODES, Told, file_of, found_of, sitings_of
from experiments.hosting_sensitivity import n_variants, sensitivity_of
from experiments.hosting_settings import HostingSettings
from experiments.verdicts import Timing

__all__ = ["capacities", "study"]

_AT_ONCE_S, _STEPPING_S, _DRAWS_S = 30.0, 180.0, 600.0  # what PV, static and dynamic, may take; and all scenarios
_TWO_STAGE_S = 900.0


def study(options: StudyOptions) -> StudyResult:
    """How much solar, storage, heat pumps and cars does a feeder take, alone and coordinated?"""
    settings = changed_settings(HostingSettings, options.changes)
    answer = capacities(settings, options)
    return StudyResult(
        title=f"hosting capacity of {answer.feeder.name} [%]",
        table=answer.table,
        text=report(answer),
        write=lambda folder: write_answer(answer, folder),
    )


@dataclass
class _Gathered:
    """What gathers, case by case."""

    found: list[Found] = field(default_factory=list)
    tables: dict[str, Any] = field(default_factory=dict)
    log: list[Timing] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def capacities(settings: HostingSettings, options: StudyOptions) -> Answer:
    """Run everything.

    Parameters
    ----------
    settings : HostingSettings
    options : StudyOptions
        Whom to tell of progress.

    Raises
    ------
    InputError, InputErrors
        For what cannot be asked of the feeder.
    """
    hosting = file_of(settings.asked[0], settings).case()
    gathered, told = _Gathered(), _teller(settings, options)
    told()
    _one_by_one(hosting, settings, gathered, told)
    if TWO_STAGE in settings.asked:
        _plan(hosting, settings, gathered, told)
    if MONTE_CARLO in settings.asked:
        _draw(settings, gathered, told)
    if not settings.quick:
        _beside(hosting, settings, gathered, told)
    return Answer(
        settings=settings,
        feeder=hosting.feeder,
        peak_kva=hosting.peak_kva,
        n_homes=hosting.n_homes,
        made=_made(hosting, settings),
        found=gathered.found,
        log=gathered.log,
        notes=gathered.notes,
        **gathered.tables,
    )


def _one_by_one(hosting: HostingCase, settings: HostingSettings, gathered: _Gathered, told: Told) -> None:
    """The deterministic cases, and the same with devices elsewhere."""
    sitings = []
    for case in DETERMINISTIC:
        if case in settings.asked:
            gathered.found += found_of(hosting, case, settings, told)
            if not settings.quick:
                sitings.append(sitings_of(hosting, case, settings, told))
    if sitings:
        gathered.tables["sitings"] = pd.concat(sitings, ignore_index=True)
    gathered.log += _times(gathered.found)


def _plan(hosting: HostingCase, settings: HostingSettings, gathered: _Gathered, told: Told) -> None:
    """The two-stage program, and the sweep over batteries and heat pumps."""
    plans = planned_of(hosting, settings, told)
    gathered.tables["planned"] = [plan for plan, _ in plans]
    gathered.tables["correlations"] = correlations_of({p.bounded: table for p, table in plans if p.mode == "dynamic"})
    for plan, _ in plans:
        if plan.mode == "dynamic":
            words = "with" if plan.bounded else "without"
            what = f"two-stage, {settings.n_reduced} scenarios, {words} bounds per node"
            gathered.log.append(Timing(what, plan.seconds, _TWO_STAGE_S))
    gathered.tables["region"] = region_of(hosting, settings, told)


def _draw(settings: HostingSettings, gathered: _Gathered, told: Told) -> None:
    """Monte-Carlo."""
    draws, seconds = draws_of(settings)
    gathered.tables |= {"draws": draws, "draws_s": seconds}
    n_failed = settings.n_scenarios - draws["scenario"].nunique()
    if n_failed:
        gathered.notes.append(f"{n_failed} of {settings.n_scenarios} scenarios failed and are no part of this.")
    what = f"{settings.n_scenarios} scenarios, static and dynamic, {settings.workers} processes"
    gathered.log.append(Timing(what, seconds, _DRAWS_S))
    told()


def _beside(hosting: HostingCase, settings: HostingSettings, gathered: _Gathered, told: Told) -> None:
    """Local rules, and what the deterministic numbers depend on."""
    if settings.rules:
        static = next((f.capacity.level for f in gathered.found if (f.case, f.mode) == ("pv", "static")), float("nan"))
        gathered.tables["local"] = local_of(hosting, settings, static, told)
    if settings.sensitivity:
        cases = [case for case in DETERMINISTIC if case in settings.asked]
        gathered.tables["sensitivity"] = sensitivity_of(cases, settings, told)


def _times(found: list[Found]) -> Iterator[Timing]:
    """What the deterministic searches took; what is asked of PV."""
    for case in dict.fromkeys(each.case for each in found):
        for method in METHODS:
            both = [each for each in found if (each.case, each.capacity.method) == (case, method)]
            seconds = sum(each.capacity.seconds for each in both if each.mode in ("static", "dynamic"))
            limit = {"one-shot": _AT_ONCE_S, "stepping": _STEPPING_S}[method] if case == "pv" else None
            yield Timing(f"{WORDS[CASES[case].der]}, {method}, static and dynamic", seconds, limit)


def _made(hosting: HostingCase, settings: HostingSettings) -> list[str]:
    """How the case was made."""
    i, d, feeder = hosting.inputs, hosting.devices, hosting.feeder
    load_kw = i.p_load_kw.sum(axis=1)
    lowest = 100 * float(load_kw.min() / load_kw.max())
    return [
        f"{feeder.name}: {feeder.n_buses} buses, {len(hosting.candidates)} with load where devices can be, "
        f"{hosting.n_homes} homes, peak load {hosting.peak_kva:.0f} kVA; limits {feeder.vm_min_pu.min():g} to "
        f"{feeder.vm_max_pu.max():g} p.u. and the lines' ratings. A day of {len(i)} steps of {i.step_h:g} h; load from "
        f"{lowest:.0f} % of its peak, outdoors {i.t_out_c.min():.1f} to {i.t_out_c.max():.1f} C, prices "
        f"{i.price.min():g} to {i.price.max():g}.",
        f"Devices are sited by seed {settings.seed}, PV in units of {settings.unit_kw:g} kW +- 50 %; steps of "
        f"{100 * settings.step:g} %. PV and batteries in % of the peak load, cars ({d.ev_unit_kw:g} kW) and heat pumps "
        f"({d.hp_unit_kw:g} kW) in % of homes. At most {100 * settings.curtailment:g} % of the PV energy is curtailed.",
        "Static: each device for itself, no reactive power of inverters; heat pumps hold the set-point, or (mode "
        "static-rated) go up to their rating in the evening. Dynamic: one dispatch for all, inverters with a reactive "
        f"range of {100 * d.q_share:g} % of their rating. What the source does not state was decided before results "
        "were looked at; nothing was tuned to come near the published figures.",
    ]


def _teller(settings: HostingSettings, options: StudyOptions) -> Told:
    """Tells of one more part that is done."""
    n_cases = sum(case in settings.asked for case in DETERMINISTIC)
    n_parts = n_cases * (len(METHODS) * len(MODES) + (0 if settings.quick else settings.sitings))
    n_parts += int(MONTE_CARLO in settings.asked) + (0 if settings.quick else len(settings.rules) * len(settings.loops))
    if TWO_STAGE in settings.asked:
        n_parts += 4 + len(settings.batteries) * len(settings.heat_pumps)
    if settings.sensitivity and not settings.quick:
        n_parts += n_variants(settings)
    parts: Iterator[int] = iter(range(n_parts + 1))

    def told() -> None:
        if options.progress is not None:
            options.progress(next(parts), n_parts)

    return told
