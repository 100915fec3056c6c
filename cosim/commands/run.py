"""``cosim run``: one scenario, its indices, its folder."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from cosim.commands.options import Out, ScenarioFile, Set, Threads, progress_bar, read_scenario
from cosim.commands.show import show_table
from cosim.failure import RunFailure
from cosim.indices import VOLTAGE_COUNTS
from cosim.plots import draw_run
from cosim.results import check_target, repeat_command, run_id, save_run
from cosim.run import Run, run

__all__ = ["run_command"]

_SHOWN = ["prosumer", "bus", "cost", "lcg_percent", "gain_kept_percent", "tce_kwh", "cvc_pu", *VOLTAGE_COUNTS]


def run_command(
    scenario_file: ScenarioFile,
    out: Out = None,
    change: Set = None,
    threads: Threads = 1,
    references: Annotated[
        bool, typer.Option(help="Also run without rules and without optimisation, to compare with.")
    ] = True,
) -> None:
    """Run a scenario and write what came out: scenario, manifest, time series, indices, figures."""
    scenario = read_scenario(scenario_file, change)
    target = out or Path("results") / scenario.name
    check_target(target, run_id(scenario))
    began = perf_counter()
    try:
        with progress_bar(f"running {scenario.name}") as progress:
            result = run(scenario, references=references, threads=threads, progress=progress)
    except RunFailure as failure:
        if failure.partial is not None:
            _keep_partial(failure.partial, target, perf_counter() - began)
        raise
    seconds = perf_counter() - began
    save_run(result, target, seconds=seconds, draw=draw_run)
    days = "1 day" if scenario.days == 1 else f"{scenario.days} days"
    show_table(result.indices[_SHOWN], f"{scenario.name}: rule {scenario.rule}, {scenario.mode}, {days}")
    typer.echo(f"{seconds:.1f} s; written to {target}")


def _keep_partial(partial: Run, target: Path, seconds: float) -> None:
    save_run(partial, target, seconds=seconds)
    typer.echo(f"results up to then: {target}", err=True)
    typer.echo(f"to repeat it: {repeat_command(target)}", err=True)
