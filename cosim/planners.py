"""Who makes whose plan: most together in columns, the others one by one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from agents.prosumer import Forecast, Planning, Population, Prosumer, Signals, Window
from cosim.clock import Clock

__all__ = ["Planners", "available_cores"]


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Planners:
    """The prosumers that optimise, by the way their plans are made.

    Whoever has `plan` and `horizon` from `Prosumer` plans together with the others (`agents.prosumer.Planning`), unless
    all plans are HiGHS's; who overrides one of them, and who has prices that only HiGHS can take, plans alone.

    Parameters
    ----------
    population : Population
    prosumers : sequence of Prosumer
        All of them, in row order.
    clock : Clock
    planner : str
        ``"auto"``, ``"highs"`` or ``"dynamic-program"``, as of a scenario.
    threads : int
        Threads that plan; the results are the same with any number.
    """

    def __init__(
        self, population: Population, prosumers: Sequence[Prosumer], clock: Clock, planner: str, threads: int
    ) -> None:
        self._prosumers = prosumers
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        planning = [p for p in prosumers if population.assets.optimise[p.row]]
        together = [] if planner == "highs" else [p.row for p in planning if _plans_as_usual(p)]
        self._together = Planning(
            population,
            together,
            clock.steps_per_day,
            clock.market_step_h,
            fallback=planner == "auto",
            pool=self._pool,
            threads=threads,
        )
        self._alone = np.setdiff1d([p.row for p in planning], together).astype(int).tolist()

    def forget(self) -> None:
        """Drop all plans, as at midnight; see `Prosumer.forget`."""
        self._together.forget()
        for prosumer in self._prosumers:
            prosumer.forget()

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        """Let everyone plan to the end of the window."""
        left = self._together.plan(forecast, signals, window).tolist()
        each = map if self._pool is None else self._pool.map
        list(each(lambda row: self._prosumers[row].plan(forecast, signals, window), (*self._alone, *left)))


def _plans_as_usual(prosumer: Prosumer) -> bool:
    kind = type(prosumer)
    return kind.plan is Prosumer.plan and kind.horizon is Prosumer.horizon
