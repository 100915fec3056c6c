"""Whether the figures on the page are those of a model: to as many digits as the page shows."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pandas as pd

from cosim.page.controls import Board, Settings
from cosim.page.live import Live
from tests.cosim.page.browser.shown import Shown, until

__all__ = ["assert_shows", "differences", "lived", "says"]

_MINUS = "\N{MINUS SIGN}"
_NUMBER = re.compile(rf"[-{_MINUS}]?\d+(?:\.(\d+))?")
_NOTHING = ("", "-", "\N{EN DASH}", "\N{EM DASH}")


def says(text: str, value: object) -> bool:
    """Whether a text tells a value: a number rounded as the text is, nothing or a dash for NaN, else the same words."""
    if not isinstance(value, int | float):
        return text == str(value)
    if math.isnan(value):
        return text in _NOTHING
    found = _NUMBER.search(text)
    if found is None:
        return False
    shown, digits = float(found.group().replace(_MINUS, "-")), len(found.group(1) or "")
    return abs(shown - value) <= 0.5 * 10.0**-digits * (1 + 1e-6)


def differences(cells: Sequence[Sequence[str]], table: pd.DataFrame) -> list[str]:
    """Where the cells of a page's table do not tell those of a model's table, row by row and column by column."""
    if [len(row) for row in cells] != [len(table.columns)] * len(table):
        return [f"cells {cells} for a table of {len(table)} rows of {len(table.columns)} columns"]
    return [
        f"{column} of row {row}: {cells[row][place]!r} instead of {value!r}"
        for place, column in enumerate(table.columns)
        for row, value in enumerate(table[column].tolist())
        if not says(cells[row][place], value)
    ]


def lived(board: Board, settings: Settings, steps: int) -> Live:
    """The same run in this process."""
    live = Live(board, settings)
    for _ in range(steps):
        live.step()
    return live


def assert_shows(shown: Shown, live: Live) -> None:
    """Clock and key figures are those of a run of this process."""
    table, found = live.summary(), [""]
    until(lambda: shown.clock() == (live.step_number, live.n_steps), f"step {live.step_number}", shown.page)
    assert live.clock_text in shown.text("clock")

    def same() -> bool:
        found[:] = differences(shown.rows("summary"), table)
        return not found

    try:
        until(same, "the same figures", shown.page, 5)
    except AssertionError:
        raise AssertionError("; ".join(found)) from None
