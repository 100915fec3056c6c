"""Who makes whose plan: most together in columns, the others one by one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from agents.prosumer import Commitment, Forecast, Planning, Population, Prosumer, Signals, Window
from cosim.clock import Clock

__all__ = ["Planners", "available_cores", "plans_as_usual"]

Array = npt.NDArray[np.float64]


def available_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on every system
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Planners:
    """The prosumers that optimise, by the way their plans are made.

    Whoever has `plan` and `horizon` from `Prosumer` plans together with the others (`agents.prosumer.Planning`), unless
    all plans are HiGHS's; who overrides one of them, and who has prices that only HiGHS can take, plans alone. Who has
    committed to powers for the day follows them.

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
    committing : sequence of sequences of int
        Rows that may `commit`, each of these groups by itself.

    Attributes
    ----------
    pool : ThreadPoolExecutor or None
        The threads, where there are several.
    threads : int
        How many.
    """

    def __init__(
        self,
        population: Population,
        prosumers: Sequence[Prosumer],
        clock: Clock,
        planner: str,
        threads: int,
        committing: Sequence[Sequence[int]] = (),
    ) -> None:
        self._population, self._prosumers = population, prosumers
        self.threads = threads
        self.pool = ThreadPoolExecutor(threads) if threads > 1 else None
        apart = {row for rows in committing for row in rows}
        optimise = population.assets.optimise
        others = [p.row for p in prosumers if optimise[p.row] and p.row not in apart]

        def group(rows: Sequence[int]) -> _Group:
            together = [] if planner == "highs" else [row for row in rows if plans_as_usual(prosumers[row])]
            of_them = Planning(
                population,
                together,
                clock.steps_per_day,
                clock.market_step_h,
                fallback=planner == "auto",
                pool=self.pool,
                threads=threads,
            )
            return _Group(of_them, np.setdiff1d(rows, together).astype(int).tolist())

        self._groups = [group(rows) for rows in (others, *committing)]

    def close(self) -> None:
        """End the threads; nobody plans any more."""
        if self.pool is not None:
            self.pool.shutdown()

    def forget(self) -> None:
        """Drop all plans and commitments, as at midnight; see `Prosumer.forget`."""
        for group in self._groups:
            group.together.forget()
            group.left, group.committed = [], None
        for prosumer in self._prosumers:
            prosumer.forget()

    def commit(self, number: int, committed: Commitment) -> None:
        """Let a group of `committing`, by its place there, follow these powers instead of planning, until `forget`."""
        self._groups[1 + number].committed = committed

    def plan(self, forecast: Forecast, signals: Signals, window: Window) -> None:
        """Let everyone plan to the end of the window, or follow what it has committed to."""
        each = map if self.pool is None else self.pool.map
        for group in self._groups:
            if group.committed is not None:
                group.committed.follow(self._population, window.now)
                continue
            group.left = group.together.plan(forecast, signals, window).tolist()
            list(each(lambda row: self._prosumers[row].plan(forecast, signals, window), (*group.alone, *group.left)))

    def ahead(self, now: int, until: int) -> tuple[Array, Array]:
        """What the plans of all say of market steps ``now .. until - 1``, from whoever they followed in the last step.

        Returns
        -------
        p_battery_kw, p_flexible_kw : array, shape (until - now, n)
            AC power of the battery (> 0 charging) and flexible load [kW]; NaN where no plan reaches.
        """
        found = np.full((2, until - now, len(self._prosumers)), np.nan)
        for group in self._groups:
            if group.committed is not None:
                found[:, :, group.committed.rows] = group.committed.ahead(now, until)
                continue
            found[:, :, group.together.rows] = group.together.plans(now, until)
            for row in (*group.alone, *group.left):
                found[:, :, row] = self._prosumers[row].ahead(now, until)
        battery, flexible = found
        return battery, flexible


@dataclass
class _Group:
    """Prosumers who plan together, those of them who plan alone, and what all of them have committed to, if at all.

    Of those who plan together some were left to plan for themselves in the last step.
    """

    together: Planning
    alone: list[int]
    left: list[int] = field(default_factory=list)
    committed: Commitment | None = None


def plans_as_usual(prosumer: Prosumer) -> bool:
    """Whether a prosumer's plans are those of its class's base."""
    kind = type(prosumer)
    return kind.plan is Prosumer.plan and kind.horizon is Prosumer.horizon
