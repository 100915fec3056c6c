"""``cosim sweep``: the runs of a design, to a folder that survives what happens to them."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from cosim.commands.options import Out, Plugins, Set, parse_changes
from cosim.commands.resumable import resumable
from cosim.planners import available_cores
from cosim.sweep import Plan, Sweep, plan_of, run_sweep
from cosim.sweep.names import require_known_names
from cosim.sweep.progress import shown
from cosim.sweep.supervisor import Supervisor
from feeders.errors import InputError

__all__ = ["sweep_command"]

SweepFile = Annotated[Path, typer.Argument(metavar="SWEEP.toml", help="The sweep to run.")]
Workers = Annotated[
    int | None,
    typer.Option(min=1, max=1024, help="Runs at a time on this machine; as many as cores by default."),
]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers make the runs, e.g. tcp://host:8786."),
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="k/n", help="Make the k-th of n shares alone; others make the rest into the same folder."),
]


def sweep_command(
    sweep_file: SweepFile,
    out: Out = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the sweep that is in DIR.")] = False,
    renew: Annotated[
        bool,
        typer.Option("--renew", help="Go on, and run anew what other code, libraries or inputs made."),
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Go on, and try runs again that failed by themselves.")
    ] = False,
    shard: Shard = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Try a few runs and tell what all of them would take; write nothing.")
    ] = False,
    change: Set = None,
    plugin: Plugins = None,
) -> None:
    """Run all scenarios of a sweep, each in a process of its own, and collect their indices in one table.

    Runs that fail are rows with a reason; the others are untouched. Ctrl-C once ends it after the runs that have begun,
    twice at once; --resume goes on. Ends with 0 when every run has a result, 1 when some failed or the disk was full,
    130 when it was interrupted.
    """
    share = None if shard is None else _share(shard)
    plan = plan_of(sweep_file, parse_changes(change), plugin or ())
    if not plugin:
        require_known_names(plan, str(sweep_file))
    folder = out or Path("results") / plan.name
    if dry_run:
        _preview(plan, workers, folder)
        return
    began = perf_counter()
    with resumable(), shown(plan.name) as (report, say):
        sweep = run_sweep(
            plan,
            folder,
            workers=workers,
            scheduler=scheduler,
            resume=resume or retry_failed,
            renew=renew,
            retry_failed=retry_failed,
            shard=share,
            progress=report,
            tell=lambda line: say(f"note: {line}"),
        )
    _conclude(plan, sweep, folder, perf_counter() - began)


def _share(text: str) -> tuple[int, int]:
    """``"2/8"`` as ``(2, 8)``."""
    k, slash, n = text.partition("/")
    if not (slash and k.isascii() and k.isdigit() and n.isascii() and n.isdigit() and 1 <= int(k) <= int(n)):
        raise InputError("--shard", "k/n", text, "k/n with k from 1 to n, e.g. 2/8")
    return int(k), int(n)


def _preview(plan: Plan, workers: int | None, folder: Path) -> None:
    from cosim.sweep.preview import preview

    supervisor = Supervisor()
    try:
        found = preview(
            plan,
            supervisor.attempt,
            workers=workers or available_cores(),
            folder=folder,
            end_process=supervisor.close,
        )
    finally:
        supervisor.close()
    for line in found.lines():
        typer.echo(line)


def _conclude(plan: Plan, sweep: Sweep, folder: Path, seconds: float) -> None:
    """One line on what came out, one on what failed."""
    status = sweep.status
    left = f", {status.to_do} left to other shards" if status.to_do else ""
    failed = f", {status.failed} failed" if status.failed else ""
    typer.echo(
        f"{plan.name}: {status.finished} of {len(plan.runs)} runs finished{failed}{left}; {seconds:.1f} s; "
        f"written to {folder}"
    )
    if status.failed:
        counts = sweep.failures["reason"].value_counts()
        reasons = ", ".join(f"{n} {reason}" for reason, n in counts.items())
        typer.echo(f"failed: {reasons}; messages, and commands that repeat them: {folder / 'failed'}", err=True)
        raise typer.Exit(1)
