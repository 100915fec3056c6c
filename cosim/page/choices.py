"""What the page's controls offer beside numbers: feeders, tariffs and days, each under a name that people can read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cosim.data import TIMEZONE, WEEKS, day_start, extract_days
from cosim.scenario import FeederSpec, Scenario
from cosim.tariff import PRESETS, FlatTariff, SyntheticTariff, Tariff, TimeOfUseTariff
from feeders import FEEDERS

__all__ = ["OWN_TARIFF", "day_choices", "feeder_choices", "tariff_choices", "with_kappa"]

OWN_TARIFF = "the scenario's own"
_FLAT_PRICE = 0.30  # currency/kWh, of the size of the time-of-use presets


def feeder_choices(spec: FeederSpec) -> tuple[str, dict[str, FeederSpec]]:
    """The name of a scenario's own feeder, and all feeders by name.

    The others bring what the scenario says of its own: scaled loads and generators; their engine is the default.
    """
    own = spec.name if spec.name is not None else Path(spec.file or "").stem
    if spec.name is None and own in FEEDERS:
        own += " (file)"
    other = {"file": None, "engine": "auto"}
    found = {own: spec} if own not in FEEDERS else {}
    found |= {name: spec if name == own else spec.model_copy(update={"name": name, **other}) for name in FEEDERS}
    return own, found


def tariff_choices(scenario: Scenario) -> tuple[str, dict[str, Tariff]]:
    """The name of a scenario's own tariff, and all tariffs by name; but for its own all sell at the price of buying."""
    own, tariff = _known_as(scenario.tariff), scenario.tariff
    found: dict[str, Tariff] = {own: tariff} if own == OWN_TARIFF else {}
    found |= {
        "flat": FlatTariff(price_buy=_FLAT_PRICE),
        **{name: TimeOfUseTariff(preset=name) for name in PRESETS},
        "synthetic real-time": SyntheticTariff(),
    }
    return own, {**found, own: tariff}


def with_kappa(tariff: Tariff, kappa: float) -> Tariff:
    """The same tariff, whose selling price is a share of the buying price instead of what it was."""
    update: dict[str, Any] = {"kappa": kappa}
    update |= {name: None for name in ("price_sell", "column_sell") if name in type(tariff).model_fields}
    return tariff.model_copy(update=update)


def day_choices(scenario: Scenario) -> tuple[str, dict[str, datetime]]:
    """The name of a scenario's own first day, and all days on which it could start, by name.

    Those of the embedded extract from which on it has as many days as the scenario; profiles of a file have their own
    alone.
    """
    starts = {_day_name(day): day_start(day).to_pydatetime() for day in _possible(scenario)}
    own = next((name for name, start in starts.items() if start == scenario.start), None)
    if own is not None:
        return own, starts
    local = scenario.start.astimezone(ZoneInfo(TIMEZONE))
    own = f"{local:%a} {local.day} {local:%B %Y}" + (f", {local:%H:%M}" if local.hour or local.minute else "")
    return own, {own: scenario.start, **starts}


def _known_as(tariff: Tariff) -> str:
    """The name of a tariff that is one of those on offer but for its kappa, and of a synthetic one its parameters."""
    if tariff.demand_charges or tariff.fixed_per_day:
        return OWN_TARIFF
    if isinstance(tariff, SyntheticTariff):
        return "synthetic real-time"
    if isinstance(tariff, FlatTariff) and tariff == FlatTariff(price_buy=tariff.price_buy, kappa=tariff.kappa):
        return "flat"
    preset = tariff.preset if isinstance(tariff, TimeOfUseTariff) else None
    if preset is not None and tariff == TimeOfUseTariff(preset=preset, kappa=tariff.kappa):
        return preset
    return OWN_TARIFF


def _possible(scenario: Scenario) -> list[date]:
    days = extract_days()
    if scenario.profiles_file is not None:
        return []
    if scenario.profiles == "repeated":
        return days
    ends: Mapping[date, date] = {day: monday + timedelta(days=7) for monday in WEEKS.values() for day in _week(monday)}
    return [day for day in days if day + timedelta(days=scenario.days) <= ends[day]]


def _week(monday: date) -> list[date]:
    return [monday + timedelta(days=n) for n in range(7)]


def _day_name(day: date) -> str:
    season = next(name for name, monday in WEEKS.items() if day in _week(monday))
    return f"{season}, {day:%a} {day.day} {day:%B %Y}"
