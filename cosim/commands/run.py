"""``cosim run``: one scenario, its indices, its folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Annotated

import pandas as pd
import typer

from cosim.commands.options import Out, Plugins, ScenarioFile, Set, Threads, progress_bar, read_scenario
from cosim.commands.show import show_table
from cosim.failure import RunFailure
from cosim.indices import VOLTAGE_COUNTS
from cosim.notes import scenario_notes
from cosim.planners import available_cores
from cosim.plots import draw_run
from cosim.results import check_target, repeat_command, run_id
from cosim.run import Run, run
from cosim.scenario import Scenario
from cosim.unfinished import days_kept, working_folder

__all__ = ["run_command"]

_ROWS_SHOWN = 50  # more than that nobody reads on a terminal
_PARTS = ["cost_energy", "cost_demand", "cost_fixed"]
_SHOWN = ["prosumer", "bus", "cost", *_PARTS, "lcg_percent", "gain_kept_percent", "tce_kwh", "cvc_pu", *VOLTAGE_COUNTS]


def run_command(
    scenario_file: ScenarioFile,
    out: Out = None,
    change: Set = None,
    threads: Threads = None,
    references: Annotated[
        bool, typer.Option(help="Also run without rules and without optimisation, to compare with.")
    ] = True,
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--restart",
            help="Where an earlier run to the same folder was interrupted: go on from its last finished day, or begin "
            "anew.",
            show_default=False,
        ),
    ] = None,
    plugin: Plugins = None,
) -> None:
    """Run a scenario and write what came out: scenario, manifest, time series, indices, figures.

    Series are written as the run goes, and finished days are kept until the folder is there: an interrupted run goes
    on with --resume. The scenario's record and record_every choose what is kept as series.
    """
    scenario = read_scenario(scenario_file, change, plugin)
    target = out or Path("results") / scenario.name
    check_target(target, run_id(scenario))
    for note in scenario_notes(scenario):
        typer.echo(f"note: {note}", err=True)
    again = _resume_command(scenario_file, change, plugin, target, references)
    began = perf_counter()
    with progress_bar(f"running {scenario.name}") as progress, _last_words(scenario, target, again):
        result = run(
            scenario,
            references=references,
            threads=threads or available_cores(),
            progress=progress,
            folder=target,
            resume=resume,
            draw=draw_run,
            tell=lambda line: typer.echo(f"note: {line}", err=True),
        )
    days = "1 day" if scenario.days == 1 else f"{scenario.days} days"
    _show(result, f"{scenario.name}: rule {scenario.rule}, {scenario.mode}, {days}")
    if result.rehearsals is not None and scenario.dso is not None:
        typer.echo(f"operator, {scenario.dso.signal}: {_rehearsed(result.rehearsals)}")
    typer.echo(f"{perf_counter() - began:.1f} s; written to {target}")


def _show(result: Run, title: str) -> None:
    """The indices of each prosumer, or of many their spread."""
    indices, n = result.indices[_SHOWN], len(result.indices)
    if not indices[_PARTS[1:]].to_numpy().any():  # then energy is all there is to pay
        indices = indices.drop(columns=_PARTS)
    if n <= _ROWS_SHOWN:
        show_table(indices, title)
        return
    spread = indices.drop(columns=["prosumer", "bus"]).describe().loc[["mean", "min", "25%", "50%", "75%", "max"]]
    show_table(spread.rename_axis("of each prosumer").reset_index(), f"{title}; {n} prosumers")


def _rehearsed(table: pd.DataFrame) -> str:
    """What all evenings came to: from the plans against the tariff to those against what was published."""
    before, after = table[table["iteration"] == 0], table[table["published"]]
    bills = 100 * (after["bill"].sum() - before["bill"].sum()) / abs(before["bill"].sum() or float("nan"))
    deficit = [float(each["deficit_pu_h"].sum()) for each in (before, after)]
    lowest = [float(each["worst_headroom_pu"].min()) for each in (before, after)]
    return (
        f"rehearsed deficit {deficit[0]:.4g} -> {deficit[1]:.4g} p.u. h, lowest headroom {lowest[0]:.4f} -> "
        f"{lowest[1]:.4f} p.u., bills {bills:+.3f} %"
    )


@contextmanager
def _last_words(scenario: Scenario, target: Path, again: str) -> Iterator[None]:
    """Say what is left of a run that ends before its end."""
    try:
        yield
    except RunFailure:
        typer.echo(f"results up to then: {target}", err=True)
        typer.echo(f"to repeat it: {repeat_command(target)}", err=True)
        raise
    except SystemExit:  # Ctrl-C
        kept = days_kept(working_folder(target, scenario), scenario.days)
        if kept:
            typer.echo(f"kept: {kept}; to go on: {again}", err=True)
        raise


def _resume_command(
    scenario_file: Path,
    change: Sequence[str] | None,
    plugin: Sequence[Path] | None,
    target: Path,
    references: bool,
) -> str:
    changes = [word for pair in change or () for word in ("--set", pair)]
    plugins = [word for path in plugin or () for word in ("--plugin", str(path))]
    words = ["cosim", "run", str(scenario_file), *changes, *plugins, "--out", str(target)]
    return shlex.join([*words, *([] if references else ["--no-references"]), "--resume"])
