"""``cosim bench``: how fast, against what, and where the time goes."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Annotated, Any

import pandas as pd
import typer

from cosim.commands.options import progress_bar
from cosim.commands.show import show_table
from cosim.model import CoSimulation
from cosim.scenario import Scenario

__all__ = ["bench_command"]


_DAY = "four-bus-prosumer-day"
_COLUMNS = ["name", "flows solved", "seconds", "fastest", "slowest", "peer", "peer_seconds", "ratio"]


def bench_command(
    repeats: Annotated[int, typer.Option(min=1, max=50, help="Days timed; the median counts.")] = 5,
    peer_steps: Annotated[
        int, typer.Option(min=1, max=96, help="Market steps of the day that go through runpp, scaled to 96.")
    ] = 96,
) -> None:
    """Time the four-bus prosumer-day (96 plans, 1440 rules and power flows) against the same day through runpp.

    Once as it is, where a flow whose powers have not changed keeps its voltages, and once with every flow solved, as
    the peer solves them.
    """
    total = 2 * repeats + peer_steps
    rows = []
    with progress_bar("timing") as progress:
        for engine in ("pandapower", "auto"):
            _timed(_day(engine, reuse=False), 1)  # the first flow compiles
        peer = _day("pandapower", reuse=False)
        peer_seconds = 96 / peer_steps * _timed(peer, peer_steps, lambda step: progress(step, total))
        for part, (name, reuse) in enumerate(((_DAY, True), (f"{_DAY}, every flow solved", False))):
            seconds = []
            for repeat in range(repeats):
                model = _day("auto", reuse)
                seconds.append(_timed(model, 96))
                progress(peer_steps + part * repeats + repeat + 1, total)
            ours = median(seconds)
            spread = (ours, min(seconds), max(seconds))
            rows.append((name, model.grid.n_solved, *spread, "pandapower runpp", peer_seconds, peer_seconds / ours))
    scaled = "" if peer_steps == 96 else f", scaled from {peer_steps} of 96 steps"
    show_table(pd.DataFrame(rows, columns=_COLUMNS), f"median of {repeats} days; the peer once{scaled}")
    show_table(_where_time_goes(), "where the day's time goes (profiled, which makes all of it slower)")


def _day(engine: str, reuse: bool = True) -> CoSimulation:
    """One house that plans and obeys hybrid control, at the end of the feeder behind two that do not."""
    changes: dict[str, Any] = {"rule": "hybrid", "feeder.engine": engine, **_NOISY}
    for name in ("home-2", "home-3"):
        changes |= {f"prosumers.{name}.optimise": False, f"prosumers.{name}.rule": "none"}
    model = CoSimulation(Scenario().changed(changes))
    model.grid.reuse = reuse
    return model


# With a perfect forecast plans come true and need no solve; an imperfect one makes all 96 of them necessary.
_NOISY = {
    "forecast.kind": "noisy",
    "forecast.load_error": 0.1,
    "forecast.pv_error": 0.1,
    "forecast.price_error": 0.1,
}


def _timed(model: CoSimulation, steps: int, progress: Callable[[int], None] | None = None) -> float:
    began = perf_counter()
    for step in range(steps):
        model.step()
        if progress is not None:
            progress(step + 1)
    return perf_counter() - began


def _where_time_goes() -> pd.DataFrame:
    model, profile = _day("auto"), cProfile.Profile()
    profile.runcall(model.run)
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    seconds = {(Path(file).name, function): cumulative for (file, _, function), (*_, cumulative, _) in stats.items()}
    total = seconds["model.py", "run"]
    parts = {
        "plans": seconds["model.py", "_plan"],
        "rules and correction": seconds["population.py", "regulate"],
        "power flow": seconds["grid.py", "solve"],
        "battery": seconds["population.py", "deliver"],
        "ledger": seconds["ledger.py", "book"],
        "record": seconds["record.py", "write"],
        "indices": seconds["tally.py", "add"],
    }
    parts["everything else"] = total - sum(parts.values())
    return pd.DataFrame([(n, s, 100 * s / total) for n, s in parts.items()], columns=["part", "seconds", "percent"])
