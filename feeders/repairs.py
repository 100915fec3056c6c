"""Repairs of a net whose meaning is plain, but which pandapower would read otherwise."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandapower.auxiliary import pandapowerNet

from feeders.checks import NUMBER_COLUMNS

__all__ = ["repair_net"]


def repair_net(net: pandapowerNet) -> list[str]:
    """Repair ``net`` in place and say what was done, one sentence each.

    Columns of numbers stored as objects, as some files come, become floats.

    pandapower 3 ignores ``tap_pos`` where ``tap_changer_type`` is empty, as it is in many published nets:
    there it becomes "Ratio" if side, position, neutral position and step are given.

    pandapower 3 warns on every power flow if the column ``tap_dependency_table``, new in that version, is
    missing: it becomes False, which is what pandapower assumes.
    """
    notes = []
    for table, columns in NUMBER_COLUMNS.items():
        for column in columns:
            if net[table][column].dtype == object:
                net[table][column] = net[table][column].astype(float)
                notes.append(f"{table}.{column}: its numbers were stored as objects; now as floats")
    for table in ("trafo", "trafo3w"):
        silent = _ignored_taps(net[table])
        if silent.any():
            column = net[table]["tap_changer_type"].astype(object)
            net[table]["tap_changer_type"] = column.mask(silent, "Ratio")
            rows = net[table].index[silent].tolist()
            notes.append(f"{table} {rows}: tap_changer_type was empty although taps are given; set to 'Ratio'")
        frame = net[table]
        if len(frame) and "tap_dependency_table" not in frame and "characteristic" not in net:
            frame["tap_dependency_table"] = False
            notes.append(f"{table}: tap_dependency_table was missing; set to False")
    return notes


def _ignored_taps(frame: pd.DataFrame) -> pd.Series:
    columns = ("tap_side", "tap_pos", "tap_neutral", "tap_step_percent", "tap_changer_type")
    if frame.empty or not set(columns) <= set(frame.columns):
        return pd.Series(False, index=frame.index)
    numbers = frame[["tap_pos", "tap_neutral", "tap_step_percent"]].apply(pd.to_numeric, errors="coerce")
    given = pd.Series(np.isfinite(numbers.to_numpy(dtype=float)).all(axis=1), index=frame.index)
    unset = frame["tap_changer_type"].isna() | (frame["tap_changer_type"] == "None")
    return given & unset & frame["tap_side"].isin(["hv", "mv", "lv"])
