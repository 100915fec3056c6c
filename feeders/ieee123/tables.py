"""The published tables of the IEEE 123 node test feeder.

Source: IEEE PES Distribution Test Feeder Working Group, "IEEE 123 Node Test Feeder" (W. H. Kersting, "Radial
distribution test feeders", IEEE Power Engineering Society Winter Meeting, 2001). Their numbers are facts of a public
test case, typed into the CSV files beside this one, in the published units: feet, ohm and microsiemens per mile, kW
and kvar per phase. Where phases are listed, a load "D-..." between a and b, b and c, or c and a is in columns a, b, c.

Not published with them, and assumed here:

- `conductors.csv`: rated currents. 336.4 ACSR 26/7 530 A and 1/0 ACSR 230 A are those of usual conductor tables
  (W. H. Kersting, "Distribution System Modeling and Analysis", appendix A); 202 A of the buried 1/0 aluminium cable
  with concentric neutral is this project's assumption. The conductor of each line configuration is published.
- Rated powers of regulators 2 to 4, 2000 kVA per phase: none binds before the lines beside it do. The head regulator
  has the published 5000 kVA of the substation.
- `coordinates.csv`: places of the nodes as the OpenDSS model of the feeder draws them, in feet.
- The reactive load of phase c at node 49 is 20 kvar, as in the working group's spreadsheet; an older paper has 25.

Left out: nodes 195, 251, 350 and 451, without load behind open switches.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["FEET_PER_MILE", "KM_PER_MILE", "NOMINAL_KV", "configuration_matrix", "rows", "table"]

FEET_PER_MILE = 5280.0
KM_PER_MILE = 1.609344
NOMINAL_KV = 4.16

_TEXT: dict[Hashable, type[str]] = {"bus": str, "from_bus": str, "to_bus": str}


@cache
def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(Path(__file__).with_name(f"{name}.csv"), dtype=_TEXT)


def table(name: str) -> pd.DataFrame:
    """A copy of one table, by the name of its file: lines, configurations, spot_loads and so on."""
    return _read(name).copy()


def rows(name: str) -> Iterator[Any]:
    """The rows of one table, each with its columns as attributes."""
    return iter(_read(name).itertuples(index=False))


def configuration_matrix(configuration: int, quantity: str) -> NDArray[np.float64]:
    """Phase matrix of a line configuration, shape (k, k) for its k phases.

    Parameters
    ----------
    configuration : int
        1 to 12.
    quantity : str
        "r_ohm", "x_ohm" or "b_us", per mile.
    """
    codes = _read("configurations")
    row = codes[codes["configuration"] == configuration].iloc[0]
    symbol, unit = quantity.split("_")
    phases = row["phases"]
    pairs = [["".join(sorted(i + j)) for j in phases] for i in phases]
    return np.array([[float(row[f"{symbol}_{pair}_{unit}_per_mile"]) for pair in line] for line in pairs])
