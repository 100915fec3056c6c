"""Columns of a sweep's tables that the parts of a design add, and those that none can have."""

from __future__ import annotations

from cosim.outcome import INDEX_COLUMNS
from cosim.sweep.plan_table import ALWAYS

__all__ = ["CASE", "REPLICATION", "RESERVED", "SAMPLE"]

CASE, SAMPLE, REPLICATION = "case", "sample", "replication"
"""Axes of a list of cases, of a random design, and of replications."""

RESERVED = frozenset(("run", "run_id", CASE, SAMPLE, REPLICATION, *ALWAYS, *INDEX_COLUMNS))
"""Names that an axis of levels cannot have."""
