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

from cosim.plugins import load_plugin
from cosim.run import Progress as Report
from cosim.scenario import Scenario
from cosim.validation import require_valid
from feeders.errors import InputError, InputErrors

__all__ = ["Out", "Plugins", "ScenarioFile", "Set", "Threads", "parse_changes", "progress_bar", "read_scenario"]

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
Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE.py",
        help="A Python file that registers rules or signals of your own. May be given several times.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, max=64, help="Threads that plan; as many as cores by default. Results do not depend on it."),
]


def parse_changes(pairs: Sequence[str] | None) -> dict[str, Any]:
    """``["rule=prc", "days=2"]`` as ``{"rule": "prc", "days": 2}``: values as in TOML, bare words as text."""
    changes: dict[str, Any] = {}
    for pair in pairs or ():
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InputErrors([InputError("--set", pair, pair, "KEY=VALUE, e.g. rule=prc")])
        try:
            parsed = tomllib.loads(f"value = {value}")
        except tomllib.TOMLDecodeError:
            parsed = {}
        changes[key] = parsed["value"] if len(parsed) == 1 else value
    return changes


def read_scenario(
    path: Path | None,
    change: Sequence[str] | None,
    plugins: Sequence[Path] | None = None,
    default: Scenario | None = None,
) -> Scenario:
    """The scenario in a file with the changes of ``--set``, its prosumers drawn or read, fit to be simulated.

    Without a file it is `default`, or the four-bus case. What the scenario needs of plugins is there from then on.

    Raises
    ------
    InputErrors
        With all findings at once.
    InputError
        When a plugin cannot be imported.
    """
    for plugin in plugins or ():
        load_plugin(plugin)
    scenario = (default or Scenario()) if path is None else Scenario.from_toml(path)
    where = "the default scenario" if path is None else str(path)
    return require_valid(
        scenario.changed(parse_changes(change), "--set"), where=f"{where} with --set" if change else where
    )


@contextmanager
def progress_bar(title: str) -> Iterator[Report]:
    """A bar on the terminal's error stream, gone when it ends; call it with what is done and what is to do."""
    console = Console(stderr=True)
    columns = (TextColumn(title), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(*columns, *times, console=console, transient=True, disable=not console.is_terminal)
    with bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
