"""Power-flow engines of a feeder, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from feeders.engines.base import Engine
from feeders.engines.current_injection import CurrentInjectionEngine
from feeders.engines.power_grid import PowerGridEngine
from feeders.engines.reference import PandapowerEngine
from feeders.engines.refusals import unsupported
from feeders.errors import InputError
from feeders.feeder import Feeder

__all__ = [
    "ENGINES",
    "ENGINE_NAMES",
    "CurrentInjectionEngine",
    "Engine",
    "PandapowerEngine",
    "PowerGridEngine",
    "make_engine",
]

ENGINES: dict[str, Callable[[Feeder], Engine]] = {
    "current-injection": CurrentInjectionEngine,
    "power-grid-model": PowerGridEngine,
    "pandapower": PandapowerEngine,
}

ENGINE_NAMES = ("auto", *ENGINES)
"""What `make_engine` takes."""


def make_engine(feeder: Feeder, name: str = "auto") -> Engine:
    """The engine called ``name``, one of `ENGINE_NAMES`, for a feeder.

    "auto" is current-injection, the fastest on every feeder measured, from 4 buses to 5,500. What that would refuse
    goes to pandapower, which computes every net but takes a thousand times as long: ``engine.notes`` then says why.

    Raises
    ------
    InputError
        If there is no such engine.
    EngineRefusalError
        If it cannot compute this feeder faithfully.
    """
    if name not in ENGINE_NAMES:
        near = difflib.get_close_matches(name, ENGINE_NAMES, n=1, cutoff=0.0)[0]
        raise InputError("engine", "name", name, f"{', '.join(ENGINE_NAMES)}; nearest: {near}")
    if name != "auto":
        return ENGINES[name](feeder)
    what = unsupported(feeder)
    if what is None:
        return CurrentInjectionEngine(feeder)
    engine = PandapowerEngine(feeder)
    engine.notes.append(f"the engine is pandapower, far slower than the others, as these cannot compute {what}")
    return engine
