"""What the benchmark of sweeps makes of what it measures. Nothing here says how fast anything is."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import cosim.bench.sweep
from cosim.bench import BENCHMARKS, QUICK
from cosim.bench.sweep import Swept, memory_slope, steady_rate, sweep_of_days, sweep_rates
from cosim.sweep import Plan


def silent(share: float) -> None:
    """Nobody looks."""


def test_memory_grows_by_what_is_added_from_run_to_run_once_it_is_warm() -> None:
    warm = [400.0 + 3.0 * run for run in range(10)]  # what is loaded and compiled; does not count
    assert memory_slope([*warm, *(500.0 + 0.02 * run for run in range(50))]) == pytest.approx(2.0)
    assert memory_slope([*warm, *[500.0] * 5]) == pytest.approx(0.0, abs=1e-9)
    assert math.isnan(memory_slope([*warm, 500.0]))


def test_the_steady_rate_begins_when_all_are_at_work() -> None:
    def at(*seconds: float) -> list[dict[str, Any]]:
        began = datetime(2026, 1, 1, tzinfo=UTC)
        return [{"at": (began + timedelta(seconds=second)).isoformat()} for second in seconds]

    # From 4 s on, when the second worker has its first run behind it, six runs in two seconds.
    assert steady_rate([at(1, 2, 3, 4.5, 5, 5.5, 6), at(4, 5, 5.6)]) == pytest.approx(6 / 2)
    assert math.isnan(steady_rate([at(1.0)]))


def test_days_of_the_sweep_differ_by_their_forecasts() -> None:
    plan = sweep_of_days(3)
    assert [run.scenario.seed for run in plan.runs] == [0, 1, 2]
    assert {run.scenario.forecast.kind for run in plan.runs} == {"noisy"}
    assert not plan.references


def test_rows_are_two_workers_against_one_and_one_against_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def swept(plan: Plan, workers: int) -> Swept:
        return Swept(10.0 / workers, 2.0 * workers, 0.5 * workers, 400.0 + workers, "the same")

    monkeypatch.setattr(cosim.bench.sweep, "swept", swept)
    monkeypatch.setattr(cosim.bench.sweep, "dask_overhead_ms", lambda n: 1.5)
    monkeypatch.setattr(cosim.bench.sweep, "run", lambda *args, **options: None)
    monkeypatch.setattr(cosim.bench.sweep, "seconds_of", lambda call: 0.25)
    two, one = sweep_rates(replace(QUICK, sweep_runs=8), silent)
    assert (two.name, two.peer, two.ratio) == ("sweep-8-days", "one worker", 2.0)
    assert two.details["rate /s"] == pytest.approx(8 / 5)
    assert (two.details["steady ratio"], two.details["MB per 100 runs"], two.details["peak MB"]) == (2.0, 1.0, 402.0)
    assert (two.details["same bytes"], two.details["dask ms per run"]) == (True, 1.5)
    assert (one.ratio, one.details["ms more per run"]) == (pytest.approx(8 * 0.25 / 10), pytest.approx(250.0))
    assert BENCHMARKS["sweep"] is sweep_rates
