"""What the operator of a scenario must be, beyond types."""

from __future__ import annotations

from collections.abc import Iterator

from agents.dso import make_signal
from agents.dso.watch import limits
from cosim.dso_spec import WORST, DsoSpec, WatchSpec
from cosim.evening import watch_of
from cosim.profiles import market_times
from cosim.scenario import Scenario
from feeders import Feeder
from feeders.errors import InputError, InputErrors

__all__ = ["dso_problems", "watch_problems"]

_HERE = "scenario"


def dso_problems(scenario: Scenario) -> Iterator[InputError]:
    """What is wrong with signal, parameters and hours."""
    spec = scenario.dso
    if spec is None:
        return
    yield from _signal(spec)
    if 24 * 60 % scenario.market_step_min == 0:  # else said elsewhere
        per_day = 24 * 60 // scenario.market_step_min
        if not spec.active_steps(market_times(scenario, 0, per_day)).any():
            allowed = f"hours in which a market step begins, one every {scenario.market_step_min} min"
            yield InputError(_HERE, "dso.active", [hours.model_dump() for hours in spec.active], allowed)


def _signal(spec: DsoSpec) -> Iterator[InputError]:
    try:
        make_signal(spec.signal, **spec.parameters)
    except InputErrors as several:
        for error in several.errors:
            yield InputError(_HERE, f"dso.parameters.{error.field}", error.value, error.allowed)
    except InputError as error:
        yield InputError(_HERE, "dso.signal", error.value, error.allowed)


def watch_problems(scenario: Scenario, feeder: Feeder) -> Iterator[InputError]:
    """What is wrong with the quantities that are watched on a feeder."""
    for place, watch in enumerate(() if scenario.dso is None else scenario.dso.watch):
        if watch.element == WORST and watch.kind != "voltage":
            allowed = f"index or name of a {_element(watch)}: {WORST!r} is for kind 'voltage'"
            yield InputError(_HERE, f"dso.watch[{place}].element", watch.element, allowed)
        elif watch.element != WORST:
            try:
                limits(feeder, [watch_of(scenario, watch)])
            except InputError as error:
                unrated = error.field.startswith("rating")
                allowed = f"a {_element(watch)} with a rating: the net gives none" if unrated else error.allowed
                yield InputError(_HERE, f"dso.watch[{place}].element", watch.element, allowed)


def _element(watch: WatchSpec) -> str:
    return "bus" if watch.kind.startswith("voltage") else watch.kind
