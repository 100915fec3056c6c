"""PV capacity on many days under uncertainty, through the sweep engine."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import pandas as pd

from cosim.hosting import Stop
from cosim.hosting.monte_carlo import MonteCarlo, capacities, monte_carlo
from experiments.hosting_cases import MONTE_CARLO
from experiments.hosting_runs import file_of
from experiments.hosting_settings import HostingSettings

__all__ = ["draws_of"]


def draws_of(settings: HostingSettings) -> tuple[pd.DataFrame, float]:
    """Static and dynamic capacity of every scenario, at once: ``scenario, mode, capacity_percent, limit``; wall clock.

    A failed scenario is left out; ``cosim hosting --scenarios`` keeps and resumes what is made here in a folder that
    does not stay.
    """
    began = perf_counter()
    asked = MonteCarlo(scenarios=settings.n_scenarios, seed=settings.seed, sigma=settings.sigma)
    with TemporaryDirectory(prefix="hosting-capacity-") as folder:
        file = file_of(MONTE_CARLO, settings)
        sweep = monte_carlo(file, asked, Path(folder) / "monte-carlo", workers=settings.workers)
        table = capacities(sweep)
    rows = [(row["scenario"], row["mode"], 100 * row["level"], str(_stop_of(row))) for row in table.to_dict("records")]
    return pd.DataFrame(rows, columns=["scenario", "mode", "capacity_percent", "limit"]), perf_counter() - began


def _stop_of(row: Mapping[Hashable, Any]) -> Stop:
    hour, value, allowed = (float(str(row[f"stop_{name}"])) for name in ("hour", "value", "allowed"))
    return Stop(str(row["stop"]), str(row["stop_element"]), hour, value, allowed)
