"""How much PV a feeder takes over penetrations of batteries and heat pumps: the volume of what is feasible."""

from __future__ import annotations

import pandas as pd

from cosim.hosting.stochastic import volume

__all__ = ["feasible_volume", "grid_of", "volume_ratio"]


def grid_of(region: pd.DataFrame, mode: str) -> pd.DataFrame:
    """Most PV [%] of a mode: heat pumps [%] in rows, batteries [%] in columns, both rising; NaN where infeasible.

    `region` has the columns ``mode, battery_percent, hp_percent, pv_percent``.
    """
    rows = region[region["mode"] == mode]
    return (
        rows.pivot(index="hp_percent", columns="battery_percent", values="pv_percent").sort_index().sort_index(axis=1)
    )


def feasible_volume(region: pd.DataFrame, mode: str) -> float:
    """Volume of feasible (PV, batteries, heat pumps), each as a share: all PV up to the most at a point is feasible.

    By the trapezoidal rule over the points of the sweep, with 0 where not even no PV is feasible; NaN for fewer than
    two levels of batteries or heat pumps.
    """
    rows = region[region["mode"] == mode]
    shares = pd.DataFrame({name: rows[f"{name}_percent"].astype(float) / 100 for name in ("battery", "hp", "pv")})
    if min(shares["battery"].nunique(), shares["hp"].nunique()) < 2:
        return float("nan")
    return volume(shares, "pv")


def volume_ratio(region: pd.DataFrame) -> float:
    """Dynamic volume over the static one; infinite where nothing is feasible statically, NaN where nothing at all."""
    static, dynamic = (feasible_volume(region, mode) for mode in ("static", "dynamic"))
    if static:
        return dynamic / static
    return float("inf") if dynamic else float("nan")
