"""Names in a plan that nothing has, found before anything is run: a slip there would fail a run each."""

from __future__ import annotations

from collections.abc import Iterator

from agents.prosumer import rule_by_name
from cosim.sweep.plan import Plan, scenario_of
from feeders import require_feeder_name
from feeders.errors import InputError, InputErrors

__all__ = ["require_known_names"]


def require_known_names(plan: Plan, where: str) -> None:
    """Refuse rules and feeders that are not known, each once; for plans without plugins, which may bring their own.

    Raises
    ------
    InputErrors
    """
    wrong = {(field, name): problem for field, name, problem in _problems(plan)}
    if wrong:
        raise InputErrors([InputError(where, field, name, problem.allowed) for (field, name), problem in wrong.items()])


def _problems(plan: Plan) -> Iterator[tuple[str, str, InputError]]:
    scenarios = [scenario_of(run) for run in plan.runs]
    listed = {id(scenario.prosumers): scenario.prosumers for scenario in scenarios}  # shared by many runs
    rules = {scenario.rule for scenario in scenarios} | {p.rule for some in listed.values() for p in some if p.rule}
    feeders = {scenario.feeder.name for scenario in scenarios if scenario.feeder.name}
    for field, names, known in (("rule", rules, rule_by_name), ("feeder.name", feeders, require_feeder_name)):
        for name in sorted(names):
            try:
                known(name)
            except InputError as error:
                yield field, name, error
