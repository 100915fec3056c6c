"""Voltages and loading of a feeder after the last control step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.grid import Grid
from cosim.plots.data import FeederState
from feeders.branch_flow import line_loading, trafo_loading
from feeders.errors import CosimError

__all__ = ["feeder_state"]

Array = npt.NDArray[np.float64]


def feeder_state(grid: Grid, copy: int) -> FeederState:
    """One copy of the feeder; loading is NaN before any power flow, and where the engine tells no complex voltages."""
    lines, trafos = _loading(grid, copy)
    return FeederState(grid.vm_pu[copy].copy(), lines, trafos)


def _loading(grid: Grid, copy: int) -> tuple[Array, Array]:
    net, engine = grid.feeder.net, grid.engine
    if np.isfinite(grid.p_kw[copy]).all() and hasattr(engine, "node_voltages"):  # an engine of one's own may not
        try:
            voltages = np.atleast_2d(engine.node_voltages(grid.p_kw[copy], grid.q_kvar[copy]))
            return line_loading(grid.feeder, engine.nodal, voltages)[0], trafo_loading(
                grid.feeder, engine.nodal, voltages
            )[0]
        except CosimError:  # it refuses, or has no solution any more: voltages are shown without it
            pass
    return np.full(len(net.line), np.nan), np.full(len(net.trafo), np.nan)
