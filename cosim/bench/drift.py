"""Seven days in a row: is the seventh as fast as the first, and does memory stay?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cosim.bench.day import NOISY
from cosim.bench.isolated import in_own_process, resident_memory_mb
from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import lived
from cosim.data import WEEKS, day_start
from cosim.model import CoSimulation
from cosim.scenario import Scenario

__all__ = ["measured", "week_drift"]

_DAYS = 7


def week_drift(effort: Effort, report: Report) -> Iterator[Row]:  # noqa: ARG001 - one signature for all
    """Seconds of day 7, with day 1 of the same run as its peer; and what memory grew from the end of day 1."""
    found = in_own_process(measured)
    report(1.0)
    if "failed" in found:
        yield Row("week-drift", None, note=found["failed"])
        return
    seconds, memory = found["seconds"], found["memory_mb"]
    growth = None if None in memory else memory[-1] - memory[0]
    details = {f"day {day} s": value for day, value in enumerate(seconds, start=1)}
    details |= {"MB after day 1": memory[0], "growth MB": growth, "of it record MB": found["record_mb"]}
    ours, theirs = Timing((seconds[-1],)), Timing((seconds[0],))
    yield Row("week-drift", ours, "day 1 of the same run", theirs, note="day 7; three homes, noisy", details=details)


def measured() -> dict[str, Any]:
    """Live a week of the four-bus feeder with every plan made anew; seconds and memory after each day."""
    start = day_start(WEEKS["summer"]).to_pydatetime()
    week = Scenario().changed({"start": start, "days": _DAYS, **NOISY})
    CoSimulation(week).step()  # what is compiled or loaded at first use
    model = CoSimulation(week)
    per_day = model.clock.steps_per_day
    seconds, memory = [], []
    for _ in range(_DAYS):
        seconds.append(sum(lived(model, per_day)))
        memory.append(resident_memory_mb())
    record_mb = model.record.frames.nbytes / 1e6 * (_DAYS - 1) / _DAYS
    return {"seconds": seconds, "memory_mb": memory, "record_mb": record_mb}
