"""From what a few runs took to what all of them take."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from cosim.sweep.work import Sizes, kind_of_run

__all__ = ["Estimate", "Measured", "estimated"]


@dataclass(frozen=True)
class Measured:
    """A run of a kind and with so much work that was measured."""

    kind: Hashable
    work: float
    seconds: float
    peak_mb: float
    size_bytes: float


@dataclass(frozen=True)
class Estimate:
    """What all runs of a sweep take.

    Attributes
    ----------
    computing_s : float
        Time of all runs, one after the other.
    longest_s : float
        Time of the longest one.
    warm_up_s : float
        Until a process is warm, once for each worker.
    peak_mb : float
        Memory of the process with the largest run [MB].
    disk_bytes : float
        Of the folders of all runs.
    n_by_work : int
        Runs of a kind of which none was measured; they are reckoned by their work alone.
    """

    computing_s: float
    longest_s: float
    warm_up_s: float
    peak_mb: float
    disk_bytes: float
    n_by_work: int

    def seconds(self, workers: int) -> float:
        """Wall-clock time with so many workers, each as fast as one alone."""
        return self.warm_up_s + max(self.computing_s / workers, self.longest_s)


def estimated(sizes: Sequence[Sizes], measured: Sequence[Measured], warm_up_s: float) -> Estimate | None:
    """What runs of these sizes take; None where nothing was measured.

    Of each kind, what was measured at one or two amounts of work lies on a straight line over the work, never falling;
    of a kind that was not measured, on the line of the one with the nearest work.
    """
    if not measured:
        return None
    quantities = [lambda one: one.seconds, lambda one: one.peak_mb, lambda one: one.size_bytes]
    of_kind: dict[Hashable, list[Measured]] = {}
    for one in measured:
        of_kind.setdefault(one.kind, []).append(one)
    lines = {kind: [_line(several, quantity) for quantity in quantities] for kind, several in of_kind.items()}
    found, n_by_work = [], 0
    for each in sizes:
        kind = kind_of_run(each.scenario)
        if kind not in lines:
            n_by_work += 1
            kind = min(measured, key=lambda one: abs(one.work - each.work)).kind
        found.append([line(each.work) for line in lines[kind]])
    seconds, peaks, disk = zip(*found, strict=True)
    return Estimate(sum(seconds), max(seconds), warm_up_s, max(peaks), sum(disk), n_by_work)


def _line(measured: Sequence[Measured], quantity: Callable[[Measured], float]) -> Callable[[float], float]:
    """A quantity as a function of work, through the runs with the least and the most work."""
    low, high = (each(measured, key=lambda one: one.work) for each in (min, max))
    rise, run = quantity(high) - quantity(low), high.work - low.work
    slope = max(0.0, rise / run) if run else 0.0
    return lambda work: max(0.0, quantity(high) + slope * (work - high.work))
