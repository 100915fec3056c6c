"""What a scenario must be to be simulated, beyond types: reads as a list of checks, reports all findings at once."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path

import numpy as np

from agents.prosumer import rule_by_name
from cosim.attempts import allowed_instead, caught
from cosim.build import build_feeder, energy_start_kwh, run_prices, tes_start_kwh
from cosim.dso_checks import dso_problems, watch_problems
from cosim.home_models import unreachable
from cosim.naming_checks import bus_problems, profile_problems
from cosim.population import resolve
from cosim.profiles import market_times
from cosim.prosumer_spec import ProsumerSpec
from cosim.prosumers_file import ProsumerTable, read_table
from cosim.relief_checks import relief_problems
from cosim.scenario import Scenario
from feeders import ENGINE_NAMES, Feeder
from feeders.errors import InputError, InputErrors

__all__ = ["problems", "require_lockstep", "require_valid", "tariff_problems"]

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
    "record",
    "record_every",
)


def require_valid(scenario: Scenario, feeder: Feeder | None = None, where: str = "scenario") -> Scenario:
    """The scenario with its prosumers drawn or read, fit to be simulated; see `problems` for the parameters.

    Raises
    ------
    InputErrors
        With all that keeps it from being simulated.
    """
    resolved, found = _examined(scenario, feeder, where)
    if found:
        raise InputErrors(found)
    return resolved


def problems(scenario: Scenario, feeder: Feeder | None = None, where: str = "scenario") -> list[InputError]:
    """All that keeps a scenario from being simulated.

    Parameters
    ----------
    scenario : Scenario
        What is to be checked; its prosumers are drawn or read where they are not there yet.
    feeder : Feeder, optional
        Its feeder, where it has been built already.
    where : str
        The file or option that the scenario is from, for the messages. Findings inside another file name that one.
    """
    return _examined(scenario, feeder, where)[1]


def _examined(scenario: Scenario, feeder: Feeder | None, where: str) -> tuple[Scenario, list[InputError]]:
    """The scenario with its prosumers, as far as they can be drawn or read, and all that is wrong with it."""
    wrong: list[InputError] = []
    table: ProsumerTable | None = None
    try:
        if scenario.prosumers_file is not None and not scenario.prosumers:
            table = read_table(Path(scenario.prosumers_file))
            wrong += table.errors
            scenario = scenario.model_copy(update={"prosumers": tuple(table.prosumers)})
        feeder = _feeder(scenario) if feeder is None else feeder
        scenario = scenario if table else resolve(scenario, feeder)
    except InputErrors as several:
        wrong += several.errors
    except InputError as error:
        wrong.append(error)
    found = [finding for check in _CHECKS for finding in check(scenario)] + wrong
    if feeder is not None:
        found += [
            *bus_problems(scenario, feeder),
            *watch_problems(scenario, feeder),
            *relief_problems(scenario, feeder),
        ]
    found = found if table is None else [table.placed(error) for error in found]
    here = (e if e.where != _HERE else InputError(where, e.field, e.value, e.allowed) for e in found)
    return scenario, list({str(error): error for error in here}.values())  # each once: profiles and files are shared


def tariff_problems(scenario: Scenario) -> list[InputError]:
    """All that keeps a scenario from being simulated that lies in its prices."""
    return [*_prices(scenario), *_planner(scenario)]


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
    elif 24 * 60 % (s.record_every * s.control_step_min):
        allowed = f"a divisor of the control steps of a day, {24 * 60 // s.control_step_min}"
        yield InputError(_HERE, "record_every", s.record_every, allowed)
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
    named = [("rule", s.rule), *((f"prosumers.{p.id}.rule", p.rule) for p in s.prosumers if p.rule is not None)]
    refused = allowed_instead((name for _, name in named), rule_by_name)
    for field, name in named:
        if name in refused:
            yield InputError(_HERE, field, name, refused[name])


def _voltages(s: Scenario) -> Iterator[InputError]:
    try:
        _ = s.voltage.band
    except InputError as error:
        yield InputError(_HERE, f"voltage.{error.field}", error.value, error.allowed)


def _people(s: Scenario) -> Iterator[InputError]:
    for name, count in sorted(Counter(p.id for p in s.prosumers).items()):
        if count > 1:
            yield InputError(_HERE, "prosumers.id", name, "an id of its own for each prosumer")
    for p in s.prosumers:
        if tes_start_kwh(p) > p.tes_kwh:
            allowed = f"at most tes_kwh, {p.tes_kwh:g}"
            yield InputError(_HERE, f"prosumers.{p.id}.tes_start_kwh", p.tes_start_kwh, allowed)
        yield from _own_models(p)
        if p.tes_kwh and not p.hp_kw:
            allowed = "0, or a heat pump to charge it: hp_kw is 0"
            yield InputError(_HERE, f"prosumers.{p.id}.tes_kwh", p.tes_kwh, allowed)
        if p.battery_min_kwh > p.battery_kwh:
            allowed = f"at most battery_kwh, {p.battery_kwh:g}"
            yield InputError(_HERE, f"prosumers.{p.id}.battery_min_kwh", p.battery_min_kwh, allowed)
        elif not p.battery_min_kwh <= energy_start_kwh(p) <= p.battery_kwh:
            allowed = f"between battery_min_kwh, {p.battery_min_kwh:g}, and battery_kwh, {p.battery_kwh:g}"
            yield InputError(_HERE, f"prosumers.{p.id}.energy_start_kwh", p.energy_start_kwh, allowed)
        elif s.horizon == "rolling" and p.optimise and _losing_kw(p) > p.battery_c_charge * p.battery_kwh:
            allowed = (
                "with horizon rolling, which refills to energy_start_kwh, no more than the charging ramp makes up for: "
                f"there {_losing_kw(p):.3g} kW are lost, and the ramp is {p.battery_c_charge * p.battery_kwh:.3g} kW"
            )
            yield InputError(_HERE, f"prosumers.{p.id}.self_discharge_per_h", p.self_discharge_per_h, allowed)


def _own_models(p: ProsumerSpec) -> Iterator[InputError]:
    """Cars with a battery need a charger; rooms a heat pump, and one that heats nothing else."""
    needs = (
        ("ev_kwh", p.ev_kwh and not p.ev_charger_kw, "0, or a charger: ev_charger_kw is 0"),
        ("room_r_k_per_kw", p.room_r_k_per_kw and not p.hp_kw, "0, or a heat pump: hp_kw is 0"),
        ("tes_kwh", p.tes_kwh and p.room_r_k_per_kw, "0 where the heat pump keeps a room: room_r_k_per_kw is not 0"),
    )
    for name, wrong, allowed in needs:
        if wrong:
            yield InputError(_HERE, f"prosumers.{p.id}.{name}", getattr(p, name), allowed)


def _cars(s: Scenario) -> Iterator[InputError]:
    if 24 * 60 % s.market_step_min == 0:
        yield from unreachable(s)


def _losing_kw(prosumer: ProsumerSpec) -> float:
    """What a battery loses by self-discharge at the energy that it starts with."""
    return -math.log1p(-prosumer.self_discharge_per_h) * (energy_start_kwh(prosumer) - prosumer.battery_min_kwh)


def _prices(s: Scenario) -> Iterator[InputError]:
    if 24 * 60 % s.market_step_min:
        return
    for error in (*caught(partial(run_prices, s)), *caught(partial(s.tariff.check_run, market_times(s)))):
        own = error.where == "tariff"
        yield InputError(_HERE, f"tariff.{error.field}", error.value, error.allowed) if own else error


def _planner(s: Scenario) -> Iterator[InputError]:
    if s.planner != "dynamic-program" or 24 * 60 % s.market_step_min or any(True for _ in _prices(s)):
        return
    negative = run_prices(s).price_sell < 0
    if negative.any():
        at = market_times(s)[int(np.argmax(negative))]
        allowed = f"auto or highs: the tariff has negative prices, the first at {at:%Y-%m-%d %H:%M} UTC"
        yield InputError(_HERE, "planner", s.planner, allowed)


_CHECKS: tuple[Callable[[Scenario], Iterator[InputError]], ...] = (
    _steps,
    _forecast,
    _rules,
    _voltages,
    _people,
    _cars,
    profile_problems,
    _prices,
    _planner,
    dso_problems,
)


_FEEDER_CHECKS = (bus_problems, watch_problems, relief_problems)


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
    try:
        return build_feeder(s.feeder)
    except InputError as error:
        if (error.where, error.field) == ("feeder", "name"):
            raise InputError(_HERE, "feeder.name", name, error.allowed) from None
        raise
