"""What a scenario must be to be simulated, beyond types: reads as a list of checks, reports all findings at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import numpy as np

from agents.prosumer import rule_by_name
from cosim.build import build_feeder, energy_start_kwh
from cosim.profiles import market_times, prosumer_profile
from cosim.scenario import Scenario
from feeders import ENGINE_NAMES, FEEDERS, Feeder
from feeders.errors import InputError, InputErrors

__all__ = ["problems", "require_lockstep", "require_valid"]

_HERE = "scenario"  # in findings: the scenario itself rather than a file that it names

_SHARED = (
    "feeder",
    "days",
    "market_step_min",
    "control_step_min",
    "horizon",
    "mode",
    "open_loop_reference",
    "forecast",
    "planner",
)


def require_valid(scenario: Scenario, feeder: Feeder | None = None, where: str = "scenario") -> None:
    """Raise `InputErrors` with all that keeps a scenario from being simulated; see `problems`."""
    found = problems(scenario, feeder, where)
    if found:
        raise InputErrors(found)


def problems(scenario: Scenario, feeder: Feeder | None = None, where: str = "scenario") -> list[InputError]:
    """All that keeps a scenario from being simulated.

    Parameters
    ----------
    scenario : Scenario
        What is to be checked.
    feeder : Feeder, optional
        Its feeder, where it has been built already.
    where : str
        The file or option that the scenario is from, for the messages. Findings inside another file name that one.
    """
    found = [finding for check in _CHECKS for finding in check(scenario)]
    try:
        found += _buses(scenario, _feeder(scenario) if feeder is None else feeder)
    except InputErrors as several:
        found += several.errors
    except InputError as error:
        found.append(error)
    here = (e if e.where != _HERE else InputError(where, e.field, e.value, e.allowed) for e in found)
    return list({str(error): error for error in here}.values())  # each once: prosumers share profiles and files


def require_lockstep(scenarios: Sequence[Scenario]) -> None:
    """Raise `InputErrors` unless the scenarios share what runs in lock-step must share."""
    first = scenarios[0]
    found = [
        InputError(
            f"scenario {scenario.name}",
            field,
            getattr(scenario, field),
            "the same in all scenarios of one run",
        )
        for field in _SHARED
        for scenario in scenarios[1:]
        if getattr(scenario, field) != getattr(first, field)
    ]
    if found:
        raise InputErrors(found)


def _steps(s: Scenario) -> Iterator[InputError]:
    if 24 * 60 % s.market_step_min:
        yield InputError(_HERE, "market_step_min", s.market_step_min, "a divisor of a day, 1440 min")
    if s.market_step_min % s.control_step_min:
        allowed = f"a divisor of market_step_min, {s.market_step_min}"
        yield InputError(_HERE, "control_step_min", s.control_step_min, allowed)
    start_min = s.start.hour * 60 + s.start.minute
    if start_min % s.market_step_min and 24 * 60 % s.market_step_min == 0:
        allowed = f"a time at a whole multiple of market_step_min, {s.market_step_min}, in the day"
        yield InputError(_HERE, "start", s.start.isoformat(), allowed)


def _forecast(s: Scenario) -> Iterator[InputError]:
    for name in ("load_error", "pv_error", "price_error"):
        value = getattr(s.forecast, name)
        if value and s.forecast.kind != "noisy":
            yield InputError(_HERE, f"forecast.{name}", value, 'a forecast of kind "noisy" to go with it')


def _rules(s: Scenario) -> Iterator[InputError]:
    names = {"rule": s.rule, **{f"prosumers.{p.id}.rule": p.rule for p in s.prosumers if p.rule is not None}}
    for field, name in names.items():
        try:
            rule_by_name(name)
        except InputError as error:
            yield InputError(_HERE, field, name, error.allowed)


def _voltages(s: Scenario) -> Iterator[InputError]:
    try:
        _ = s.voltage.band
    except InputError as error:
        yield InputError(_HERE, f"voltage.{error.field}", error.value, error.allowed)


def _people(s: Scenario) -> Iterator[InputError]:
    ids = [p.id for p in s.prosumers]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield InputError(_HERE, "prosumers.id", name, "an id of its own for each prosumer")
    for p in s.prosumers:
        if p.battery_min_kwh > p.battery_kwh:
            allowed = f"at most battery_kwh, {p.battery_kwh:g}"
            yield InputError(_HERE, f"prosumers.{p.id}.battery_min_kwh", p.battery_min_kwh, allowed)
        elif not p.battery_min_kwh <= energy_start_kwh(p) <= p.battery_kwh:
            allowed = f"between battery_min_kwh, {p.battery_min_kwh:g}, and battery_kwh, {p.battery_kwh:g}"
            yield InputError(_HERE, f"prosumers.{p.id}.energy_start_kwh", p.energy_start_kwh, allowed)


def _profiles(s: Scenario) -> Iterator[InputError]:
    if s.profiles_file is not None and not Path(s.profiles_file).is_file():
        yield InputError(_HERE, "profiles_file", s.profiles_file, "an existing CSV file")
    elif 24 * 60 % s.market_step_min == 0:  # else said elsewhere
        for prosumer in s.prosumers:
            for field in ("load_profile", "pv_profile"):
                yield from _caught(partial(prosumer_profile, s, prosumer, field))


def _prices(s: Scenario) -> Iterator[InputError]:
    if 24 * 60 % s.market_step_min:
        return
    for error in _caught(partial(s.tariff.prices, market_times(s), folder=Path())):
        own = error.where == "tariff"
        yield InputError(_HERE, f"tariff.{error.field}", error.value, error.allowed) if own else error


def _planner(s: Scenario) -> Iterator[InputError]:
    if s.planner != "dynamic-program" or next(_prices(s), None) is not None or 24 * 60 % s.market_step_min:
        return
    times = market_times(s)
    lowest = s.tariff.prices(times, folder=Path()).price_sell
    if (lowest < 0).any():
        at = times[int(np.argmax(lowest < 0))]
        allowed = f"auto or highs: the tariff has negative prices, the first at {at:%Y-%m-%d %H:%M} UTC"
        yield InputError(_HERE, "planner", s.planner, allowed)


_CHECKS: tuple[Callable[[Scenario], Iterator[InputError]], ...] = (
    _steps,
    _forecast,
    _rules,
    _voltages,
    _people,
    _profiles,
    _prices,
    _planner,
)


def _feeder(s: Scenario) -> Feeder:
    name, file, engine = s.feeder.name, s.feeder.file, s.feeder.engine
    if engine not in ENGINE_NAMES:
        near = get_close_matches(engine, ENGINE_NAMES, n=1, cutoff=0.0)[0]
        raise InputError(_HERE, "feeder.engine", engine, f"one of {', '.join(ENGINE_NAMES)} (nearest: {near})")
    if name is None and file is None:
        raise InputError(_HERE, "feeder", None, "the name of a feeder, see `cosim feeders`, or a file")
    if name is not None and file is not None:
        raise InputError(_HERE, "feeder", f"name {name} and file {Path(file).name}", "one of the two")
    if file is not None and not Path(file).is_file():
        raise InputError(_HERE, "feeder.file", file, "an existing file, a pandapower net as JSON")
    if name is not None and name not in FEEDERS:
        near = ", ".join(get_close_matches(name, FEEDERS, n=3, cutoff=0.0))
        raise InputError(_HERE, "feeder.name", name, f"a feeder that `cosim feeders` lists; nearest: {near}")
    return build_feeder(s.feeder)


def _buses(s: Scenario, feeder: Feeder) -> Iterator[InputError]:
    for p in s.prosumers:
        try:
            bus = feeder.bus_by_name(p.bus)
        except InputError as error:
            yield InputError(_HERE, f"prosumers.{p.id}.bus", p.bus, error.allowed)
            continue
        if not feeder.energised[feeder.bus_positions([bus])[0]]:
            allowed = "a bus with supply: this one is out of service or isolated"
            yield InputError(_HERE, f"prosumers.{p.id}.bus", p.bus, allowed)


def _caught(attempt: Callable[[], object]) -> Iterator[InputError]:
    """The input error that an attempt ends in, if it does."""
    try:
        attempt()
    except InputErrors as several:
        yield from several.errors
    except InputError as error:
        yield error
