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

import pandas as pd

from cosim.hosting.case import HostingCase
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.hosting_answer import Answer, Found
from experiments.hosting_cases import CASES, DETERMINISTIC, WORDS
from experiments.hosting_report import report, write_answer
from experiments.hosting_runs import METHODS, MODES, Told, file_of, found_of, sitings_of
from experiments.hosting_settings import HostingSettings
from experiments.verdicts import Timing

__all__ = ["capacities", "study"]

_AT_ONCE_S, _STEPPING_S = 30.0, 180.0  # what PV, static and dynamic, may take


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
    sitings: list[pd.DataFrame] = field(default_factory=list)
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
    for case in DETERMINISTIC:
        if case in settings.asked:
            gathered.found += found_of(hosting, case, settings, told)
            if not settings.quick:
                gathered.sitings.append(sitings_of(hosting, case, settings, told))
    gathered.log += _times(gathered.found)
    return Answer(
        settings=settings,
        feeder=hosting.feeder,
        peak_kva=hosting.peak_kva,
        n_homes=hosting.n_homes,
        made=_made(hosting, settings),
        found=gathered.found,
        log=gathered.log,
        notes=gathered.notes,
        **_joined(gathered),
    )


def _joined(gathered: _Gathered) -> dict[str, pd.DataFrame]:
    return {"sitings": pd.concat(gathered.sitings, ignore_index=True)} if gathered.sitings else {}


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
    i, d = hosting.inputs, hosting.devices
    lowest = float(i.p_load_kw.sum(axis=1).min() / i.p_load_kw.sum(axis=1).max())
    return [
        f"{hosting.feeder.name}: {hosting.feeder.n_buses} buses, {len(hosting.candidates)} with load where devices can "
        f"be, {hosting.n_homes} homes, peak load {hosting.peak_kva:.0f} kVA; limits "
        f"{hosting.feeder.vm_min_pu.min():g} to {hosting.feeder.vm_max_pu.max():g} p.u. and the lines' ratings. A day of "
        f"{len(i)} steps of {i.step_h:g} h; load from {100 * lowest:.0f} % of its peak, outdoors {i.t_out_c.min():.1f} to "
        f"{i.t_out_c.max():.1f} C, prices {i.price.min():g} to {i.price.max():g}.",
        f"Devices are sited by seed {settings.seed}, PV in units of {settings.unit_kw:g} kW +- 50 %; steps of "
        f"{100 * settings.step:g} %. PV and batteries in % of the peak load, cars ({d.ev_unit_kw:g} kW) and heat pumps "
        f"({d.hp_unit_kw:g} kW) in % of homes. At most {100 * settings.curtailment:g} % of the PV energy is curtailed.",
        "Static: each device for itself, no reactive power of inverters; heat pumps hold the set-point, or (static-rated)"
        " go up to their rating in the evening. Dynamic: one dispatch for all, inverters with a reactive range of "
        f"{100 * d.q_share:g} % of their rating. What the source does not state was decided before results were looked "
        "at; nothing was tuned to come near the published figures.",
    ]


def _teller(settings: HostingSettings, options: StudyOptions) -> Told:
    """Tells of one more part that is done."""
    n_cases = sum(case in settings.asked for case in DETERMINISTIC)
    n_parts = n_cases * (len(METHODS) * len(MODES) + (0 if settings.quick else settings.sitings))
    parts: Iterator[int] = iter(range(n_parts + 1))

    def told() -> None:
        if options.progress is not None:
            options.progress(next(parts), n_parts)

    return told
