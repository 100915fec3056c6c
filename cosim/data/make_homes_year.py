"""Build ``homes_year.parquet`` from the SimBench profiles of 2016: four homes, the whole year.

Run as ``python -m cosim.data.make_homes_year`` with the ``simbench`` extra installed.

Choice of the homes
    Those of SimBench's six that may stand for one household. Left out are H0-H, flat by day and night as a large
    building is, and H0-G, the largest and 2.2 times as high in winter (DJF) as in summer (JJA). Of those taken,
    H0-B, H0-C and H0-L are 1.3, 1.8 and 1.2 times as high in winter. **H0-A is 4.9 times as high, from 6 to 22 h: it
    is heated electrically**, and beside heat pumps that heat counts twice; it is here for comparisons.

Clock
    These homes show no shift in UTC when the clocks change (`cosim.data.make_extract`), so they are stored in
    standard time, UTC+1, all year: every day has 96 quarter-hours.

Normalisation
    As in `cosim.data.make_extract`: each home's year is 1 MWh; rounded to 1e-5 kW, stored in single precision.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cosim.data.homes_year import HOMES_YEAR
from cosim.data.make_extract import DECIMALS, simbench_year

__all__ = ["homes_year", "main", "write"]


def homes_year(loads: pd.DataFrame) -> pd.DataFrame:
    """The homes' columns of the year's loads, index in standard time without a zone."""
    homes = loads[list(HOMES_YEAR)].round(DECIMALS)
    index = homes.index
    assert isinstance(index, pd.DatetimeIndex)
    return homes.set_axis(index.tz_convert("Etc/GMT-1").tz_localize(None).rename("time"))


def write(data: pd.DataFrame, path: Path) -> None:
    """Write the year; the same data and the same pyarrow give the same bytes."""
    # Bytes of the same significance side by side: a quarter smaller.
    table = pa.Table.from_pandas(data.astype("float32"))
    layout = {"use_dictionary": False, "column_encoding": "BYTE_STREAM_SPLIT"}
    pq.write_table(table, path, compression="zstd", compression_level=19, **layout)


def main() -> None:
    """Write ``homes_year.parquet`` beside this file."""
    write(homes_year(simbench_year()[0]), Path(__file__).with_name("homes_year.parquet"))


if __name__ == "__main__":
    main()
