"""The embedded measured year of four homes: SimBench's H0-A, H0-B, H0-C and H0-L of 2016, at 15 min.

Made by `cosim.data.make_homes_year`; licence and attribution (ODbL 1.0): ``LICENSE-DATA.md`` beside this file.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from io import BytesIO

import pandas as pd

__all__ = ["HOMES_YEAR", "load_homes_year"]

HOMES_YEAR = ("H0-A", "H0-B", "H0-C", "H0-L")
"""Homes with a whole year; how they were chosen: `cosim.data.make_homes_year`."""


def load_homes_year() -> pd.DataFrame:
    """The year of the homes, shape (35136, 4) [kW per MWh/a], a copy that the caller may change.

    Returns
    -------
    DataFrame
        Index: beginnings of the quarter-hours of 2016, a leap year, in Central European standard time (UTC+1) all year.
    """
    return _read().copy()


@cache
def _read() -> pd.DataFrame:
    content = files("cosim.data").joinpath("homes_year.parquet").read_bytes()
    return pd.read_parquet(BytesIO(content)).astype(float).round(5)  # exactly the decimals that were written
