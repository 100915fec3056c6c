"""The signals by the names that scenarios and studies use."""

from __future__ import annotations

from dataclasses import fields
from difflib import get_close_matches

from agents.dso.signals.ascent import DualAscent
from agents.dso.signals.columns import ColumnGeneration
from agents.dso.signals.demand import DemandCharge, DemandChargeLocal
from agents.dso.signals.frank_wolfe import FrankWolfe
from agents.dso.signals.parameters import Parameters
from agents.dso.signals.rule import SignalRule
from agents.dso.signals.source import Damped, Source, SourceLocal
from agents.dso.signals.tariff_only import TariffOnly
from agents.dso.signals.ties import RandomTies
from feeders.errors import InputError, InputErrors

__all__ = ["SIGNALS", "make_signal", "register_signal"]

_RULES: tuple[type[SignalRule], ...] = (
    TariffOnly,
    Source,
    SourceLocal,
    Damped,
    DualAscent,
    FrankWolfe,
    ColumnGeneration,
    DemandCharge,
    DemandChargeLocal,
    RandomTies,
)

SIGNALS: dict[str, type[SignalRule]] = {rule.name: rule for rule in _RULES}
"""The signals by name; each takes its parameters as keywords."""


def make_signal(name: str, **parameters: float) -> SignalRule:
    """The signal called `name`.

    Raises
    ------
    InputError
        When there is none; it names the nearest.
    InputErrors
        For parameters that it does not have, with the nearest, or that are outside their ranges.
    """
    if name not in SIGNALS:
        raise InputError("signals", "signal", name, _known(name, list(SIGNALS)))
    rule = SIGNALS[name]
    known = [parameter.name for parameter in fields(rule)] if issubclass(rule, Parameters) else list(parameters)
    faults = [
        InputError(f"signal {name!r}", key, value, _known(key, known))
        for key, value in parameters.items()
        if key not in known
    ]
    if faults:
        raise InputErrors(faults)
    return rule(**parameters)


def register_signal(rule: type[SignalRule]) -> None:
    """Make a signal of one's own available under its name; a name that is taken is refused."""
    if rule.name in SIGNALS:
        raise InputError("signals", "name", rule.name, f"a name not yet taken ({', '.join(SIGNALS)})")
    SIGNALS[rule.name] = rule


def _known(name: str, known: list[str]) -> str:
    if not known:
        return "no parameters"
    near = get_close_matches(name, known, n=2) or known
    return f"one of {', '.join(known)} (nearest: {', '.join(near)})"
