"""The runs of a sweep compared, as `cosim compare` does it: means, differences, figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from cosim.compare import Comparison, Question, compare
from cosim.compare.disparity import NEEDED
from cosim.compare.fields import design_fields, varying
from cosim.compare.folder import figures_of
from cosim.compare.text import differences_shown, findings, grounds, group_name, means_shown
from cosim.report.html import Column, Html, element, section, table
from cosim.report.numbers import MINUS, counted
from cosim.report.pictures import drawing, picture
from cosim.sweep import Sweep
from feeders.errors import CosimError

__all__ = ["MOST_FIGURES", "MOST_GROUPS", "comparison_section"]

MOST_GROUPS = 12
"""Groups whose tables are shown."""

MOST_FIGURES = 4
"""Groups that figures are shown of."""

_MOST_VALUES = 12  # of a field that is compared in place of the rule
_CAPTIONS = {
    "disparity": (
        "Spread of gain kept from head to end, the worst-off tenth, Gini and Jain, by {by}: mean with its 95 % "
        "interval where there are repetitions, and each population as a faint point."
    ),
    "trade-off": (
        "What is had for what is lost: voltage correction against the share of the gain that consumers lose, by {by}."
    ),
    "distance": (
        "Gain kept and curtailed energy of single prosumers against electrical distance, by {by}: median with a band "
        "from the lower to the upper quartile."
    ),
}


def comparison_section(sweep: Sweep, failures: pd.DataFrame) -> Html:
    """Whatever can be compared; in words where nothing can."""
    title = "Comparison"
    try:
        table = sweep.read([*sweep.plan.columns, "prosumer", *NEEDED])
        if table.empty:
            return section("comparison", title, element("p", "No run has finished: there is nothing to compare yet."))
        found = compare(table, Question(by=_by(table)))
    except CosimError as error:
        return section("comparison", title, element("p", f"The runs cannot be compared: {error}"))
    finished = int(table["run"].nunique())
    left = len(sweep.plan) - finished
    part = f" {len(failures):,} failed and {left - len(failures):,} not run yet are not in it." if left else ""
    said = element("p", f"By {found.by}, of {counted(finished, 'finished run')}.{part}")
    lines = element("ul", *(element("li", _signs(line)) for line in grounds(found)), class_="note")
    return section("comparison", f"Comparison by {found.by}", said, lines, *_groups(found))


def _by(table: pd.DataFrame) -> str:
    """The rule where it varies, or else the first field of few values that does."""
    fields = varying(table, design_fields(table))
    few = [name for name in fields if table[name].nunique(dropna=False) <= _MOST_VALUES]
    return "rule" if "rule" in fields or not few else few[0]


def _groups(found: Comparison) -> Iterator[Html]:
    groups = list(found.groups())
    for number, (group, measured) in enumerate(groups[:MOST_GROUPS]):
        name = group_name(group)
        if name:
            yield element("h3", name)
        yield _table(means_shown(found, group), found.by, f"Means by {found.by}{_of(name)}")
        if found.base is not None:
            caption = f"Differences from {found.by} {found.base}{_of(name)}: each less that one, pair by pair"
            yield _table(differences_shown(found, group), found.by, caption)
        lines = [element("li", _signs(line)) for line in findings(found, group)]
        if lines:
            yield element("ul", *lines)
        if number < MOST_FIGURES:
            yield from _figures(found, group, measured)
    if len(groups) > MOST_FIGURES:
        rest = (
            f"{len(groups):,} groups in all: tables of the first {min(len(groups), MOST_GROUPS)}, figures of the first "
        )
        yield element("p", f"{rest}{MOST_FIGURES}. cosim compare writes tables of all of them.", class_="note")


def _figures(found: Comparison, group: Mapping[str, Any], measured: pd.DataFrame) -> Iterator[Html]:
    with drawing():
        drawn = list(figures_of(found, group, measured))
    for kind, figure in drawn:
        caption = _CAPTIONS[kind].format(by=found.by)
        yield picture(figure, f"{caption}{_of(group_name(group))} The numbers are in the tables.", caption)


def _table(shown: pd.DataFrame, by: str, caption: str) -> Html:
    columns = [Column(by, numeric=False)]
    for name in shown.columns[1:]:
        title, _, unit = str(name).partition(" (")
        columns.append(Column(title, unit.removesuffix(")")))
    rows = [
        [str(first), *("undefined" if _nothing(cell) else _signs(str(cell)) for cell in cells)]
        for first, *cells in shown.itertuples(index=False, name=None)
    ]
    return table(caption, columns, rows)


def _nothing(cell: object) -> bool:
    return cell is None or cell is pd.NA or cell != cell


def _signs(text: str) -> str:
    """Hyphens in front of numbers as minus signs."""
    return "".join(
        MINUS if sign == "-" and following.isdigit() and not before.isalnum() else sign
        for before, sign, following in zip(f" {text}", text, f"{text[1:]} ", strict=False)
    )


def _of(name: str) -> str:
    return f", {name}" if name else ""
