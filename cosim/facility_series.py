"""Measured loads of a facility, and of a feeder's background, from CSV in the place of the invented ones.

The dialect is that of `cosim.series`. Columns of a facility's file, all >= 0:

=============  ========================================================================================
electric_kw    electric load without cooling [kW]
cooling_kw     cooling load [kW thermal]
heat_kw        heat load [kW thermal]; may be absent: none
pv_per_kw      what PV can give per kW of its rating; may be absent where the plant has none
solar_per_kw   what solar collectors can give per kW of their rating; may be absent where it has none
=============  ========================================================================================

A background file has one column for each load, in kW; negative is allowed there, for feed-in.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.facility import Needs, Plant
from cosim.series import read_series, require_span
from feeders.errors import InputError

__all__ = ["read_background_kw", "read_needs"]

Array = npt.NDArray[np.float64]

_REQUIRED = ("electric_kw", "cooling_kw")
_OPTIONAL = {"heat_kw": None, "pv_per_kw": "pv", "solar_per_kw": "solar"}  # and the equipment that asks for them


def read_needs(path: Path, plant: Plant, times: pd.DatetimeIndex, *, timezone: str | None = None) -> Needs:
    """Loads of a facility, and the sun on its roof, from a file.

    Parameters
    ----------
    path : Path
        The file.
    plant : Plant
        Whose needs they are; decides which columns must be there.
    times : DatetimeIndex
        Beginnings of the steps, UTC, evenly spaced; the file has rows of the same step, and covers them.
    timezone : str, optional
        IANA name of the zone of naive times in the file.

    Raises
    ------
    InputError
        The first offence, with the file, the row and column or time, and the value: what is not a finite number, a
        gap, a series that is too short, a column that is missing, a negative load.
    """
    frame = _read(path, times, timezone)
    for name in (*_REQUIRED, *(column for column, of in _OPTIONAL.items() if of and getattr(plant, of))):
        if name not in frame:
            raise InputError(str(path), "row 1", ",".join(["time", *frame.columns]), f"a column {name!r}")
    known = [*_REQUIRED, *_OPTIONAL]
    unknown = [name for name in frame if name not in known]
    if unknown:
        raise InputError(str(path), "row 1", unknown[0], f"columns of {', '.join(known)}")
    _refuse_negative(path, frame)
    columns = {name: frame[name].to_numpy() if name in frame else np.zeros(len(times)) for name in known}
    return Needs(times[0].to_pydatetime(), _step_h(times), **columns)


def read_background_kw(path: Path, times: pd.DatetimeIndex, *, timezone: str | None = None) -> pd.DataFrame:
    """Active power of a feeder's background loads, shape (T, n_loads), a column for each [kW]; as `read_needs`."""
    return _read(path, times, timezone)


def _read(path: Path, times: pd.DatetimeIndex, timezone: str | None) -> pd.DataFrame:
    step_h = _step_h(times)
    frame = read_series(path, step_minutes=round(60 * step_h), timezone=timezone)
    require_span(frame, times[0], times[-1] + pd.Timedelta(hours=step_h), str(path))
    found = frame.reindex(times)
    if found.isna().to_numpy().any():  # rows of the same step, but between those that are asked for
        raise InputError(str(path), "time", f"{frame.index[0]:%Y-%m-%dT%H:%MZ}", f"a row at {times[0]:%Y-%m-%dT%H:%MZ}")
    return found


def _refuse_negative(path: Path, frame: pd.DataFrame) -> None:
    for name in frame:
        values = frame[name].to_numpy()
        if (values < 0).any():
            step = int(np.argmax(values < 0))
            field = f"column {name!r} at {frame.index[step]:%Y-%m-%dT%H:%MZ}"
            raise InputError(str(path), field, float(values[step]), "a number >= 0")


def _step_h(times: pd.DatetimeIndex) -> float:
    if len(times) < 2:
        raise InputError("facility series", "times", len(times), "at least two steps")
    return float((times[1] - times[0]) / pd.Timedelta(hours=1))
