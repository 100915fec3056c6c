"""Tables on the terminal."""

from __future__ import annotations

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

__all__ = ["show_table"]


def show_table(frame: pd.DataFrame, title: str) -> None:
    """Print a DataFrame; numbers to the right, a dash where there is none.

    A pipe gets the width it needs. On a terminal that is too narrow, rules
    between columns go, and names of columns break at their underscores.
    """
    table = Table(title=title, title_justify="left", header_style="bold")
    for index, name in enumerate(frame.columns):
        numeric = pd.api.types.is_numeric_dtype(frame[name])
        table.add_column(str(name), justify="right" if numeric else "left", overflow="fold", no_wrap=index == 0)
    for row in frame.itertuples(index=False):
        table.add_row(*(_cell(value) for value in row))
    console = Console()
    needed = Measurement.get(console, console.options.update(width=10_000), table).maximum
    if not console.is_terminal:
        console = Console(width=max(needed, len(title)))
    elif needed > console.width:
        table.box, table.padding = SIMPLE_HEAD, 0
        for column in table.columns:
            column.header = str(column.header).replace("_", "_\n")
    console.print(table)


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "-"
    if isinstance(value, float):
        rounded = round(value, 9) + 0.0  # a difference of rounding, or a negative zero, is no result
        return f"{rounded:.4g}" if abs(rounded) < 1000 else f"{rounded:.0f}"
    return str(value)
