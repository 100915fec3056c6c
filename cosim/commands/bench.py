"""``cosim bench``: how fast, against what, and where the time goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from cosim.bench import BENCHMARKS, FULL, QUICK, Effort, Row
from cosim.commands.options import progress_bar
from cosim.commands.show import show_table
from feeders.errors import InputError

__all__ = ["bench_command"]


def bench_command(
    quick: Annotated[
        bool, typer.Option("--quick", help="A minute or two: fewer repeats, smaller sizes, peers scaled.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="NAME", help=f"Only this; may be given several times. {', '.join(BENCHMARKS)}."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the rows, one object each, to this file.")
    ] = None,
) -> None:
    """Time the co-simulation, each figure beside that of a peer measured in the same run.

    The ratio is the peer's time over ours: above 1 ours is faster. Timings are medians. A quarter of an hour, or a
    minute or two with --quick. At Ctrl-C the rows measured so far are shown and written.
    """
    names = _chosen(only)
    if json_file is not None:
        _require_writable(json_file)
    rows: list[Row] = []
    try:
        _measure(names, QUICK if quick else FULL, rows)
    finally:
        if rows:
            _show(rows)
        if json_file is not None:
            json_file.write_text(json.dumps([row.as_dict() for row in rows], indent=2) + "\n", encoding="utf-8")


def _chosen(only: Sequence[str] | None) -> list[str]:
    """Names of benchmarks in the order of the table."""
    for name in only or ():
        if name not in BENCHMARKS:
            near = get_close_matches(name, BENCHMARKS, n=1, cutoff=0.0)[0]
            raise InputError("cosim bench", "--only", name, f"{', '.join(BENCHMARKS)} (nearest: {near})")
    return [name for name in BENCHMARKS if not only or name in only]


def _require_writable(path: Path) -> None:
    try:
        path.write_text("[]\n", encoding="utf-8")
    except OSError as error:
        allowed = f"a file that can be written ({error.strerror or error})"
        raise InputError("cosim bench", "--json", str(path), allowed) from None


def _measure(names: Sequence[str], effort: Effort, rows: list[Row]) -> None:
    """Add the rows of each benchmark as they come."""
    with progress_bar("measuring") as progress:
        for place, name in enumerate(names):

            def report(share: float, place: int = place) -> None:
                progress(round(1000 * (place + share)), 1000 * len(names))

            report(0.0)
            rows.extend(BENCHMARKS[name](effort, report))


def _show(rows: Sequence[Row]) -> None:
    """One table of all, then the details of each benchmark that has any."""
    columns = ["name", "seconds", "spread", "peer", "peer_seconds", "peer_spread", "ratio", "difference", "note"]
    show_table(pd.DataFrame([_cells(row) for row in rows], columns=columns), "medians; ratio: peer's time over ours")
    for name in BENCHMARKS:
        details = [{"name": row.name, **row.details} for row in rows if row.name.startswith(name) and row.details]
        if details:
            show_table(pd.DataFrame(details), f"{name}: details")


def _cells(row: Row) -> tuple[object, ...]:
    ours, theirs = row.ours, row.theirs
    return (
        row.name,
        None if ours is None else ours.median,
        None if ours is None else ours.spread,
        row.peer,
        None if theirs is None else theirs.median,
        None if theirs is None else theirs.spread,
        row.ratio,
        None if row.difference is None else f"{row.difference:.1e} {row.unit}",
        row.note,
    )
