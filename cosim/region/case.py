"""What a study of a region starts from: who owns what, and what they use and get in a year."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.mobility import Sessions
from agents.prosumer.behind_meter import BehindMeter, MeterInputs
from feeders.region import Region

__all__ = ["RegionCase"]


@dataclass(frozen=True, eq=False)
class RegionCase:
    """A region in one future year, drawn with one seed.

    Attributes
    ----------
    region : Region
        Homes and net; rows of `Region.homes` are the columns of all arrays here.
    times : DatetimeIndex, shape (T,)
        Beginnings of the market steps, local time.
    assets : BehindMeter
        What the homes own.
    inputs : MeterInputs
        What they use and get, cars charged as they come (`charging.charge` without a cap).
    today : MeterInputs
        The same homes in the status quo: base load, and the PV of today.
    sessions : Sessions
        The cars behind `inputs.p_ev_kw`.
    homes : DataFrame
        A home a row, by name: ``station``, ``area_m2``, ``annual_kwh``, ``pv_kwp``, and the like.
    outdoor_c : array, shape (T,)
        Outdoor temperature [degrees Celsius].
    """

    region: Region
    times: pd.DatetimeIndex
    assets: BehindMeter
    inputs: MeterInputs
    today: MeterInputs
    sessions: Sessions
    homes: pd.DataFrame
    outdoor_c: npt.NDArray[np.float64]
