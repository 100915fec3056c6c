"""The tidy table of a sweep: a row per run and prosumer, or what its kind has, from the folders of finished runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cosim.checkpoint import DamagedError
from cosim.folder import replacing
from cosim.sweep.checksums import verified
from cosim.sweep.kinds import SCENARIO, Kind
from cosim.sweep.places import Places

__all__ = ["PLAN_KEY", "collected", "empty_table", "write_results"]

PLAN_KEY = b"plan"
"""Key of the table's file under which it says of which plan it is."""

_ROWS, _RUNS = 2**16, 1000  # of a row group, and in memory at once: tables of a few rows take far more than their rows


def collected(places: Places, plan: pa.Table, done: Iterable[str], kind: Kind = SCENARIO) -> Iterator[pa.Table]:
    """The rows of the finished runs in the order of the plan, some thousands at a time.

    Parameters
    ----------
    places : Places
        Of the sweep.
    plan : pyarrow.Table
        Its plan.
    done : iterable of str
        Ids of the runs that are finished.
    kind : Kind
        What runs are of.

    Raises
    ------
    DamagedError
        When the indices of a run are not as they were written.
    """
    finished = set(done)
    parts: list[pa.Table] = []
    places_in_plan: list[int] = []
    rows = 0
    for place, run_id in enumerate(plan["run_id"].to_pylist()):
        if run_id not in finished:
            continue
        parts.append(_rows(places.run(run_id), kind))
        places_in_plan.append(place)
        rows += len(parts[-1])
        if rows >= _ROWS or len(parts) == _RUNS:
            yield _joined(plan, places_in_plan, parts)
            parts, places_in_plan, rows = [], [], 0
    if parts:
        yield _joined(plan, places_in_plan, parts)


def empty_table(plan: pa.Table, kind: Kind = SCENARIO) -> pa.Table:
    """The table of a sweep of which no run is finished."""
    found = plan.schema.empty_table()
    for name, of in kind.columns.items():
        found = found.append_column(name, pa.array([], of))
    return found


def write_results(places: Places, plan: pa.Table, digest: str, done: Iterable[str], kind: Kind = SCENARIO) -> None:
    """Write the table as one file in one step; equal runs give equal bytes, and memory does not grow with them.

    Raises
    ------
    DamagedError, OSError
    """
    tables = collected(places, plan, done, kind)
    first = next(tables, None)
    first = empty_table(plan, kind) if first is None else first
    schema = first.schema.with_metadata({PLAN_KEY: digest.encode()})
    with replacing(places.results) as new, pq.ParquetWriter(new, schema, compression="zstd") as writer:
        writer.write_table(first)
        for table in tables:
            writer.write_table(table.cast(first.schema))


def _rows(folder: Path, kind: Kind) -> pa.Table:
    content = verified(folder, kind.table)
    if content is None:
        raise DamagedError(folder / kind.table, "it is not as it was written; resuming the sweep runs it anew")
    table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False).replace_schema_metadata(None)
    for place, name in enumerate(table.column_names):  # words may be in a dictionary, which differs by run
        if name in kind.columns and pa.types.is_string(kind.columns[name]):
            table = table.set_column(place, name, table[name].cast(pa.string()))
    return table


def _joined(plan: pa.Table, places_in_plan: list[int], parts: list[pa.Table]) -> pa.Table:
    joined = pa.concat_tables(parts, promote_options="permissive")
    rows = np.repeat(places_in_plan, [len(part) for part in parts])
    found = plan.take(pa.array(rows, pa.int64()))
    for name in joined.column_names:
        found = found.append_column(name, joined[name])
    return found.combine_chunks()
