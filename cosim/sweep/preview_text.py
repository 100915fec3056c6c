"""A preview in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cosim.sweep.estimate import Estimate
from cosim.sweep.plan import scenario_of

if TYPE_CHECKING:
    from cosim.sweep.preview import Pilot, Preview

__all__ = ["duration", "preview_lines", "size"]


def preview_lines(preview: Preview) -> Iterator[str]:
    """Count, what was tried, and time, memory and disk as far as they can be told."""
    plan = preview.plan
    axes = " x ".join(f"{name} {n}" for name, n in plan.axes.items())
    yield f"{plan.name}: {len(plan.runs)} {'run' if len(plan.runs) == 1 else 'runs'}" + (f" = {axes}" if axes else "")
    missing = [name for name, found in plan.inputs.items() if found == "missing"]
    yield from (f"missing: {name}; the runs that read it will fail" for name in missing)
    yield from (f"tried: {_tried(pilot)}" for pilot in preview.pilots)
    if preview.estimate is None:
        yield "no run that was tried came to its end: nothing can be said of time, memory and disk"
        return
    yield "estimates, from what was tried, by days, steps and prosumers of each run:"
    yield from _estimates(preview, preview.estimate)


def _estimates(preview: Preview, found: Estimate) -> Iterator[str]:
    workers = "1 worker" if preview.workers == 1 else f"{preview.workers} workers"
    yield (
        f"time: about {duration(found.seconds(preview.workers))} with {workers}, each on a core of its own "
        f"({duration(found.computing_s)} of computing, {duration(found.warm_up_s)} until a process is warm)"
    )
    memory_mb = preview.workers * found.peak_mb
    yield (
        f"memory: about {found.peak_mb:.0f} MB for each worker, {memory_mb:.0f} MB in all; "
        f"{preview.memory_free_mb:.0f} MB are free{_too_little(memory_mb > preview.memory_free_mb)}"
    )
    limit_mb = preview.plan.memory_mb
    if limit_mb is not None and found.peak_mb > limit_mb:
        yield f"memory: the limit, limits.memory_mb, is {limit_mb:.0f} MB: the largest runs will fail"
    if found.longest_s > preview.plan.timeout_s:
        longest, limit = duration(found.longest_s), duration(preview.plan.timeout_s)
        yield f"time: the longest run takes about {longest}, and the limit, limits.timeout_s, is {limit}: it will fail"
    yield (
        f"disk: about {size(found.disk_bytes)}; {size(preview.disk_free_bytes)} are free at {preview.folder}"
        f"{_too_little(found.disk_bytes > preview.disk_free_bytes)}"
    )
    if found.n_by_work:
        yield f"{found.n_by_work} runs are of kinds that were not tried; they are taken to be like those that were"


def _too_little(true: bool) -> str:
    return ": TOO LITTLE" if true else ""


def _tried(pilot: Pilot) -> str:
    fields = ", ".join(f"{name} {_short(value)}" for name, value in pilot.run.fields.items())
    run = f"run {pilot.run.number}" + (f" ({fields})" if fields else "")
    if pilot.days != scenario_of(pilot.run).days:
        run += f" with days {pilot.days}"
    outcome, failure = pilot.outcome, pilot.failure
    if failure is not None:
        return f"{run} FAILED: {failure.reason}: {failure.message}"
    return f"{run}: {duration(outcome.seconds)}, {outcome.peak_mb:.0f} MB of memory, {size(outcome.size_bytes)} on disk"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def duration(seconds: float) -> str:
    """Seconds in the two largest units that say something."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    left, parts = round(seconds), list[tuple[int, str]]()
    for name, length in units:
        count, left = divmod(left, length)
        if count or parts:
            parts.append((count, name))
    return " ".join(f"{count} {name}" for count, name in parts[:2] if count)


def size(n_bytes: float) -> str:
    """Bytes in the largest unit that leaves a number above one."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.3g} TB"
