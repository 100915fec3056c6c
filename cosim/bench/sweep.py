"""A sweep of four-bus days: two workers against one, one against a plain loop, and what memory and Dask add."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from cosim.bench.row import Effort, Report, Row, Timing
from cosim.bench.stopwatch import seconds_of, timed
from cosim.run import run
from cosim.scenario import Scenario
from cosim.sweep import run_sweep
from cosim.sweep.cluster import local
from cosim.sweep.journal import read_journals
from cosim.sweep.make_plan import plan_from_spec
from cosim.sweep.plan import Plan, scenario_of
from cosim.sweep.spec import SweepSpec

__all__ = ["Swept", "dask_overhead_ms", "memory_slope", "steady_rate", "sweep_of_days", "sweep_rates", "swept"]

_WARM_RUNS = 10  # of each worker, before its memory is taken to be level


@dataclass(frozen=True)
class Swept:
    """A sweep that was timed.

    Attributes
    ----------
    seconds : float
        From the plan to the tidy table, the start of the workers with it.
    steady : float
        Runs per second from the time when the last of the workers has its first run behind it to the last run.
    slope_mb : float
        Most that the memory of a worker grew [MB per 100 runs]; NaN where there were too few runs.
    peak_mb : float
        Most memory of a worker [MB].
    runs_sha : str
        Of the bytes of all runs and of the tidy table.
    """

    seconds: float
    steady: float
    slope_mb: float
    peak_mb: float
    runs_sha: str


def sweep_of_days(n: int) -> Plan:
    """`n` days of the default scenario, each with a noisy forecast of its own; no reference runs."""
    base = Scenario().changed({"forecast.kind": "noisy", "forecast.load_error": 0.1, "forecast.pv_error": 0.1})
    return plan_from_spec(SweepSpec(name="bench", base=base, references=False, grid={"seed": list(range(n))}))


def sweep_rates(effort: Effort, report: Report) -> Iterator[Row]:
    """Seconds of the same sweep with two workers, with one, and of `cosim.run` in a loop, scaled from some of its days.

    The ratio of the first row is that of the rates of two workers and one; that of the second, the loop's time over
    that of one worker, is what is left of a core's speed when each run is a folder that survives.
    """
    plan = sweep_of_days(effort.sweep_runs)
    n, few = len(plan.runs), plan.runs[: max(2, len(plan.runs) // 20)]
    run(scenario_of(few[0]), references=False)  # what is compiled is loaded
    found: dict[int, Swept] = {}
    loop: list[float] = []
    for done, workers in enumerate((2, 1), start=1):
        loop += [seconds_of(partial(run, scenario_of(planned), references=False)) for planned in few]
        found[workers] = swept(plan, workers)
        report(0.45 * done)
    two, one = found[2], found[1]
    dask_ms = dask_overhead_ms(n)
    name = f"sweep-{n}-days"
    details = {
        "runs": n,
        "rate /s": n / two.seconds,
        "steady rate /s": two.steady,
        "steady ratio": two.steady / one.steady,
        "MB per 100 runs": max(two.slope_mb, one.slope_mb),
        "peak MB": max(two.peak_mb, one.peak_mb),
        "dask ms per run": dask_ms,
        "same bytes": two.runs_sha == one.runs_sha,
    }
    yield Row(name, Timing((two.seconds,)), "one worker", Timing((one.seconds,)), details=details)
    plain = Timing((sum(loop) * n / len(loop),))
    note = f"peer scaled from {len(loop)} runs; it keeps nothing"
    over = {"ms more per run": 1e3 * (1 / one.steady - plain.median / n)}
    yield Row(f"{name}, one worker", Timing((one.seconds,)), "cosim.run in a loop", plain, note=note, details=over)
    report(1.0)


def dask_overhead_ms(n: int) -> float:
    """What Dask takes to hand out a task that does nothing and to bring its answer back [ms], of `n` at once."""
    from distributed import as_completed  # a second to load, which other commands do not need

    with local(2) as (_, client):
        took = seconds_of(lambda: list(as_completed(client.map(_nothing, range(n), pure=False))))
    return 1e3 * took / n


def memory_slope(peaks_mb: Sequence[float]) -> float:
    """Growth of the peaks of successive runs of one process by least squares [MB per 100 runs]; NaN of too few."""
    settled = np.asarray(peaks_mb[_WARM_RUNS:], dtype=float)
    if len(settled) < 2:
        return float("nan")
    return 100.0 * float(np.polyfit(np.arange(len(settled)), settled, 1)[0])


def swept(plan: Plan, workers: int) -> Swept:
    """Make a sweep with so many workers, into a folder that is then removed."""
    with tempfile.TemporaryDirectory(prefix="cosim-bench-") as work:
        folder = Path(work) / "sweep"
        seconds, _ = timed(partial(run_sweep, plan, folder, workers=workers))
        lines = sorted(read_journals(folder), key=lambda line: str(line["at"]))
        digest = sha256()
        for path in [*sorted((folder / "runs").rglob("*.*")), folder / "results.parquet"]:
            digest.update(path.read_bytes())
    of_worker: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        of_worker[line["worker"]].append(line)
    peaks = [[float(line["peak_mb"]) for line in own] for own in of_worker.values()]
    return Swept(
        seconds,
        steady_rate(of_worker.values()),
        max(memory_slope(own) for own in peaks),
        max(max(own) for own in peaks),
        digest.hexdigest(),
    )


def steady_rate(lines: Iterable[Sequence[Mapping[str, Any]]]) -> float:
    """Runs per second once all workers are at work, from the lines that the journal has on each of them."""
    times = [[datetime.fromisoformat(line["at"]).timestamp() for line in own] for own in lines]
    begin = max(min(own) for own in times)
    after = [at for own in times for at in own if at > begin]
    return len(after) / (max(after) - begin) if after else float("nan")


def _nothing(number: int) -> int:
    return number
