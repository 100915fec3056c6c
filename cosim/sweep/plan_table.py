"""The plan as a table: one row per run, with what the design says of it and what is always asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from cosim.scenario import Scenario
from cosim.sweep.kinds import SCENARIO
from cosim.sweep.plan import Plan, PlannedRun
from cosim.toml import toml_value

__all__ = ["ALWAYS", "plan_table"]

ALWAYS = ("rule", "mode", "feeder.name", "start", "days", "seed", "replication")
"""Columns of every plan of scenarios, whatever its design."""


def plan_table(plan: Plan) -> pa.Table:
    """Columns ``run``, ``run_id``, the fields of the design in its order, then those of `ALWAYS` that it does not have,
    where runs are of scenarios.

    A column of whole numbers, numbers, truth values or words has their type; of a mixture all are words, as in TOML.
    Where a run says nothing of a field there is nothing.
    """
    fields = list(dict.fromkeys(name for run in plan.runs for name in run.fields))
    names = fields + [name for name in ALWAYS if plan.kind is SCENARIO and name not in fields]
    always = [_always(run) for run in plan.runs]
    columns = {
        name: _typed([known.get(name, run.fields.get(name)) for run, known in zip(plan.runs, always, strict=True)])
        for name in names
    }
    about = {"run": pa.array([run.number for run in plan.runs]), "run_id": pa.array([run.id for run in plan.runs])}
    return pa.table({**about, **columns})


def _always(run: PlannedRun) -> dict[str, Any]:
    scenario = run.scenario
    if not isinstance(scenario, Scenario):
        return {}
    return {
        "rule": scenario.rule,
        "mode": scenario.mode,
        "feeder.name": scenario.feeder.name or Path(scenario.feeder.file or "").name,  # wherever the file lies
        "start": scenario.start,
        "days": scenario.days,
        "seed": scenario.seed,
        "replication": run.fields.get("replication", 0),
    }


def _typed(values: Sequence[Any]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        return pa.array(values, pa.float64())
    if kinds == {datetime}:
        return pa.array(values, pa.timestamp("us", tz="UTC"))
    if len(kinds) == 1 and kinds <= _TYPES.keys():
        return pa.array(values, _TYPES[kinds.pop()])
    words = [value if value is None or isinstance(value, str) else toml_value(value) for value in values]
    return pa.array(words, pa.string())


_TYPES = {bool: pa.bool_(), int: pa.int64(), float: pa.float64(), str: pa.string()}
