"""Options that several commands share, and how they are read."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from cosim.run import Progress as Report
from feeders.errors import InputError, InputErrors

__all__ = ["Out", "ScenarioFile", "Set", "Threads", "parse_changes", "progress_bar"]

ScenarioFile = Annotated[Path, typer.Argument(metavar="SCENARIO.toml", help="The scenario to read.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a field by its dotted name, e.g. rule=prc, voltage.dead_pu=0.03, "
        "prosumers.home-4.battery_kwh=2 or prosumers.*.pv_kwp=5. May be given several times.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder for the results; new, empty, or of the same run."),
]
Threads = Annotated[int, typer.Option(min=1, max=64, help="Threads that plan; results do not depend on it.")]


def parse_changes(pairs: Sequence[str] | None) -> dict[str, Any]:
    """``["rule=prc", "days=2"]`` as ``{"rule": "prc", "days": 2}``: values as in TOML, bare words as text."""
    changes: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InputErrors([InputError("--set", pair, pair, "KEY=VALUE, e.g. rule=prc")])
        try:
            changes[key] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            changes[key] = value
    return changes


@contextmanager
def progress_bar(title: str) -> Iterator[Report]:
    """A bar on the terminal's error stream, gone when it ends; call it with what is done and what is to do."""
    columns = (TextColumn(title), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
