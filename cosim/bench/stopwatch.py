"""Where the time of a run goes: clocks around the calls that a model makes."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Any, TypeVar

from cosim.model import CoSimulation

__all__ = ["PARTS", "Stopwatch", "lived", "seconds_of", "timed"]

T = TypeVar("T")

PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "planning": (("planners", "plan"),),
    "rules": (("population", "regulate"),),
    "flow": (("grid", "solve"),),
    "battery and books": (("population", "deliver"), ("ledger", "book")),
    "record": (("record", "write"), ("tally", "add")),
}
"""The parts of a run, and the methods of a model's attributes that they are; none calls another."""


class Stopwatch:
    """Adds up the time that the parts of a model take, once it is wrapped around them.

    Two readings of the clock per call, some 0.2 us: nothing beside what is measured.

    Parameters
    ----------
    model : CoSimulation
        Its methods are replaced, on this one object.

    Attributes
    ----------
    seconds : dict
        Time spent so far in each of `PARTS`.
    """

    def __init__(self, model: CoSimulation) -> None:
        self.seconds = dict.fromkeys(PARTS, 0.0)
        for part, methods in PARTS.items():
            for owner, method in methods:
                target = getattr(model, owner)
                setattr(target, method, self._timed(part, getattr(target, method)))

    def _timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        seconds = self.seconds

        def timed(*args: Any, **options: Any) -> Any:
            began = perf_counter()
            try:
                return call(*args, **options)
            finally:
                seconds[part] += perf_counter() - began

        return timed

    def parts(self, total: float) -> dict[str, float]:
        """Seconds of each part of `total`, and of everything else."""
        return {**self.seconds, "everything else": total - sum(self.seconds.values())}


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """How long a call takes [s], and what it gives."""
    began = perf_counter()
    value = call()
    return perf_counter() - began, value


def seconds_of(call: Callable[[], object]) -> float:
    """How long a call takes [s]."""
    return timed(call)[0]


def lived(model: CoSimulation, n_steps: int) -> list[float]:
    """Live market steps, and say how long each took [s]."""
    return [seconds_of(model.step) for _ in range(n_steps)]
