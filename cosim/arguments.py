"""What a model is asked to simulate: one scenario or several, changes to them, classes of single prosumers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.prosumer import Prosumer
from cosim.scenario import Scenario
from feeders.errors import InputError, InputErrors

__all__ = ["require_known", "scenarios_of"]


def scenarios_of(
    settings: Scenario | Sequence[Scenario] | None, rng: int | None, changes: Mapping[str, Any]
) -> list[Scenario]:
    """The scenarios of a model, with a seed in place of theirs and fields changed by their dotted names.

    Raises
    ------
    InputErrors
        For none at all, and as `Scenario.changed`.
    """
    if rng is not None:
        changes = {**changes, "seed": int(rng)}
    scenarios = list(settings) if isinstance(settings, Sequence) else [settings or Scenario()]
    if not scenarios:
        raise InputErrors([InputError("CoSimulation", "settings", [], "at least one scenario")])
    return [scenario.changed(changes) for scenario in scenarios] if changes else scenarios


def require_known(classes: Mapping[str, type[Prosumer]], names: Sequence[str]) -> None:
    """Raise `InputErrors` for classes of prosumers that there are not."""
    unknown = [name for name in classes if name not in names]
    if unknown:
        known = ", ".join(dict.fromkeys(names))
        raise InputErrors(
            [InputError("CoSimulation", "classes", name, f"ids of prosumers: {known}") for name in unknown]
        )
