"""Columns of a sweep's tables that are there whatever its design, and those that its parts add."""

from __future__ import annotations

from pathlib import Path

from cosim.outcome import INDEX_COLUMNS
from cosim.scenario import Scenario

__all__ = ["ALWAYS", "CASE", "REPLICATION", "RESERVED", "SAMPLE", "always"]

CASE, SAMPLE, REPLICATION = "case", "sample", "replication"
"""Axes of a list of cases, of a random design, and of replications."""

ALWAYS = ("rule", "mode", "feeder.name", "start", "days", "seed")
"""Fields of the scenario that are a column of every sweep's table, beside `REPLICATION`."""

RESERVED = frozenset(("run", "run_id", CASE, SAMPLE, REPLICATION, *ALWAYS, *INDEX_COLUMNS))
"""Names that an axis of levels cannot have."""


def always(scenario: Scenario) -> dict[str, str | int]:
    """The values of `ALWAYS` of a scenario; a feeder from a file has the file's name."""
    values = (
        scenario.rule,
        scenario.mode,
        scenario.feeder.name or Path(scenario.feeder.file or "").name,
        f"{scenario.start:%Y-%m-%dT%H:%M:%SZ}",
        scenario.days,
        scenario.seed,
    )
    return dict(zip(ALWAYS, values, strict=True))
