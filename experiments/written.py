"""A study's tables and report as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

__all__ = ["write_tables"]


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame], title: str, text: str) -> None:
    """Write each table that has rows as ``NAME.csv``, and ``report.md``."""
    for name, table in tables.items():
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False, float_format="%.10g")
    (folder / "report.md").write_text(f"# {title}\n\n{text}\n", encoding="utf-8")
