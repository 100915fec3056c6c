"""``cosim hosting --scenarios``: the same question for many sampled days."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from cosim.commands.resumable import resumable
from cosim.hosting.hosting_file import HostingFile
from cosim.hosting.monte_carlo import MonteCarlo, monte_carlo
from cosim.sweep import Sweep
from cosim.sweep.progress import shown
from feeders.errors import InputError

__all__ = [
    "DrawSites",
    "NoiseSeed",
    "Renew",
    "Resume",
    "Scenarios",
    "Sigma",
    "Workers",
    "folder_of",
    "require_no_scenarios",
    "run_scenarios",
]

_PANEL = "Sampled days"

Scenarios = Annotated[
    int | None,
    typer.Option(min=1, max=100_000, help="Sample so many days around the file's own.", rich_help_panel=_PANEL),
]
Sigma = Annotated[
    float,
    typer.Option(min=0.0, help="Noise of sun, load, temperature and price, as a share.", rich_help_panel=_PANEL),
]
NoiseSeed = Annotated[int, typer.Option(min=0, help="Seed of the sampled days.", rich_help_panel=_PANEL)]
DrawSites = Annotated[
    bool, typer.Option("--draw-sites", help="Devices at other nodes in each scenario.", rich_help_panel=_PANEL)
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, max=1024, help="Scenarios at a time; as many as cores by default.", rich_help_panel=_PANEL),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the scenarios that are in DIR.", rich_help_panel=_PANEL)
]
Renew = Annotated[
    bool,
    typer.Option("--renew", help="Go on, and find anew what other code or inputs made.", rich_help_panel=_PANEL),
]


def folder_of(file: HostingFile, out: Path | None, picture: Path | None) -> Path:
    """Where scenarios go.

    Raises
    ------
    InputError
        When a map is asked for, of which there would be one per scenario.
    """
    if picture is not None:
        raise InputError("--map", "file", str(picture), "nothing together with --scenarios: each has sites of its own")
    return out or Path("results") / file.name


def require_no_scenarios(*, workers: int | None, resume: bool, renew: bool, draw_sites: bool) -> None:
    """Refuse options that mean nothing without ``--scenarios``.

    Raises
    ------
    InputError
    """
    given = {"--workers": workers, "--resume": resume, "--renew": renew, "--draw-sites": draw_sites}
    for name, value in given.items():
        if value not in (None, False):
            raise InputError(name, "option", value, "only together with --scenarios")


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
