"""What are flexible load and a battery worth to a house, and does it matter what its exports are paid?

The experiments of Hashmi, Deka, Busic and Van Hertem, arXiv 2207.10248, section V-A: the cost of a house against the
share of its load that is flexible, without and with a battery, for several ratios kappa of selling to buying price
(fig. 6), and one day of the house in full (fig. 5). On every day of the measured extract instead of one; with PV and
without, as the source does not say which house fig. 6 is of; and under calmer tariffs beside a real-time price, as
the worth of a battery turns out to depend on them.

Nobody asks for the voltage here: the houses are at the head of a medium-voltage feeder and obey no rule, their
inverters carry PV and battery together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, field_validator

from cosim import Run, Scenario, run_ensemble
from cosim.build import build_signals
from cosim.data import day_start, extract_days
from cosim.run import Progress
from cosim.strict import Strict
from cosim.study import StudyOptions, StudyResult, changed_settings
from experiments.flexibility_report import report, shown, write_answer
from feeders.errors import InputError

__all__ = ["HOUSES", "TARIFFS", "Answer", "FlexibilitySettings", "flexibility", "study"]

Array = npt.NDArray[np.float64]

HOUSES = ("no PV", "PV")
TARIFFS: Mapping[str, Mapping[str, Any]] = {
    "real-time": {"kind": "synthetic"},
    "time-of-use": {
        "kind": "time-of-use",
        "periods": [
            {"start": "22:00", "end": "06:00", "price": 0.15},
            {"start": "06:00", "end": "22:00", "price": 0.30},
        ],
    },
    "flat": {"kind": "flat", "price_buy": 0.30},
}
"""The source has a wholesale real-time price; the others say what hangs on that."""

_DAY_COLUMNS = (
    *("p_load_kw", "p_flexible_kw", "p_pv_kw", "p_battery_kw", "p_meter_kw", "price_buy", "price_sell"),
    "energy_kwh",
)


class FlexibilitySettings(Strict):
    """The house, and what is varied.

    Attributes
    ----------
    dates : tuple of str
        Local dates of the extract; none: all 28 of it.
    tariffs : tuple of str
        Of `TARIFFS`, at least one.
    price_seed : int
        Of the real-time price.
    kappas, shares : tuple of float
        Ratios of selling to buying price; shares of the load that are flexible. At least two each.
    load_profile, load_annual_mwh, flexible_max, pv_profile, pv_kwp
        The house, as of a prosumer of a scenario.
    battery_kwh, battery_c : float
        Its battery, and how often it can be filled or emptied in an hour. It begins the day empty: energy that is
        given would be sold, and counted as saved.
    day, day_share
        Local date and flexible share of the day that is shown in full.
    """

    dates: tuple[str, ...] = Field(default=(), strict=False)
    tariffs: tuple[Literal["real-time", "time-of-use", "flat"], ...] = Field(
        default=("real-time", "time-of-use", "flat"), strict=False, min_length=1
    )
    price_seed: int = Field(default=0, ge=0)
    kappas: tuple[float, ...] = Field(default=(0.0, 0.25, 0.5, 0.75, 1.0), strict=False, min_length=2)
    shares: tuple[float, ...] = Field(
        default=(0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4), strict=False, min_length=2
    )
    load_profile: str = "H0-A"
    load_annual_mwh: float = Field(default=3.5, gt=0)
    flexible_max: float = Field(default=2.0, ge=1)
    pv_profile: str = "PV1"
    pv_kwp: float = Field(default=1.8, gt=0)
    battery_kwh: float = Field(default=2.0, gt=0)
    battery_c: float = Field(default=1.0, gt=0)
    day: str = "2016-06-09"
    day_share: float = Field(default=0.05, ge=0, le=1)

    @field_validator("dates", "day")
    @classmethod
    def _of_extract(cls, value: Any) -> Any:
        known = [f"{day}" for day in extract_days()]
        for name in (value,) if isinstance(value, str) else value:
            if name not in known:
                raise InputError("", "date", name, f"a day of the extract: {', '.join(known)}")
        return value

    @field_validator("kappas", "shares")
    @classmethod
    def _between(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        for value in values:
            if not 0 <= value <= 1:
                raise InputError("", "value", value, "from 0 to 1")
        return tuple(sorted(set(values)))

    @property
    def starts(self) -> list[pd.Timestamp]:
        """Beginnings of the days (UTC)."""
        return [day_start(date.fromisoformat(name)) for name in self.dates or [f"{day}" for day in extract_days()]]

    def scenario(self, tariff: str, people: Sequence[Mapping[str, Any]], record: Sequence[str] = ()) -> Scenario:
        """A day of houses under a tariff, to be given its start and kappa.

        Raises
        ------
        InputErrors
        """
        seed = {"seed": self.price_seed} if tariff == "real-time" else {}
        data = {
            "name": "flexibility-value",
            "control_step_min": 15,  # nothing happens within a market step: nobody reads the voltage
            "rule": "none",
            "record": tuple(record),
            "feeder": {"name": "case33bw"},
            "tariff": {**TARIFFS[tariff], **seed},
            "prosumers": list(people),
        }
        return Scenario.from_dict(data, "flexibility-value")

    def house(self, name: str, pv_kwp: float, battery_kwh: float, share: float) -> dict[str, Any]:
        """A house as a prosumer of a scenario."""
        return {
            "id": name,
            "bus": 1,
            "load_profile": self.load_profile,
            "load_annual_mwh": self.load_annual_mwh,
            "flexible_share": share,
            "flexible_max": self.flexible_max,
            "pv_profile": self.pv_profile,
            "pv_kwp": pv_kwp,
            "battery_kwh": battery_kwh,
            "battery_c_charge": self.battery_c,
            "battery_c_discharge": self.battery_c,
            "energy_start_kwh": 0.0,
            "inverter_kva": 2 * (pv_kwp + self.battery_c * battery_kwh),
        }


@dataclass(frozen=True)
class Answer:
    """Costs of all cases and days; the shown day under each kappa; and how long the meter stood still on every day.

    Attributes
    ----------
    settings : FlexibilitySettings
    costs : DataFrame
        One row per tariff, house, battery, kappa, share and day; `cost` in currency.
    day : dict of float to DataFrame
        By kappa: the columns of the shown day by market step; `p_usual_kw` is the flexible load as by itself.
    zeros : DataFrame
        One row per kappa and day: percent of the steps with a net load of zero.
    """

    settings: FlexibilitySettings
    costs: pd.DataFrame
    day: Mapping[float, pd.DataFrame]
    zeros: pd.DataFrame


def study(options: StudyOptions) -> StudyResult:
    """What are flexible load and a battery worth to a house, and does it matter what its exports are paid?"""
    answer = flexibility(changed_settings(FlexibilitySettings, options.changes), options)
    return StudyResult(
        title=f"cost of a house in {answer.costs['day'].nunique()} days, {answer.settings.tariffs[0]}",
        table=shown(answer),
        text=report(answer),
        write=lambda folder: write_answer(answer, folder),
    )


def flexibility(settings: FlexibilitySettings, options: StudyOptions) -> Answer:
    """Live all cases.

    Raises
    ------
    InputErrors
        For a profile that does not exist.
    """
    n_parts = len(settings.tariffs) + 1
    costs = [
        _costs(settings, tariff, options.threads, options.part(part, n_parts))
        for part, tariff in enumerate(settings.tariffs)
    ]
    day, zeros = _days(settings, options.threads, options.part(n_parts - 1, n_parts))
    return Answer(settings, pd.concat(costs, ignore_index=True), day, zeros)


def _costs(s: FlexibilitySettings, tariff: str, threads: int, progress: Progress | None) -> pd.DataFrame:
    """All houses under one tariff: those of one day and kappa in one run, all runs in lock-step."""
    houses = list(product(HOUSES, (False, True), s.shares))
    people = [
        s.house(f"house-{k}", s.pv_kwp * (house == "PV"), s.battery_kwh * battery, share)
        for k, (house, battery, share) in enumerate(houses)
    ]
    runs = _lived(s, s.scenario(tariff, people), threads, progress)
    rows = [
        (tariff, *who, kappa, _name(start), cost)
        for (start, kappa), run in runs.items()
        for who, cost in zip(houses, run.totals["cost"].tolist(), strict=True)
    ]
    return pd.DataFrame(rows, columns=["tariff", "house", "battery", "share", "kappa", "day", "cost"])


def _days(
    s: FlexibilitySettings, threads: int, progress: Progress | None
) -> tuple[dict[float, pd.DataFrame], pd.DataFrame]:
    """The house of fig. 5 under the first tariff: its shown day by kappa, and the net load of all days."""
    base = s.scenario(s.tariffs[0], [s.house("house", s.pv_kwp, s.battery_kwh, s.day_share)], _DAY_COLUMNS)
    runs = _lived(s, base, threads, progress, also=day_start(date.fromisoformat(s.day)))
    day, zeros = {}, []
    for (start, kappa), run in runs.items():
        table = pd.DataFrame({name: run.column(name)[:, 0] for name in _DAY_COLUMNS})
        still = (table["p_meter_kw"].abs() <= _ZERO_KW).mean()
        zeros.append((kappa, _name(start), 100 * still))
        if _name(start) == s.day:
            day[kappa] = table.assign(p_usual_kw=build_signals(run.scenario).p_flexible_kw[:, 0])
    return day, pd.DataFrame(zeros, columns=["kappa", "day", "zero_percent"])


_ZERO_KW = 1e-9  # as exactly as a sum of doubles can be zero


def _lived(
    s: FlexibilitySettings,
    base: Scenario,
    threads: int,
    progress: Progress | None,
    also: pd.Timestamp | None = None,
) -> dict[tuple[pd.Timestamp, float], Run]:
    """The runs of a base scenario by day and kappa."""
    starts = sorted({*s.starts, *([] if also is None else [also])})
    cases = list(product(starts, s.kappas))
    scenarios = [base.changed({"start": start.to_pydatetime(), "tariff.kappa": kappa}) for start, kappa in cases]
    return dict(zip(cases, run_ensemble(scenarios, threads=threads, progress=progress), strict=True))


def _name(start: pd.Timestamp) -> str:
    """The local date of a day."""
    return f"{start.tz_convert('Europe/Berlin'):%Y-%m-%d}"
