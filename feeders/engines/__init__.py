"""Power-flow engines of a feeder, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from feeders.engines.base import Engine
from feeders.engines.power_grid import PowerGridEngine
from feeders.engines.reference import PandapowerEngine
from feeders.errors import InputError
from feeders.feeder import Feeder

__all__ = ["ENGINES", "Engine", "PandapowerEngine", "PowerGridEngine", "make_engine"]

ENGINES: dict[str, Callable[[Feeder], Engine]] = {
    "pandapower": PandapowerEngine,
    "power-grid-model": PowerGridEngine,
}


def make_engine(feeder: Feeder, name: str = "power-grid-model") -> Engine:
    """The engine called ``name``, a key of `ENGINES`, for a feeder.

    Raises
    ------
    InputError
        If there is no such engine.
    EngineRefusalError
        If it cannot compute this feeder faithfully.
    """
    if name not in ENGINES:
        near = difflib.get_close_matches(name, ENGINES, n=1, cutoff=0.0)[0]
        raise InputError("engine", "name", name, f"{', '.join(ENGINES)}; nearest: {near}")
    return ENGINES[name](feeder)
