"""What the study of hosting capacity finds, as one object."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from agents.prosumer.fleet import Fleet
from cosim.hosting import Capacity
from experiments.hosting_cases import CASES, MONTE_CARLO, TWO_STAGE, published
from experiments.hosting_settings import HostingSettings
from experiments.verdicts import Timing
from feeders.feeder import Feeder

__all__ = ["COLUMNS", "CONFIRMED", "Answer", "Found", "Planned", "limit_of"]

Row = tuple[str, str, str, float, float, str, float]
COLUMNS = ["case", "mode", "method", "capacity_percent", "published_percent", "limit", "seconds"]
_SPREAD = ["mode", "scenarios", "base_infeasible", "mean", "sd", "median", "worst", "best"]
_SPREAD += ["published_mean", "published_sd"]
CONFIRMED = 1e-6  # how far outside its limits the AC power flow of a reported point may be [p.u., share]


@dataclass(frozen=True, eq=False)
class Found:
    """A deterministic capacity.

    Attributes
    ----------
    case : str
        Of `CASES`.
    mode : str
        "static" (heat pumps hold their set-point), "static-rated" (they go up to their rating) or "dynamic".
    capacity : Capacity
    step : float
        Of the penetration.
    """

    case: str
    mode: str
    capacity: Capacity
    step: float

    @property
    def confirmed(self) -> bool:
        """Whether the AC power flow of the reported point is inside all limits."""
        return bool(self.capacity.margin >= -CONFIRMED)

    @property
    def bracketed(self) -> bool:
        """Whether the next level, one step higher, was looked at and is outside, or all homes have one already."""
        capacity = self.capacity
        if capacity.stop.kind == "all":
            return True
        levels = capacity.steps["level"].to_numpy(dtype=float)
        beyond = (levels > capacity.level) & (levels <= capacity.level + self.step + 1e-9)
        outside = ~capacity.steps["feasible"].to_numpy(dtype=bool)
        return bool((beyond & outside).any())


@dataclass(frozen=True, eq=False)
class Planned:
    """A siting and sizing by the two-stage program.

    Attributes
    ----------
    mode : {"static", "dynamic"}
    bounded : bool
        Whether what one node takes is bounded.
    level : float
        PV over the peak load; NaN where nothing is feasible.
    limit : str
        What keeps it from more.
    feasible_share : float
        Of all scenarios, by AC power flow.
    gap : float
        Relative, of the program as solved.
    fleet : Fleet or None
    seconds : float
    """

    mode: str
    bounded: bool
    level: float
    limit: str
    feasible_share: float
    gap: float
    fleet: Fleet | None
    seconds: float


def limit_of(capacity: Capacity) -> str:
    """What stops a capacity, in words; an infeasible base case is said."""
    return str(capacity.stop) if capacity.base_feasible else f"base case infeasible: {capacity.stop}"


def _no(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(columns))


@dataclass(frozen=True, eq=False)
class Answer:
    """All capacities, and what they are summed up to.

    Attributes
    ----------
    settings : HostingSettings
    feeder : Feeder
    peak_kva : float
    n_homes : int
    made : sequence of str
        How the case was made, a sentence each.
    found : sequence of Found
    planned : sequence of Planned
    sitings : DataFrame
        ``case, mode, seed, capacity_percent, limit``: the deterministic cases, one shot, other seeds.
    draws : DataFrame
        ``scenario, mode, capacity_percent, limit``: Monte-Carlo.
    draws_s : float
        Wall clock of all draws.
    region : DataFrame
        ``mode, battery_percent, hp_percent, pv_percent``: most PV at each point of the sweep, NaN where not even none
        is feasible.
    sensitivity : DataFrame
        ``parameter, value, default, case, mode, capacity_percent, limit``.
    local : DataFrame
        A row per rule and tolerance of curtailment; see `experiments.hosting_local`.
    correlations : DataFrame
        ``bounded, first, second, spearman``: of capacities at the same node.
    log : sequence of Timing
    notes : sequence of str
        What could not be computed, and why.
    """

    settings: HostingSettings
    feeder: Feeder
    peak_kva: float
    n_homes: int
    made: Sequence[str]
    found: Sequence[Found]
    planned: Sequence[Planned] = ()
    sitings: pd.DataFrame = field(default_factory=lambda: _no("case", "mode", "seed", "capacity_percent", "limit"))
    draws: pd.DataFrame = field(default_factory=lambda: _no("scenario", "mode", "capacity_percent", "limit"))
    draws_s: float = float("nan")
    region: pd.DataFrame = field(default_factory=lambda: _no("mode", "battery_percent", "hp_percent", "pv_percent"))
    sensitivity: pd.DataFrame = field(
        default_factory=lambda: _no("parameter", "value", "default", "case", "mode", "capacity_percent", "limit")
    )
    local: pd.DataFrame = field(
        default_factory=lambda: _no("rule", "tolerated_percent", "capacity_percent", "limit", "gini_kept", "seconds")
    )
    correlations: pd.DataFrame = field(default_factory=lambda: _no("bounded", "first", "second", "spearman"))
    log: Sequence[Timing] = ()
    notes: Sequence[str] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per case, mode and method, columns `COLUMNS`; the mean of all scenarios for Monte-Carlo."""
        rows = [*self._found_rows(), *self._planned_rows(), *self._draw_rows(), *self._local_rows()]
        return pd.DataFrame(rows, columns=COLUMNS)

    def _found_rows(self) -> Iterator[Row]:
        for found in self.found:
            c = found.capacity
            yield (
                found.case,
                found.mode,
                c.method,
                100 * c.level,
                published(found.case, found.mode),
                limit_of(c),
                c.seconds,
            )

    def _planned_rows(self) -> Iterator[Row]:
        for plan in self.planned:
            mode = f"{plan.mode}, bounded" if plan.bounded else plan.mode
            size = published(TWO_STAGE, plan.mode)
            yield TWO_STAGE, mode, "two-stage", 100 * plan.level, size, plan.limit, plan.seconds

    def _draw_rows(self) -> Iterator[Row]:
        for mode, draws in self.draws.groupby("mode", sort=False):
            kinds = draws["limit"].str.split(r" at |, | \(", n=1, regex=True).str[0].value_counts()
            limit = ", ".join(f"{kind} in {n}" for kind, n in kinds.items())
            mean, known = float(draws["capacity_percent"].mean()), published(MONTE_CARLO, str(mode))
            yield MONTE_CARLO, str(mode), "monte-carlo", mean, known, limit, self.draws_s

    def _local_rows(self) -> Iterator[Row]:
        for row in self.local.to_dict("records"):
            found = float(row["capacity_percent"]), float("nan"), str(row["limit"]), float(row["seconds"])
            mode = f"local {row['rule']}, {row['tolerated_percent']:g} % curtailed"
            yield "pv", mode, "bisection", *found

    def first(self, case: str, mode: str, method: str | None = None) -> Found | None:
        """The deterministic capacity of a case and mode; the first of several methods."""
        for found in self.found:
            if (found.case, found.mode) == (case, mode) and method in (None, found.capacity.method):
                return found
        return None

    def spread(self) -> pd.DataFrame:
        """Mean, standard deviation and extremes of the draws by mode [%], with those published.

        Of the draws whose base case is inside its limits; how many are not is a column of its own.
        """
        case, rows = CASES[MONTE_CARLO], []
        sizes = {"static": (case.static_percent, case.static_sd), "dynamic": (case.dynamic_percent, case.dynamic_sd)}
        for mode, draws in self.draws.groupby("mode", sort=False):
            values = draws["capacity_percent"].dropna().astype(float)
            known = sizes.get(str(mode), (np.nan, np.nan))
            own = values.mean(), values.std(ddof=1), values.median(), values.min(), values.max()
            rows.append((mode, len(draws), len(draws) - len(values), *own, *known))
        return pd.DataFrame(rows, columns=_SPREAD)
