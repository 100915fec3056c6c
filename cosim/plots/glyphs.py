"""Markers of a feeder's map as paths about one unit wide, and what they say of a prosumer."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.path import Path

from cosim.plots.data import Homes

__all__ = ["CIRCLE", "DOWN", "FILLS", "IDLE_KW", "SHAPES", "UP", "WAVE", "home_glyphs", "windings"]

Array = npt.NDArray[np.float64]

IDLE_KW = 0.01
"""Less than this is nothing: meters and batteries rarely stand at exactly zero."""


def _polygon(*corners: tuple[float, float]) -> Path:
    return Path(np.array([*corners, corners[0]]), closed=True)


CIRCLE = Path.circle(radius=0.5)
UP = _polygon((-0.62, -0.45), (0.62, -0.45), (0.0, 0.65))
DOWN = _polygon((-0.62, 0.45), (0.62, 0.45), (0.0, -0.65))
_SINE = np.linspace(-0.34, 0.34, 13)
WAVE = Path(np.column_stack([_SINE, 0.17 * np.sin(2 * np.pi * _SINE / 0.68)]))  # of an AC source

SHAPES = {
    "idle": _polygon((-0.42, -0.42), (0.42, -0.42), (0.42, 0.42), (-0.42, 0.42)),
    "charging": _polygon(
        *((-0.19, -0.58), (0.19, -0.58), (0.19, -0.19), (0.58, -0.19), (0.58, 0.19), (0.19, 0.19)),
        *((0.19, 0.58), (-0.19, 0.58), (-0.19, 0.19), (-0.58, 0.19), (-0.58, -0.19), (-0.19, -0.19)),
    ),
    "discharging": _polygon((-0.62, -0.24), (0.62, -0.24), (0.62, 0.24), (-0.62, 0.24)),
    "curtailing": _polygon((-0.64, 0.0), (0.0, -0.64), (0.64, 0.0), (0.0, 0.64)),
}
"""What a prosumer's battery does, a plus or a minus; whatever it does, a diamond where PV is curtailed."""
FILLS = {"importing": "#FFFFFF", "exporting": "#222222", "balanced": "#AAAAAA", "curtailing": "#F0E442"}
"""What its meter says; curtailed PV has a colour of its own."""


def home_glyphs(homes: Homes) -> tuple[list[str], list[str]]:
    """Keys of `SHAPES` and of `FILLS` for each prosumer."""
    battery = np.select(
        [homes.p_battery_kw > IDLE_KW, homes.p_battery_kw < -IDLE_KW], ["charging", "discharging"], "idle"
    )
    meter = np.select([homes.p_meter_kw > IDLE_KW, homes.p_meter_kw < -IDLE_KW], ["importing", "exporting"], "balanced")
    curtailing = homes.p_curtailed_kw > IDLE_KW
    shapes = np.where(curtailing, "curtailing", battery)
    fills = np.where(curtailing, "curtailing", meter)
    return shapes.tolist(), fills.tolist()


def windings(direction_rad: float) -> Path:
    """A transformer: two rings, one behind the other in this direction."""
    along = 0.3 * np.array([np.cos(direction_rad), np.sin(direction_rad)])
    rings = [Path.circle(tuple(side * along), 0.5) for side in (-1, 1)]
    return Path.make_compound_path(*rings)
