"""``cosim bench``: how fast, against what, and where the time goes."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable
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


def bench_command(
    repeats: Annotated[int, typer.Option(min=1, max=50, help="Days timed; the median counts.")] = 5,
    peer_steps: Annotated[
        int, typer.Option(min=1, max=96, help="Market steps of the day that go through runpp, scaled to 96.")
    ] = 96,
) -> None:
    """Time the four-bus prosumer-day (96 plans, 1440 rules and power flows) against the same day through runpp."""
    total = repeats + peer_steps
    with progress_bar("timing") as progress:
        seconds = []
        for done in range(repeats):
            seconds.append(_timed(_day("power-grid-model"), 96))
            progress(done + 1, total)
        peer = _day("pandapower")
        _timed(peer, 1)  # the first flow compiles
        peer_seconds = (
            96 / peer_steps * _timed(_day("pandapower"), peer_steps, lambda step: progress(repeats + step, total))
        )
    ours = median(seconds)
    row = (_DAY, ours, min(seconds), max(seconds), "pandapower runpp", peer_seconds, peer_seconds / ours)
    columns = ["name", "seconds", "fastest", "slowest", "peer", "peer_seconds", "ratio"]
    scaled = "" if peer_steps == 96 else f", scaled from {peer_steps} of 96 steps"
    show_table(pd.DataFrame([row], columns=columns), f"median of {repeats} days; the peer once{scaled}")
    show_table(_where_time_goes(), "where a day's time goes (profiled, which makes all of it slower)")


def _day(engine: str) -> CoSimulation:
    """One house that plans and obeys hybrid control, at the end of the feeder between two that do not."""
    changes: dict[str, Any] = {"rule": "hybrid", "feeder.engine": engine, **_NOISY}
    for name in ("home-2", "home-3"):
        changes |= {f"prosumers.{name}.optimise": False, f"prosumers.{name}.rule": "none"}
    return CoSimulation(Scenario().changed(changes))


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
    model, profile = _day("power-grid-model"), cProfile.Profile()
    profile.runcall(model.run)
    found = pstats.Stats(profile).get_stats_profile()
    total = found.total_tt
    parts = {
        "plans": "plan",
        "rules and correction": "_regulate",
        "power flow": "solve",
        "battery": "deliver",
        "ledger": "book",
        "record": "write",
    }
    rows = [(name, found.func_profiles[function].cumtime) for name, function in parts.items()]
    rows.append(("everything else", total - sum(seconds for _, seconds in rows)))
    return pd.DataFrame([(n, s, 100 * s / total) for n, s in rows], columns=["part", "seconds", "percent"])
