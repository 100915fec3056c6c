"""What joins the buses of a net, as a drawing shows it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandapower.auxiliary import pandapowerNet

__all__ = ["Edges", "edges_of"]

_SHORT, _LONG = 0.5, 2.5  # so that service lines are seen beside mains
_TRAFO = 2.0  # room for its symbol


@dataclass(frozen=True)
class Edges:
    """Connections of a net, each array of shape (n_edges,); see `feeders.sketch.Sketch`. `step` is a length to draw."""

    ends: NDArray[np.int64]
    element: list[str]
    number: NDArray[np.int64]
    closed: NDArray[np.bool_]
    step: NDArray[np.float64]


def edges_of(net: pandapowerNet) -> Edges:
    """All lines, transformers, bus-bus switches and impedances, those that carry nothing included.

    `closed` says which connect: in service with both of their buses, no switch open.
    """
    line, trafo, three, switch = net.line, net.trafo, net.trafo3w, net.switch
    joins = switch[switch.et == "b"]
    frames = [
        _frame(net, "line", line.from_bus, line.to_bus, line.in_service, _steps(line.length_km)),
        _frame(net, "trafo", trafo.hv_bus, trafo.lv_bus, trafo.in_service, _TRAFO),
        _frame(net, "switch", joins.bus, joins.element, joins.closed, _SHORT),
        _frame(net, "other", three.hv_bus, three.mv_bus, three.in_service, _TRAFO),
        _frame(net, "other", three.hv_bus, three.lv_bus, three.in_service, _TRAFO),
        _frame(net, "other", net.impedance.from_bus, net.impedance.to_bus, net.impedance.in_service, 1.0),
    ]
    opened = switch[~switch.closed.astype(bool)]
    for frame, kind, index in ((frames[0], "l", line.index), (frames[1], "t", trafo.index)):
        frame["closed"] &= ~np.isin(index, opened.element[opened.et == kind])
    for frame, side in ((frames[3], "mv_bus"), (frames[4], "lv_bus")):
        frame["closed"] &= ~_open_windings(three, opened[opened.et == "t3"], side)
    table = (
        pd.concat([frame for frame in frames if len(frame)], ignore_index=True) if any(map(len, frames)) else frames[0]
    )
    is_numbered = table["element"].isin(["line", "trafo"])
    return Edges(
        ends=table[["start", "end"]].to_numpy(dtype=np.int64),
        element=table["element"].tolist(),
        number=np.where(is_numbered, table["number"], -1).astype(np.int64),
        closed=table["closed"].to_numpy(dtype=bool),
        step=table["step"].to_numpy(dtype=float),
    )


def _frame(
    net: pandapowerNet, element: str, start: pd.Series, end: pd.Series, on: pd.Series, step: float | pd.Series
) -> pd.DataFrame:
    buses = net.bus.index
    alive = net.bus.in_service.loc[start].to_numpy(dtype=bool) & net.bus.in_service.loc[end].to_numpy(dtype=bool)
    return pd.DataFrame(
        {
            "start": buses.get_indexer(start),
            "end": buses.get_indexer(end),
            "element": element,
            "number": np.arange(len(start)),
            "closed": on.to_numpy(dtype=bool) & alive,
            "step": step if isinstance(step, float) else step.to_numpy(dtype=float),
        }
    )


def _steps(length_km: pd.Series) -> pd.Series:
    """Lengths relative to the median, none very short or very long."""
    steps: pd.Series[float] = (length_km / length_km.median()).clip(_SHORT, _LONG).fillna(1.0)
    return steps


def _open_windings(three: pd.DataFrame, opened: pd.DataFrame, side: str) -> NDArray[np.bool_]:
    """Three-winding transformers with an open switch at the upper voltage or at `side`."""
    off = set(zip(opened.element.tolist(), opened.bus.tolist(), strict=True))
    ends = zip(three.index.tolist(), three.hv_bus.tolist(), three[side].tolist(), strict=True)
    return np.array([(index, high) in off or (index, low) in off for index, high, low in ends], dtype=bool)
