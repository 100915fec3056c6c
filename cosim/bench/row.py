"""What a benchmark gives: one figure, its peer measured in the same run, and how much of it was measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median

__all__ = ["FULL", "QUICK", "Benchmark", "Effort", "Report", "Row", "Timing"]

Report = Callable[[float], None]
"""Called with the share of a benchmark that is done, 0 to 1."""


@dataclass(frozen=True)
class Effort:
    """How much is measured.

    Attributes
    ----------
    repeats : int
        How often ours and peers that take about as long are timed, in turns; the median counts.
    peer_steps : int
        Market steps of the four-bus day that go through pandapower, scaled to 96.
    day_minutes : int
        Minutes of the volt-var day.
    sizes : tuple of int
        Numbers of prosumers of the population day.
    population_seconds : float
        Longest time that a population day may be simulated; what is left of it is scaled.
    ensemble, singles : int
        Days in the ensemble, and those of them that are also run alone.
    homes : int
        Homes that rehearse an evening.
    sweep_runs : int
        Days of a sweep.
    """

    repeats: int
    peer_steps: int
    day_minutes: int
    sizes: tuple[int, ...]
    population_seconds: float
    ensemble: int
    singles: int
    homes: int = 10
    sweep_runs: int = 4


FULL = Effort(5, 96, 1440, (10, 100, 1000, 10_000), 30.0, 1000, 20, 1000, 1000)
QUICK = Effort(2, 4, 1440, (10, 1000), 2.0, 100, 3, 100, 40)


@dataclass(frozen=True)
class Timing:
    """Several timings of one thing [s]."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """Their median, or the one in the middle of what was measured."""
        return median(self.seconds)

    def scaled(self, factor: float) -> Timing:
        """The same per something else, e.g. for a whole day."""
        return Timing(tuple(factor * value for value in self.seconds))

    @property
    def spread(self) -> str:
        """Fastest and slowest, where there are several."""
        return f"{min(self.seconds):.3g} .. {max(self.seconds):.3g}" if len(self.seconds) > 1 else ""


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes
    ----------
    name : str
        What was measured; begins with the name of its benchmark.
    ours : Timing, optional
        None where it could not be measured; `note` says why.
    peer : str, optional
        What it is compared with, and how that was used.
    theirs : Timing, optional
        The peer's time for the same.
    difference, unit : float, str
        Largest difference between our results and the peer's, where both have the same results.
    note : str
        What was scaled, what is missing.
    details : mapping
        More figures, each a column of the benchmark's own table.
    """

    name: str
    ours: Timing | None
    peer: str | None = None
    theirs: Timing | None = None
    difference: float | None = None
    unit: str = ""
    note: str = ""
    details: Mapping[str, float | int | str | bool | None] = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        """The peer's time over ours: above 1 ours is faster."""
        return None if self.ours is None or self.theirs is None else self.theirs.median / self.ours.median

    def as_dict(self) -> dict[str, object]:
        """Plain data: ``name, seconds, peer, peer_seconds, ratio``, then everything else."""
        return {
            "name": self.name,
            "seconds": None if self.ours is None else self.ours.median,
            "peer": self.peer,
            "peer_seconds": None if self.theirs is None else self.theirs.median,
            "ratio": self.ratio,
            "timings": None if self.ours is None else list(self.ours.seconds),
            "peer_timings": None if self.theirs is None else list(self.theirs.seconds),
            "difference": self.difference,
            "unit": self.unit,
            "note": self.note,
            **self.details,
        }


Benchmark = Callable[[Effort, Report], Iterator[Row]]
"""Measures, says how far it is, and yields its rows one by one."""
