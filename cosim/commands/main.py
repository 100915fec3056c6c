"""Entry of the command line, and how it ends: 0 done, 1 a run failed, 2 wrong input, 130 interrupted."""

from __future__ import annotations

import signal
import sys
from types import FrameType
from typing import NoReturn

import typer
from rich.console import Console

from cosim.commands import bench, check, compare, hosting, lists, population, region, report, run, study, sweep
from cosim.commands.app import app_command
from cosim.failure import RunFailure
from feeders.errors import CosimError, InputErrors

__all__ = ["app", "main"]

app = typer.Typer(
    help="Prosumers on distribution feeders: plans, inverter rules and power flows in one closed loop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command(name="app")(app_command)
app.command(name="run")(run.run_command)
app.command(name="check")(check.check_command)
app.command(name="sweep")(sweep.sweep_command)
app.command(name="compare")(compare.compare_command)
app.command(name="report")(report.report_command)
app.command(name="population")(population.population_command)
app.command(name="hosting")(hosting.hosting_command)
app.command(name="region")(region.region_command)
app.command(name="study")(study.study_command)
app.command(name="feeders")(lists.feeders_command)
app.command(name="rules")(lists.rules_command)
app.command(name="bench")(bench.bench_command)


def main() -> None:
    """Run a command; errors of the input are one line each and no traceback."""
    signal.signal(signal.SIGINT, _interrupted)
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        app(prog_name="cosim")
    except RunFailure as failure:
        console.print(f"failed: {failure}", markup=False)
        sys.exit(1)
    except InputErrors as several:
        for line in several.lines():
            console.print(f"error: {line}", markup=False)
        sys.exit(2)
    except CosimError as error:
        console.print(f"error: {error}", markup=False)
        sys.exit(2)


def _interrupted(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 - what a handler is given
    """End at Ctrl-C; folders appear whole or not at all, and what a run has kept it says itself."""
    sys.stderr.write("interrupted; results are written whole or not at all\n")
    sys.exit(130)
