"""The levels of penetration that a search may look at, each judged once, and the answer that comes of them."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np
import pandas as pd

from cosim.hosting.capacity import Capacity, Method, Mode, Stop
from cosim.hosting.case import HostingCase
from cosim.hosting.definition import Definition
from cosim.hosting.level import METRICS, Check, LevelCheck
from cosim.hosting.siting import RATING, fleet_at
from feeders.errors import InputError

__all__ = ["Ladder", "Progress"]

Progress = Callable[[float, LevelCheck], None]
"""Is told of each level that has been judged."""


class Ladder:
    """Levels from the fixed one up, in multiples of the step, and what is known of each.

    Parameters
    ----------
    case : HostingCase
    definition : Definition
    check : Check
        Judges a level's fleet.
    progress : callable, optional

    Raises
    ------
    InputError
        If what is fixed of the device that is asked for is more than the most that is looked at.
    """

    def __init__(
        self, case: HostingCase, definition: Definition, check: Check, progress: Progress | None = None
    ) -> None:
        self.case, self.definition = case, definition
        self.levels = _levels(definition)
        self._check, self._progress, self._judged = check, progress, dict[int, LevelCheck]()
        self._began = perf_counter()

    @property
    def last(self) -> int:
        """Index of the highest level."""
        return len(self.levels) - 1

    def at(self, index: int) -> LevelCheck:
        """What is known of a level, judged when it is first asked for."""
        if index not in self._judged:
            level = self.levels[index]
            self._judged[index] = self._check(fleet_at(self.case, self.definition, level))
            if self._progress is not None:
                self._progress(level, self._judged[index])
        return self._judged[index]

    def feasible(self, index: int) -> bool:
        """Whether a level is confirmed."""
        return self.at(index).feasible

    def capacity(self, index: int, mode: Mode, method: Method) -> Capacity:
        """The answer when the level at `index` is the highest confirmed one; -1 where even the first is outside.

        The level above is judged too, unless it is the last.
        """
        stop = self._stop(index)
        found = self.at(index) if index >= 0 else None
        return Capacity(
            der=self.definition.der,
            mode=mode,
            method=method,
            level=float("nan") if found is None else self.levels[index],
            kw=float("nan") if found is None else self._kw(found),
            stop=stop,
            margin=float("nan") if found is None else found.margin,
            steps=self._steps(),
            fleet=None if found is None else found.fleet,
            seconds=perf_counter() - self._began,
        )

    def _stop(self, index: int) -> Stop:
        if index < self.last:
            stop = self.at(index + 1).stop
            assert stop is not None, "a search ended below a level that is inside its limits"
            return stop
        return Stop("all" if self.levels[-1] == 1.0 and self.definition.der in ("ev", "hp") else "most")

    def _kw(self, check: LevelCheck) -> float:
        return float(getattr(check.fleet, RATING[self.definition.der]).sum())

    def _steps(self) -> pd.DataFrame:
        rows = []
        for index, check in sorted(self._judged.items()):
            known = {"level": self.levels[index], "kw": self._kw(check), "feasible": check.feasible}
            known |= {name: check.metrics.get(name, float("nan")) for name in METRICS}
            known |= {"margin": check.margin, "curtailed_share": check.curtailed_share}
            rows.append(known | {"stop": "" if check.stop is None else str(check.stop)})
        return pd.DataFrame(rows)


def _levels(definition: Definition) -> list[float]:
    """What is fixed, then all multiples of the step above it; cars and heat pumps end with all homes."""
    base, step = float(getattr(definition.fixed, definition.der)), definition.step
    most = min(definition.most, 1.0) if definition.der in ("ev", "hp") else definition.most
    if base > most:
        allowed = f"at most {most:g}, the most that is looked at"
        raise InputError("hosting capacity", f"fixed.{definition.der}", base, allowed)
    first, last = int(np.floor(base / step + 1e-9)) + 1, int(np.floor(most / step + 1e-9))
    return [base, *(round(k * step, 12) for k in range(first, last + 1))]
