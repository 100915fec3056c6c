"""What an operator rehearsed and published, evening by evening: tables in memory, or files read when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["PUBLISHED", "PUBLISHED_FILE", "REHEARSALS_FILE", "REHEARSED", "Evenings", "Tables"]

REHEARSALS_FILE, PUBLISHED_FILE = "rehearsals.csv", "published.parquet"
"""The files in the folder of a run."""

REHEARSED = (
    *("day", "iteration", "worst", "worst_headroom_pu", "v_min_pu", "deficit_pu_h", "bill", "bill_change_percent"),
    *("kept", "broken_steps", "published", "ended"),
)
"""Columns of the rehearsals: the day, from 0; the watched quantity that is worst off in the active hours, its headroom
and its value; the sum of all shortfalls over the day; the bill at the tariff, and its change against iteration 0; how
many could make no new plan; market steps without a usable power flow; whether it is the one that was published; and
why there was no further one, empty where there was."""

PUBLISHED = pa.schema(
    [
        ("time", pa.timestamp("us", tz="UTC")),
        ("prosumer", pa.dictionary(pa.int32(), pa.string())),
        *((name, pa.float64()) for name in ("plan_price_buy", "plan_price_sell", "demand_price", "p_meter_kw")),
    ]
)
"""Columns of what was published: the prices to plan against [currency/kWh], that of the highest import in the step's
window [currency/kW], and the power at the meter that was rehearsed with them [kW]."""

_WORDS = [name for name in PUBLISHED.names if name != "p_meter_kw"]  # often the same for many prosumers


@dataclass(frozen=True)
class Tables:
    """Of one evening or of several.

    Attributes
    ----------
    rehearsals : DataFrame
        One row per rehearsal, the columns `REHEARSED`.
    published : pyarrow.Table
        One row per market step and prosumer that took part, the columns `PUBLISHED`.
    """

    rehearsals: pd.DataFrame
    published: pa.Table

    def save(self, folder: Path, number: int) -> list[str]:
        """Write the files of one evening, whose names end in its number; their names."""
        names = [f"rehearsals-{number:05d}.csv", f"published-{number:05d}.parquet"]
        self.rehearsals.to_csv(folder / names[0], index=False)
        _write(folder / names[1], [self.published])
        return names


@dataclass(frozen=True)
class Evenings:
    """The evenings of a run, in the order of its days.

    Attributes
    ----------
    parts : sequence
        Of each evening, or of several: the tables, or the two files they are in.
    """

    parts: Sequence[Tables | tuple[Path, Path]]

    @property
    def rehearsals(self) -> pd.DataFrame:
        """The rehearsals of all evenings."""
        parts = [_rehearsals(part) for part in self.parts]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(REHEARSED))

    @property
    def published(self) -> pd.DataFrame:
        """What was published for all days."""
        tables = [_published(part) for part in self.parts] or [PUBLISHED.empty_table()]
        found: pd.DataFrame = pa.concat_tables(tables).to_pandas()
        return found

    def write(self, folder: Path) -> None:
        """Write all evenings as the two files of a run; equal evenings give equal bytes."""
        self.rehearsals.to_csv(folder / REHEARSALS_FILE, index=False)
        _write(folder / PUBLISHED_FILE, (_published(part) for part in self.parts))


def _rehearsals(part: Tables | tuple[Path, Path]) -> pd.DataFrame:
    if isinstance(part, Tables):
        return part.rehearsals
    found = pd.read_csv(part[0], float_precision="round_trip")
    return found.fillna({"worst": "", "ended": ""})  # which CSV cannot tell from nothing


def _published(part: Tables | tuple[Path, Path]) -> pa.Table:
    return part.published if isinstance(part, Tables) else pq.read_table(part[1])


def _write(path: Path, tables: Iterable[pa.Table]) -> None:
    """One table after the other, so that no more than one need be in memory."""
    with pq.ParquetWriter(
        path, PUBLISHED, compression="zstd", use_dictionary=_WORDS, write_statistics=["time"]
    ) as file:
        for table in tables:
            file.write_table(table)
