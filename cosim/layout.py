"""Series as a table: one row per sample and prosumer, built from columns of numbers without a detour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from agents.prosumer import voltage_zone
from agents.prosumer.devices import DEVICE_STATE
from cosim.scenario import Scenario
from cosim.tally import status_words

__all__ = ["COLUMNS", "GROUP_BYTES", "Layout"]

Array = npt.NDArray[np.float64]

GROUP_BYTES = 64 * 2**20  # of recorded columns in memory, and in a row group
COLUMNS = (
    *("time", "prosumer", "bus", "vm_pu", "zone", "p_load_kw", "p_flexible_kw", "p_pv_kw", "p_curtailed_kw"),
    *("p_battery_kw", "energy_kwh", "p_meter_kw", "q_inverter_kvar", "price_buy", "price_sell", "status"),
    *DEVICE_STATE,
)
"""Columns of a table of series; of those that are recorded only the chosen ones, ``zone`` with ``vm_pu``."""

_WORDS = ("time", "prosumer", "bus", "zone", "status")  # few different values; all others are numbers


@dataclass(frozen=True)
class Layout:
    """What the series of a run of `scenario` look like.

    Attributes
    ----------
    scenario : Scenario
        Says what was recorded, and when.
    ids, bus : list
        Name and bus of each prosumer.
    """

    scenario: Scenario
    ids: list[str]
    bus: list[int]

    @property
    def names(self) -> tuple[str, ...]:
        """The recorded columns, in the order of the samples' second axis."""
        return self.scenario.record

    @property
    def step_min(self) -> int:
        """Minutes from one sample to the next."""
        return self.scenario.control_step_min * self.scenario.record_every

    @property
    def per_day(self) -> int:
        """Samples of a day."""
        return 24 * 60 // self.step_min

    @property
    def room(self) -> int:
        """Samples in a buffer of at most `GROUP_BYTES`: a day's, or an even part of them."""
        parts = -(-self.per_day * self._sample_bytes // GROUP_BYTES)
        return -(-self.per_day // parts)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table."""
        kept = {"time", "prosumer", "bus", *self.names, *(("zone",) if "vm_pu" in self.names else ())}
        return tuple(name for name in COLUMNS if name in kept)

    @cached_property
    def schema(self) -> pa.Schema:
        """Names and types of the columns."""
        return self.table(np.empty((0, len(self.names), len(self.ids))), 0).schema

    def times(self, n_samples: int, first: int = 0) -> pd.DatetimeIndex:
        """Beginnings of the control steps of `n_samples` samples, from sample `first` on (UTC)."""
        start = pd.Timestamp(self.scenario.start) + pd.Timedelta(minutes=first * self.step_min)
        return pd.date_range(start, periods=n_samples, freq=f"{self.step_min}min", name="time", unit="us")

    def table(self, frames: Array, first: int, names: Sequence[str] | None = None) -> pa.Table:
        """Samples of shape (k, len(names), n), the first of them number `first` of the run, as k * n rows.

        All recorded columns, or of them `names` alone.
        """
        k, _, n = frames.shape
        numbers = {name: frames[:, place].ravel() for place, name in enumerate(self.names if names is None else names)}
        found: dict[str, Any] = {name: pa.array(values) for name, values in numbers.items()}
        if "vm_pu" in numbers:
            found["zone"] = pa.array(voltage_zone(numbers["vm_pu"], self.scenario.voltage.band))
        if "status" in numbers:
            found["status"] = _words(numbers["status"], status_words())
        at = np.repeat(self.times(k, first).to_numpy(dtype="datetime64[us]"), n)
        found["time"] = pa.array(at).cast(pa.timestamp("us", tz="UTC"))
        found["prosumer"] = _words(np.tile(np.arange(n), k), self.ids)
        found["bus"] = pa.array(np.tile(np.array(self.bus, dtype=np.int64), k))
        return pa.table({name: found[name] for name in COLUMNS if name in found})

    def frames(self, table: pa.Table, names: tuple[str, ...]) -> Array:
        """Some recorded columns of a table of whole samples as numbers, shape (k, len(names), n)."""
        n = len(self.ids)
        found: Array = np.empty((len(table) // max(n, 1), len(names), n))
        for place, name in enumerate(names):
            column = table[name].combine_chunks()
            values = _codes(column) if name == "status" else column.to_numpy(zero_copy_only=False)
            found[:, place] = values.reshape(-1, n)
        return found

    def groups(self, n_samples: int) -> Iterator[tuple[int, int]]:
        """First and last + 1 sample of each row group: several days, a day, or parts of a day of `GROUP_BYTES`."""
        days = max(1, GROUP_BYTES // (self._sample_bytes * self.per_day))
        for begin in range(0, n_samples, days * self.per_day):
            end = min(begin + days * self.per_day, n_samples)
            step = end - begin if days > 1 else self.room
            yield from ((first, min(first + step, end)) for first in range(begin, end, step))

    def writer(self, path: Any) -> pq.ParquetWriter:
        """A writer of tables of this layout."""
        words = [name for name in self.columns if name in _WORDS]
        # Light, as a day of 1,000 prosumers is 1.4 million rows; statistics and dictionaries of numbers find nothing.
        return pq.ParquetWriter(
            path, self.schema, compression="zstd", compression_level=1, use_dictionary=words, write_statistics=["time"]
        )

    @property
    def _sample_bytes(self) -> int:
        return max(1, 8 * len(self.names) * len(self.ids))


def _words(codes: npt.NDArray[Any], words: list[str]) -> pa.DictionaryArray:
    """Words by their places in a list, with the smallest integers that can number them."""
    smallest = next(t for t in (np.int8, np.int16, np.int32) if len(words) <= np.iinfo(t).max)
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(smallest)), pa.array(words, type=pa.string()))


def _codes(column: pa.DictionaryArray) -> Array:
    """Status words back to their codes."""
    known = status_words()
    codes = np.array([known.index(word) for word in column.dictionary.to_pylist()], dtype=np.float64)
    found: Array = codes[column.indices.to_numpy(zero_copy_only=False)]
    return found
