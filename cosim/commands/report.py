"""``cosim report``: a run or a sweep as one HTML file, to read, to print and to hand on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cosim.report import write_report

__all__ = ["report_command"]


def report_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a run or of a sweep, finished or not.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.html", help="The file to write; DIR/report.html by default."),
    ] = None,
) -> None:
    """Write a report of a run or a sweep: one HTML file that needs nothing else and asks nothing of the network.

    Of a sweep that is not finished it says how far it is; of a run that failed, why. An earlier report is replaced.
    """
    path = write_report(folder, out)
    typer.echo(f"{-(-path.stat().st_size // 1000):,} kB; written to {path}")
