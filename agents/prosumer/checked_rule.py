"""Rules of a user's own, whose answers are looked at before they reach an inverter."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError

if TYPE_CHECKING:
    from agents.prosumer.rules import Ranges, Rule, VoltageBand

__all__ = ["checked"]

Array = npt.NDArray[np.float64]

_COLUMNS = ("p_lo_kw", "p_hi_kw", "q_lo_kvar", "q_hi_kvar")


def checked(name: str, rule: Rule) -> Rule:
    """The same rule, which raises an `InputError` instead of giving what is no range for each inverter."""

    @wraps(rule)
    def called(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
        ranges = rule(vm_pu, rating_kva, band)
        _require(name, ranges, vm_pu)
        return ranges

    return called


def _require(name: str, ranges: Ranges, vm_pu: Array) -> None:
    where = f"rule {name}"
    if not isinstance(ranges, tuple) or len(ranges) != len(_COLUMNS):
        raise InputError(where, "ranges", type(ranges).__name__, f"Ranges: {', '.join(_COLUMNS)}")
    for column, values in zip(_COLUMNS, ranges, strict=True):
        shape = np.shape(values)
        if shape not in ((), vm_pu.shape):
            raise InputError(
                where, column, f"shape {shape}", f"shape {vm_pu.shape}, one for each inverter, or a number"
            )
        _refuse(where, column, np.isnan(values), vm_pu, "NaN", "a number at any voltage")
    for low, high in (("p_lo_kw", "p_hi_kw"), ("q_lo_kvar", "q_hi_kvar")):
        swapped = np.greater(ranges[_COLUMNS.index(low)], ranges[_COLUMNS.index(high)])
        _refuse(where, low, swapped, vm_pu, f"more than {high}", f"at most {high} at any voltage")


def _refuse(where: str, column: str, wrong: npt.ArrayLike, vm_pu: Array, what: str, allowed: str) -> None:
    at = np.broadcast_to(np.asarray(wrong), vm_pu.shape)
    if at.any():
        raise InputError(where, column, f"{what} at {vm_pu[at][0]:.6g} p.u.", allowed)
