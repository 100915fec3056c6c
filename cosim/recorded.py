"""The series of a run where they are: in memory, or in Parquet files that are read when asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cosim.layout import Layout
from cosim.record import NotRecorded

__all__ = ["Series", "SeriesInFiles", "SeriesInMemory", "table_of", "write_series"]

Array = npt.NDArray[np.float64]


class Series(Protocol):
    """Samples of the recorded columns of one run."""

    @property
    def layout(self) -> Layout:
        """Names, prosumers and times."""

    @property
    def n_samples(self) -> int:
        """Samples there are."""

    def read(self, names: Sequence[str], first: int, last: int, rows: Sequence[int] | None = None) -> Array:
        """Columns `names` of samples ``first .. last - 1``, of all prosumers or of some `rows`.

        Shape (last - first, len(names), n_rows).

        Raises
        ------
        NotRecorded
        """


@dataclass(frozen=True)
class SeriesInMemory:
    """Samples as one array, shape (n_samples, len(layout.names), n)."""

    layout: Layout
    frames: Array

    @property
    def n_samples(self) -> int:
        """Samples there are."""
        return len(self.frames)

    def read(self, names: Sequence[str], first: int, last: int, rows: Sequence[int] | None = None) -> Array:
        """See `Series.read`; a view where it can be."""
        own = self.layout.names
        places = _places(own, names)
        found = self.frames[first:last]
        if len(places) == 1:
            found = found[:, places[0] : places[0] + 1]
        elif tuple(names) != own:
            found = found[:, places]
        return found if rows is None else found[:, :, list(rows)]


@dataclass(frozen=True)
class SeriesInFiles:
    """Samples in one or several Parquet files, in the order of time, each of whole samples in each row group."""

    layout: Layout
    paths: tuple[Path, ...]
    n_samples: int

    def read(self, names: Sequence[str], first: int, last: int, rows: Sequence[int] | None = None) -> Array:
        """See `Series.read`; no more than a row group is read at once."""
        _places(self.layout.names, names)
        n = len(self.layout.ids) if rows is None else len(rows)
        found: Array = np.zeros((max(0, last - first), len(names), n))
        for begin, table in self._tables(tuple(names), first, last):
            frames = self.layout.frames(table, tuple(names))
            inside = slice(max(first - begin, 0), last - begin)
            target = max(begin - first, 0)
            part = frames[inside] if rows is None else frames[inside][:, :, list(rows)]
            found[target : target + len(part)] = part
        return found

    def _tables(self, names: tuple[str, ...], first: int, last: int) -> Iterator[tuple[int, pa.Table]]:
        """The row groups with any of samples ``first .. last - 1``, each with the number of its first sample."""
        opened: tuple[Path, pq.ParquetFile] | None = None
        for path, group, begin, end in self._groups:
            if begin < last and end > first:
                if opened is None or opened[0] != path:
                    opened = path, pq.ParquetFile(path)
                yield begin, opened[1].read_row_group(group, columns=list(names))

    @cached_property
    def _groups(self) -> list[tuple[Path, int, int, int]]:
        """Path, number, first and last + 1 sample of every row group."""
        found, begin, n = [], 0, max(1, len(self.layout.ids))
        for path in self.paths:
            metadata = pq.read_metadata(path)
            for group in range(metadata.num_row_groups):
                end = begin + metadata.row_group(group).num_rows // n
                found.append((path, group, begin, end))
                begin = end
        return found


def table_of(series: Series, columns: Sequence[str], first: int, last: int) -> pd.DataFrame:
    """One row per sample and prosumer, of samples ``first .. last - 1``, with some of `Layout.columns`.

    Raises
    ------
    NotRecorded
    """
    layout = series.layout
    for name in columns:
        if name not in layout.columns:
            raise NotRecorded(name, layout.columns)
    needed = tuple(name for name in layout.names if name in columns or (name == "vm_pu" and "zone" in columns))
    table = layout.table(series.read(needed, first, last), first, needed).select(list(columns))
    found: pd.DataFrame = table.to_pandas()
    return found


def write_series(series: Series, path: Path) -> None:
    """Write a series as one Parquet file, row group by row group: equal series give equal bytes."""
    layout = series.layout
    if isinstance(series, SeriesInFiles) and len(series.paths) == 1 and series.n_samples <= layout.per_day:
        shutil.copyfile(series.paths[0], path)  # a day's file has these row groups
        return
    with layout.writer(path) as writer:
        for first, last in layout.groups(series.n_samples):
            table = layout.table(series.read(layout.names, first, last), first)
            writer.write_table(table, row_group_size=max(1, len(table)))


def _places(own: tuple[str, ...], names: Sequence[str]) -> list[int]:
    for name in names:
        if name not in own:
            raise NotRecorded(name, own)
    return [own.index(name) for name in names]
