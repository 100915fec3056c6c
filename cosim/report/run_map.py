"""A map of a run's feeder: at each bus with prosumers the voltage farthest from 1 p.u. that there was."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure

from agents.prosumer import VoltageBand
from cosim.build import build_feeder
from cosim.plots import FeederState, plot_feeder, plot_voltage_scale
from cosim.scenario import FeederSpec
from feeders import Feeder
from feeders.sketch import sketch_of

__all__ = ["OtherFeederError", "draw_map", "feeder_of", "worst_voltages"]

Array = npt.NDArray[np.float64]

_WIDTH, _LOW, _HIGH = 7.2, 2.0, 4.8  # inches
_ROW = 0.25  # inches, of a tree
_SAME = 1e-6  # of a distance, relative


class OtherFeederError(Exception):
    """A run of another feeder than its scenario names, as one that was made in Python."""


def feeder_of(spec: FeederSpec, prosumers: pd.DataFrame) -> Feeder:
    """The feeder that a scenario names, where it is the one that these prosumers were on.

    Raises
    ------
    InputError
        When there is no such feeder, or no longer.
    OtherFeederError
    """
    feeder = build_feeder(spec)
    distance = feeder.electrical_distance["z_ohm"].reindex(prosumers["bus"]).to_numpy()
    if not np.allclose(distance, prosumers["distance_ohm"].to_numpy(dtype=float), rtol=_SAME, atol=0.0):
        raise OtherFeederError("the feeder that the scenario names is not the one that was run")
    return feeder


def worst_voltages(feeder: Feeder, indices: pd.DataFrame) -> Array:
    """Of the lowest and the highest voltage at each bus the one farther from 1, shape (n_buses,) [p.u.].

    NaN where there are no prosumers, whose indices these are.
    """
    at_bus = indices.groupby("bus")
    low, high = at_bus["vm_min_pu"].min(), at_bus["vm_max_pu"].max()
    return low.where(1 - low >= high - 1, high).reindex(feeder.buses).to_numpy(dtype=float)


def draw_map(feeder: Feeder, vm_pu: Array, band: VoltageBand) -> Figure:
    """The map, with its scale at the right."""
    sketch = sketch_of(feeder)
    rows = len(np.unique(np.round(sketch.y[np.isfinite(sketch.y)], 6)))
    figure = Figure(figsize=(_WIDTH, _HIGH if sketch.geographic else float(np.clip(1 + _ROW * rows, _LOW, _HIGH))))
    state = FeederState(vm_pu, np.full(len(feeder.net.line), np.nan), np.full(len(feeder.net.trafo), np.nan))
    plot_feeder(figure.add_axes((0.01, 0.02, 0.8, 0.96)), sketch, state, band)
    plot_voltage_scale(figure.add_axes((0.83, 0.05, 0.05, 0.9)), band)
    return figure
