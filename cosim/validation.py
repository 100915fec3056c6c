"""What a scenario must be to be simulated, beyond types: reads as a list of checks, reports all findings at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from agents.prosumer import rule_by_name
from cosim.build import build_feeder, energy_start_kwh
from cosim.profiles import market_times, prosumer_profile, scenario_profiles
from cosim.scenario import Scenario
from feeders import Feeder
from feeders.engines import ENGINES
from feeders.errors import InputError, InputErrors

__all__ = ["problems", "require_lockstep", "require_valid"]

_SHARED = (
    "feeder",
    "days",
    "market_step_min",
    "control_step_min",
    "horizon",
    "mode",
    "open_loop_reference",
    "forecast",
)


def require_valid(scenario: Scenario, feeder: Feeder | None = None) -> None:
    """Raise `InputErrors` with all that keeps a scenario from being simulated; see `problems`."""
    found = problems(scenario, feeder)
    if found:
        raise InputErrors(found)


def problems(scenario: Scenario, feeder: Feeder | None = None) -> list[InputError]:
    """All that keeps a scenario from being simulated.

    Parameters
    ----------
    scenario : Scenario
        What is to be checked.
    feeder : Feeder, optional
        Its feeder, where it has been built already.
    """
    found: list[InputError] = []
    for check in _CHECKS:
        found += check(scenario)
    if feeder is None:
        try:
            feeder = _feeder(scenario)
        except InputErrors as several:
            return found + several.errors
        except InputError as error:
            return [*found, error]
    return found + list(_buses(scenario, feeder))


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
        yield InputError("scenario", "market_step_min", s.market_step_min, "a divisor of a day, 1440 min")
    if s.market_step_min % s.control_step_min:
        allowed = f"a divisor of market_step_min, {s.market_step_min}"
        yield InputError("scenario", "control_step_min", s.control_step_min, allowed)
    start_min = s.start.hour * 60 + s.start.minute
    if start_min % s.market_step_min:
        allowed = f"a time at a whole multiple of market_step_min, {s.market_step_min}, in the day"
        yield InputError("scenario", "start", s.start.isoformat(), allowed)


def _forecast(s: Scenario) -> Iterator[InputError]:
    for name in ("load_error", "pv_error", "price_error"):
        value = getattr(s.forecast, name)
        if value and s.forecast.kind != "noisy":
            yield InputError("scenario", f"forecast.{name}", value, 'a forecast of kind "noisy" to go with it')


def _rules(s: Scenario) -> Iterator[InputError]:
    names = {"rule": s.rule, **{f"prosumers.{p.id}.rule": p.rule for p in s.prosumers if p.rule is not None}}
    for field, name in names.items():
        try:
            rule_by_name(name)
        except InputError as error:
            yield InputError("scenario", field, name, error.allowed)


def _voltages(s: Scenario) -> Iterator[InputError]:
    try:
        _ = s.voltage.band
    except InputError as error:
        yield InputError("scenario", f"voltage.({error.field})", error.value, error.allowed)


def _people(s: Scenario) -> Iterator[InputError]:
    ids = [p.id for p in s.prosumers]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield InputError("scenario", "prosumers.id", name, "each id once")
    for p in s.prosumers:
        if p.battery_min_kwh > p.battery_kwh:
            allowed = f"at most battery_kwh, {p.battery_kwh:g}"
            yield InputError("scenario", f"prosumers.{p.id}.battery_min_kwh", p.battery_min_kwh, allowed)
        elif not p.battery_min_kwh <= energy_start_kwh(p) <= p.battery_kwh:
            allowed = f"between battery_min_kwh, {p.battery_min_kwh:g}, and battery_kwh, {p.battery_kwh:g}"
            yield InputError("scenario", f"prosumers.{p.id}.energy_start_kwh", p.energy_start_kwh, allowed)


def _profiles(s: Scenario) -> Iterator[InputError]:
    if s.profiles_file is not None and not Path(s.profiles_file).is_file():
        yield InputError("scenario", "profiles_file", s.profiles_file, "an existing CSV file")
        return
    for prosumer in s.prosumers:
        for field in ("load_profile", "pv_profile"):
            yield from _caught(partial(prosumer_profile, s, prosumer, field))


def _flexible(s: Scenario) -> Iterator[InputError]:
    if next(_profiles(s), None) or next(_steps(s), None):
        return  # said elsewhere
    load, _ = scenario_profiles(s)
    step_h = s.market_step_min / 60
    for p, column in zip(s.prosumers, load.T, strict=True):
        due_kwh = step_h * p.flexible_share * column[: len(column) // s.days].sum()
        possible_kwh = due_kwh * p.flexible_max
        if p.optimise and possible_kwh < due_kwh:
            allowed = (
                f"at least 1: {due_kwh:.3g} kWh are due on the first day, {possible_kwh:.3g} kWh fit in the bounds"
            )
            yield InputError("scenario", f"prosumers.{p.id}.flexible_max", p.flexible_max, allowed)


def _prices(s: Scenario) -> Iterator[InputError]:
    yield from _caught(partial(s.tariff.prices, market_times(s), folder=Path()))


_CHECKS: tuple[Callable[[Scenario], Iterator[InputError]], ...] = (
    _steps,
    _forecast,
    _rules,
    _voltages,
    _people,
    _profiles,
    _flexible,
    _prices,
)


def _feeder(s: Scenario) -> Feeder:
    if (s.feeder.name is None) == (s.feeder.file is None):
        raise InputError("scenario", "feeder", (s.feeder.name, s.feeder.file), "either a name or a file")
    if s.feeder.engine not in ENGINES:
        raise InputError("scenario", "feeder.engine", s.feeder.engine, f"one of {', '.join(ENGINES)}")
    return build_feeder(s.feeder)


def _buses(s: Scenario, feeder: Feeder) -> Iterator[InputError]:
    for p in s.prosumers:
        try:
            bus = feeder.bus_by_name(p.bus)
        except InputError as error:
            yield InputError("scenario", f"prosumers.{p.id}.bus", p.bus, error.allowed)
            continue
        if not feeder.energised[feeder.bus_positions([bus])[0]]:
            allowed = "a bus with supply: this one is out of service or isolated"
            yield InputError("scenario", f"prosumers.{p.id}.bus", p.bus, allowed)


def _caught(attempt: Callable[[], object]) -> Iterator[InputError]:
    """The input error that an attempt ends in, if it does."""
    try:
        attempt()
    except InputErrors as several:
        yield from several.errors
    except InputError as error:
        yield error
