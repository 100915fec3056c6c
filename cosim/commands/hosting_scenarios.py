"""``cosim hosting --scenarios``: the same question for many sampled days."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

import typer

from cosim.commands.resumable import resumable
from cosim.hosting.hosting_file import HostingFile
from cosim.hosting.monte_carlo import MonteCarlo, monte_carlo
from cosim.sweep import Sweep
from cosim.sweep.progress import shown

__all__ = ["run_scenarios"]


def run_scenarios(
    file: HostingFile, settings: MonteCarlo, folder: Path, *, workers: int | None, resume: bool, renew: bool
) -> None:
    """Make a Monte-Carlo into a folder, show how far it is, and print what came of it.

    Exit code 1 when a scenario has no result or the disk was full, 130 when it was interrupted.
    """
    began = perf_counter()
    with resumable(), shown(folder.name) as (report, say):
        sweep = monte_carlo(
            file,
            settings,
            folder,
            workers=workers,
            resume=resume,
            renew=renew,
            progress=report,
            tell=lambda line: say(f"note: {line}"),
        )
    _conclude(sweep, perf_counter() - began)


def _conclude(sweep: Sweep, seconds: float) -> None:
    status = sweep.status
    if status.finished:
        typer.echo((sweep.folder / "distribution" / "summary.txt").read_text(encoding="utf-8").rstrip())
    n = status.finished + status.failed + status.to_do
    typer.echo(f"{status.finished} of {n} scenarios finished; {seconds:.1f} s; written to {sweep.folder}")
    if status.failed:
        failures = sweep.failures
        typer.echo(f"failed: {failures['reason'].value_counts().to_dict()}; {failures['message'].iloc[0]}", err=True)
        raise typer.Exit(1)
