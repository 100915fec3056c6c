"""A comparison as a folder: tables as CSV, the text, the figures."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from cosim.compare.comparison import Comparison
from cosim.compare.figures import disparity_figure, distance_figure, trade_off_figure
from cosim.compare.populations import POPULATION
from cosim.compare.text import group_name
from cosim.folder import write_folder
from cosim.plots import save_figure

__all__ = ["IDENTITY", "MOST_DRAWN", "figures_of", "write_comparison"]

IDENTITY = "comparison"
"""What a folder says it holds, so that a later comparison may replace it, and nothing else is replaced."""

MOST_DRAWN = 8
"""Groups that figures are drawn of."""


def write_comparison(folder: Path, found: Comparison, lines: Sequence[str]) -> None:
    """Write ``table.csv``, ``by_run.csv`` (a row per population), ``report.txt`` and the figures as PNG and PDF.

    Figures are of one group each, numbered in the order of the groups where there are several. Equal comparisons give
    equal files.

    Raises
    ------
    InputError
        When the folder cannot be written or holds something else than a comparison.
    """

    def fill(target: Path) -> None:
        found.table.to_csv(target / "table.csv", index=False, float_format="%.10g")
        found.measured.to_csv(target / "by_run.csv", index=False, float_format="%.10g")
        (target / "report.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        about = {
            "run_id": IDENTITY,
            "by": found.by,
            "base": str(found.base),
            "per": list(found.per),
            "pool": found.pool,
        }
        (target / "manifest.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        for name, figure in _figures(found):
            save_figure(figure, target / f"{name}.png")
            nothing = dict.fromkeys(("Creator", "Producer", "CreationDate"))
            figure.savefig(target / f"{name}.pdf", metadata=nothing)

    write_folder(folder, IDENTITY, fill)


def figures_of(found: Comparison, group: Mapping[str, Any], measured: pd.DataFrame) -> Iterator[tuple[str, Figure]]:
    """The figures of one group of `Comparison.groups`, each with its name."""
    rows = found.rows[found.rows[POPULATION].isin(measured[POPULATION])]
    what = (found.by, found.values, group_name(group))
    if measured["n_with_gain"].any():
        yield "disparity", disparity_figure(measured, *what)
        yield "trade-off", trade_off_figure(measured, *what)
    yield "distance", distance_figure(rows, *what)


def _figures(found: Comparison) -> Iterator[tuple[str, Figure]]:
    groups = list(found.groups())
    for number, (group, measured) in enumerate(groups[:MOST_DRAWN], start=1):
        end = f"-{number}" if len(groups) > 1 else ""
        yield from ((f"{name}{end}", figure) for name, figure in figures_of(found, group, measured))
