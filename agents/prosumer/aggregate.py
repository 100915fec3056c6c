"""Groups of like devices in place of single ones: fewer rows for a coordinator, the same answer."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from agents.prosumer.fleet import RATINGS, Fleet

__all__ = ["aggregate"]

_OWNER = {
    "battery_h": ("battery_kw",),
    "battery_efficiency": ("battery_kw",),
    "battery_self_discharge_per_h": ("battery_kw",),
    "battery_soc_min": ("battery_kw",),
    "battery_soc_start": ("battery_kw",),
    "ev_h": ("ev_kw",),
    "ev_efficiency": ("ev_kw",),
    "ev_v2g": ("ev_kw",),
    "ev_soc_min": ("ev_kw",),
    "ev_soc_target": ("ev_kw",),
    "ev_trip_h": ("ev_kw",),
    "ev_leaves_h": ("ev_kw",),
    "ev_returns_h": ("ev_kw",),
    "hp_unit_kw": ("hp_kw",),
    "cop": ("hp_kw",),
    "r_k_per_kw": ("hp_kw",),
    "c_kwh_per_k": ("hp_kw",),
    "set_point_c": ("hp_kw",),
    "comfort_k": ("hp_kw",),
    "hp_ramp": ("hp_kw",),
    "q_share": ("pv_kw", "battery_kw"),
}
"""The ratings without which a column says nothing of a row."""


def aggregate(fleet: Fleet) -> Fleet:
    """Rows that are alike at one bus as one, with the sum of their ratings, in the order of the first of each.

    Alike are rows at one bus whose columns agree exactly, those of devices that they do not have aside. All that such
    devices can do together, in powers, energies and sums of temperatures, is what the one row can: each set is convex
    and the same but for its size. Only where charging and discharging at once is ruled out, a group is bound as one
    device. A merged row has the name of its first.
    """
    columns = [fleet.bus.astype(float)]
    for name, usual in Fleet.USUAL.items():
        owned = sum(getattr(fleet, rating) for rating in _OWNER[name]) > 0
        columns.append(np.where(owned, getattr(fleet, name), float(usual)))
    _, first, group = np.unique(np.column_stack(columns), axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    group, first = place[group.ravel()], first[order]
    merged: dict[str, npt.NDArray[np.generic]] = {
        f.name: np.array(getattr(fleet, f.name)[first]) for f in fields(fleet) if f.name not in ("names", *RATINGS)
    }
    for i, name in enumerate(Fleet.USUAL, start=1):
        merged[name] = columns[i][first].astype(getattr(fleet, name).dtype)
    ratings = {name: np.bincount(group, getattr(fleet, name), len(first)) for name in RATINGS}
    return Fleet(names=[fleet.names[row] for row in first], **merged, **ratings)  # type: ignore[arg-type]
