"""How large an inverter does a house with PV and battery need, and is one for both enough?

The experiment of Hashmi, Deka, Busic and Van Hertem, arXiv 2207.10248, section V-B (fig. 7): the size of the inverter
against the profit that is kept of energy optimisation and the PV that is used, under PRC and ANRC; one inverter that
PV and battery share, or one for each of the same size together. Beyond it the hybrid rule, no rule at all, every day
of the measured extract, and the limits of the voltage drawn tighter, as the voltages behind the published figures are
not known.

The house is the far one of the four-bus feeder, control there alone. Its rule reads voltages that do not depend on its
inverter, as the source reads historical ones: those with its PV in full and its battery at rest. Its plan knows the
ramps of the battery but not the inverter, as in the source: rating and rule correct what was planned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, field_validator

from agents.prosumer import rule_by_name
from cosim import Scenario, run_ensemble
from cosim.build import build_signals
from cosim.data import day_start, extract_days
from cosim.strict import Strict
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.locational_disparity import base_scenario
from experiments.sizing_report import report, shown, write_answer
from feeders.errors import InputError

__all__ = ["SHARED", "Answer", "Case", "SizingSettings", "sizing", "study"]

Array = npt.NDArray[np.float64]

SHARED = "shared"
_NOMINAL = {"optimise": False, "pv_kwp": 0.0, "battery_kwh": 0.0, "energy_start_kwh": 0.0}
_IDLE = {"optimise": False}


class SizingSettings(Strict):
    """The house, and what is varied.

    Attributes
    ----------
    dates : tuple of str
        Local dates of the extract; none: all 28 of it.
    sizes : tuple of float
        Ratings [kVA], of both inverters together where there are two. The largest counts as ample.
    rules : tuple of str
        "none" among them always.
    pv_shares : tuple of float
        Shares of the rating that PV's own inverter gets; each is a case of two inverters.
    limit_scales : tuple of float
        Factors on the dead band and on the distance of the limits from 1 p.u., at the largest size.
    place, pv_kwp, battery_kwh, battery_c, kappa
        Which prosumer of the four-bus case, and what it has there. The source sets kappa so that self-consumption pays;
        0 is the reading taken here. The battery begins the day empty.
    scenario : dict
        Any other change of the four-bus case by its dotted name.
    """

    dates: tuple[str, ...] = Field(default=(), strict=False)
    sizes: tuple[float, ...] = Field(
        default=(0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0), strict=False, min_length=2
    )
    rules: tuple[str, ...] = Field(default=("none", "prc", "anrc", "hybrid"), strict=False)
    pv_shares: tuple[float, ...] = Field(default=(0.5, 2 / 3), strict=False)
    limit_scales: tuple[float, ...] = Field(default=(1.0, 0.7, 0.5, 0.35, 0.25), strict=False)
    place: str = "home-4"
    pv_kwp: float = Field(default=2.0, gt=0)
    battery_kwh: float = Field(default=2.0, ge=0)
    battery_c: float = Field(default=0.5, gt=0)
    kappa: float = Field(default=0.0, ge=0, le=1)
    scenario: dict[str, Any] = Field(default_factory=dict)

    @field_validator("dates")
    @classmethod
    def _of_extract(cls, dates: tuple[str, ...]) -> tuple[str, ...]:
        known = [f"{day}" for day in extract_days()]
        for name in dates:
            if name not in known:
                raise InputError("", "date", name, f"a day of the extract: {', '.join(known)}")
        return dates

    @field_validator("rules")
    @classmethod
    def _known(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for name in rules:
            rule_by_name(name)
        return tuple(dict.fromkeys(("none", *rules)))

    @field_validator("sizes", "limit_scales", "pv_shares")
    @classmethod
    def _positive(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        for value in values:
            if not value > 0:
                raise InputError("", "value", value, "above 0")
        return tuple(sorted(set(values)))

    @field_validator("pv_shares")
    @classmethod
    def _shares(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        for value in values:
            if not value < 1:
                raise InputError("", "pv_shares", value, "below 1: the rest is the battery's")
        return values

    @property
    def starts(self) -> list[pd.Timestamp]:
        """Beginnings of the days (UTC)."""
        return [day_start(date.fromisoformat(name)) for name in self.dates or [f"{day}" for day in extract_days()]]

    @property
    def inverters(self) -> dict[str, float | None]:
        """PV's share of the rating by arrangement; None where PV and battery share one inverter."""
        return {SHARED: None, **{f"two, {100 * share:.0f} % for PV": share for share in self.pv_shares}}

    def base(self) -> Scenario:
        """The four-bus case with the house in its place, the others passive.

        Raises
        ------
        InputErrors
        """
        # The voltage that open loop reads changes with the market step alone, so that five minutes do.
        way = {"mode": "open-loop", "open_loop_reference": "full-pv", "control_step_min": 5}
        base = base_scenario().changed({**way, "rule": "none", "record": ()})
        house = {
            "pv_kwp": self.pv_kwp,
            "battery_kwh": self.battery_kwh,
            "battery_c_charge": self.battery_c,
            "battery_c_discharge": self.battery_c,
            "energy_start_kwh": 0.0,
            "optimise": True,
        }
        changes: dict[str, Any] = {f"prosumers.{p.id}.optimise": False for p in base.prosumers}
        changes |= {f"prosumers.{self.place}.{name}": value for name, value in house.items()}
        changes |= {"tariff.kappa": self.kappa}
        return base.changed(changes, "inverter-sizing").changed(self.scenario, "--set scenario")


class Case(NamedTuple):
    """What is the same on all days: rule, arrangement, size [kVA], and the factor on the limits."""

    rule: str
    inverters: str
    size_kva: float
    limit_scale: float


@dataclass(frozen=True)
class Answer:
    """One row per case and day, and the settings.

    Attributes
    ----------
    days : DataFrame
        Columns of `Case`, `day`, `cost` and `curtailed_kwh`; of the same day `available_kwh` of PV, `free` (the cost of
        energy optimisation alone: no rule, ample inverter), `idle` (that of PV without optimisation, likewise) and
        `nominal` (that of the load alone) [currency].
    """

    settings: SizingSettings
    base: Scenario
    days: pd.DataFrame


def study(options: StudyOptions) -> StudyResult:
    """How large an inverter does a house with PV and battery need, and is one for both enough?"""
    answer = sizing(changed_settings(SizingSettings, options.changes), options)
    return StudyResult(
        title=f"profit kept and PV used, {answer.days['day'].nunique()} days",
        table=shown(answer),
        text=report(answer),
        write=lambda folder: write_answer(answer, folder),
    )


def sizing(settings: SizingSettings, options: StudyOptions) -> Answer:
    """Live all cases.

    Raises
    ------
    InputErrors
        For a place or a field that does not exist.
    """
    base = settings.base()
    cases = list(_cases(settings))
    per_part = max(1, _AT_ONCE // len(settings.starts))
    parts = [cases[first : first + per_part] for first in range(0, len(cases), per_part)]
    references = _references(settings, base, options)
    found = []
    for index, some in enumerate(parts):
        scenarios = [_scenario(settings, base, case) for case in some]
        tables = _lived(settings, scenarios, options, 1 + index, 1 + len(parts))
        found += [table.assign(**case._asdict()) for case, table in zip(some, tables, strict=True)]
    days = pd.concat(found, ignore_index=True).merge(references, on="day")
    return Answer(settings, base, days)


_AT_ONCE = 300  # runs in lock-step


def _cases(s: SizingSettings) -> Iterator[Case]:
    """All sizes under all rules; then the largest, shared, with other limits."""
    for rule, inverters, size in product(s.rules, s.inverters, s.sizes):
        yield Case(rule, inverters, size, 1.0)
    for scale, rule in product(s.limit_scales, s.rules):
        if scale != 1.0 and rule != "none":
            yield Case(rule, SHARED, s.sizes[-1], scale)


def _scenario(s: SizingSettings, base: Scenario, case: Case) -> Scenario:
    pv_share, band = s.inverters[case.inverters], base.voltage
    changes: dict[str, Any] = {
        f"prosumers.{s.place}.rule": case.rule,
        f"prosumers.{s.place}.inverter_kva": case.size_kva * (1 - (pv_share or 0.0)),
        "voltage.dead_pu": case.limit_scale * band.dead_pu,
        "voltage.vm_min_pu": 1 - case.limit_scale * (1 - band.vm_min_pu),
        "voltage.vm_max_pu": 1 + case.limit_scale * (band.vm_max_pu - 1),
    }
    if pv_share is not None:
        changes[f"prosumers.{s.place}.pv_inverter_kva"] = case.size_kva * pv_share
    return base.changed(changes)


def _references(s: SizingSettings, base: Scenario, options: StudyOptions) -> pd.DataFrame:
    """By day: cost of the load alone, of PV without optimisation, and of energy optimisation; and the PV there is."""
    ample = {"inverter_kva": 2 * (s.pv_kwp + s.battery_c * s.battery_kwh), "rule": "none"}
    scenarios = [
        base.changed({f"prosumers.{s.place}.{name}": value for name, value in {**ample, **house}.items()})
        for house in (_NOMINAL, _IDLE, {})
    ]
    nominal, idle, free = _lived(s, scenarios, options, 0, 1)
    row = [p.id for p in base.prosumers].index(s.place)
    signals = [build_signals(base.changed({"start": start.to_pydatetime()})) for start in s.starts]
    return pd.DataFrame(
        {
            "day": free["day"],
            "nominal": nominal["cost"],
            "idle": idle["cost"],
            "free": free["cost"],
            "available_kwh": [base.market_step_min / 60 * float(day.p_pv_kw[:, row].sum()) for day in signals],
        }
    )


def _lived(
    s: SizingSettings, scenarios: Sequence[Scenario], options: StudyOptions, part: int, n_parts: int
) -> list[pd.DataFrame]:
    """What each scenario costs and curtails in the place on every day."""
    row = [p.id for p in scenarios[0].prosumers].index(s.place)
    days = [scenario.changed({"start": start.to_pydatetime()}) for scenario in scenarios for start in s.starts]
    tell = options.part(part, n_parts) if part else None
    runs = run_ensemble(days, threads=options.threads, progress=tell)
    names = [f"{start.tz_convert('Europe/Berlin'):%Y-%m-%d}" for start in s.starts]
    totals = [_of_place(run.totals, row) for run in runs]
    return [
        pd.DataFrame({"day": names, **{name: [t[name] for t in totals[k : k + len(names)]] for name in totals[0]}})
        for k in range(0, len(runs), len(names))
    ]


def _of_place(totals: pd.DataFrame, row: int) -> Mapping[str, float]:
    return {"cost": float(totals["cost"].iloc[row]), "curtailed_kwh": float(totals["tce_kwh"].iloc[row])}
