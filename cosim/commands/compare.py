"""``cosim compare``: who bears what a rule costs, and what is had for it, over the runs of a sweep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from cosim.commands.show import show_table
from cosim.compare import Comparison, Question, compare
from cosim.compare.disparity import NEEDED
from cosim.compare.fields import matching, wanted
from cosim.compare.folder import write_comparison
from cosim.compare.text import Runs, differences_shown, group_name, means_shown, report
from cosim.sweep import Sweep
from cosim.sweep.kinds import SCENARIO
from feeders.errors import InputError

__all__ = ["compare_command"]

_MOST_PRINTED = 6  # groups; table.csv has all


def compare_command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a sweep, finished or not.")],
    by: Annotated[str, typer.Option(metavar="FIELD", help="The field whose values are compared.")] = "rule",
    base: Annotated[
        str | None,
        typer.Option(
            metavar="VALUE", help="Its value that the others are compared with, pair by pair: hybrid, or the first."
        ),
    ] = None,
    per: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="Make a group of each value of this field and average over what else varies; by default each case "
            "is a group. May be given several times; none: one group.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD=VALUE",
            help="Only runs with this value; several of one field: any. May be given several times.",
        ),
    ] = None,
    pool: Annotated[
        str | None,
        typer.Option(
            metavar="FIELD",
            help="Take the runs along this field for one population; by default where control is tried at one prosumer "
            "at a time. none: never.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR2", help="Folder for tables and figures; DIR/compare by default."),
    ] = None,
) -> None:
    """Compare the runs of a sweep: disparity between prosumers, and voltage correction against what it costs them."""
    sweep = Sweep.load(folder)
    sweep.require(SCENARIO)
    wishes = wanted(where)
    table = sweep.read([*sweep.plan.columns, "prosumer", *NEEDED])
    if table.empty:
        raise InputError(str(folder), "runs", str(_runs(sweep, table, {})), "a sweep of which some run has finished")
    found = compare(table, Question(by, base, per, wishes, pool))
    lines = report(found, _runs(sweep, table, wishes), _MOST_PRINTED)
    target = out or folder / "compare"
    write_comparison(target, found, lines)
    _print(found)
    for line in lines:
        typer.echo(line)
    typer.echo(f"written to {target}")


def _runs(sweep: Sweep, table: pd.DataFrame, wishes: Mapping[str, Sequence[Any]]) -> Runs:
    """How far the runs that are asked for have come."""
    planned, failed = matching(sweep.plan, wishes), matching(sweep.failures, wishes)
    reasons = {str(reason): int(count) for reason, count in failed["reason"].value_counts().items()}
    return Runs(len(planned), int(matching(table, wishes)["run"].nunique()), reasons)


def _print(found: Comparison) -> None:
    for group, _ in list(found.groups())[:_MOST_PRINTED]:
        name = group_name(group)
        show_table(means_shown(found, group), name or f"by {found.by}")
        if found.base is not None:
            show_table(differences_shown(found, group), f"{name + ', ' if name else ''}less {found.by} {found.base}")
