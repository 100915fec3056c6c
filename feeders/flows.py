"""Power flows of many steps, and what in them is nearest to a limit, or furthest beyond one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from feeders.branch_flow import line_loading, trafo_loading
from feeders.engines import Engine
from feeders.feeder import Feeder

__all__ = ["Flows", "Kind", "Tightest", "power_flows", "tightest"]

FloatArray = NDArray[np.float64]

Kind = Literal["over-voltage", "under-voltage", "line", "transformer"]


@dataclass(frozen=True)
class Flows:
    """AC power flows of T steps.

    Attributes
    ----------
    voltages : complex array, shape (T, n_nodes)
        Of ``engine.node_voltages`` [p.u.].
    vm_pu : array, shape (T, n_buses)
        In the order of ``feeder.buses``; NaN where not energised.
    line_loading, trafo_loading : array, shape (T, n_lines) and (T, n_trafos)
        Shares of the ratings, in the order of ``net.line`` and ``net.trafo``; NaN without a rating or out of service.
    """

    voltages: NDArray[np.complex128]
    vm_pu: FloatArray
    line_loading: FloatArray
    trafo_loading: FloatArray


@dataclass(frozen=True)
class Tightest:
    """What is nearest to its limit, or furthest beyond it.

    Attributes
    ----------
    kind : {"over-voltage", "under-voltage", "line", "transformer"}
    element : str
        Name of the bus, line or transformer; its index where it has none.
    step : int
    value, allowed : float
        Voltage [p.u.], or loading as a share of the rating.
    margin : float
        How far inside: p.u. of voltage, or share of the rating; < 0 outside.
    """

    kind: Kind
    element: str
    step: int
    value: float
    allowed: float
    margin: float


def power_flows(engine: Engine, p_kw: FloatArray, q_kvar: FloatArray) -> Flows:
    """AC power flows at given total powers.

    Parameters
    ----------
    engine : Engine
    p_kw : array, shape (T, n_buses)
        Active power of everything at each bus, > 0 consumed: it stands in place of the net's own background loads.
    q_kvar : array, shape (T, n_buses)
        Reactive power of everything, > 0 consumed.

    Raises
    ------
    PowerFlowError
        Where a step has no usable power flow; ``scenario`` is the step.
    """
    feeder = engine.feeder
    # The engine takes what prosumers add to the background: active consumed, reactive injected.
    voltages = np.atleast_2d(engine.node_voltages(p_kw - feeder.background_p_kw, feeder.background_q_kvar - q_kvar))
    node = engine.nodal.node_of_bus
    vm_pu = np.where(node >= 0, np.abs(voltages[:, node]), np.nan)
    lines, trafos = line_loading(feeder, engine.nodal, voltages), trafo_loading(feeder, engine.nodal, voltages)
    return Flows(voltages, vm_pu, lines, trafos)


def tightest(feeder: Feeder, flows: Flows) -> Tightest:
    """The limit with the least margin among bus voltages (the sources' own are left out) and loadings.

    Voltages and loadings are compared by their margins as they are: p.u. of voltage with shares of ratings.
    """
    sources = np.isin(feeder.nodal.node_of_bus, feeder.nodal.slack_nodes)
    vm_pu = np.where(sources, np.nan, flows.vm_pu)
    candidates: tuple[tuple[Kind, FloatArray, FloatArray | float, FloatArray], ...] = (
        ("over-voltage", vm_pu, feeder.vm_max_pu, feeder.vm_max_pu - vm_pu),
        ("under-voltage", vm_pu, feeder.vm_min_pu, vm_pu - feeder.vm_min_pu),
        ("line", flows.line_loading, 1.0, 1.0 - flows.line_loading),
        ("transformer", flows.trafo_loading, 1.0, 1.0 - flows.trafo_loading),
    )
    found = []
    for kind, values, allowed, margins in candidates:
        if margins.size and not np.isnan(margins).all():
            step, at = np.unravel_index(int(np.nanargmin(margins)), margins.shape)
            limit = float(np.broadcast_to(allowed, margins.shape[1:])[at])
            value, margin = float(values[step, at]), float(margins[step, at])
            found.append(Tightest(kind, _element(feeder, kind, int(at)), int(step), value, limit, margin))
    return min(found, key=lambda each: each.margin)


def _element(feeder: Feeder, kind: Kind, at: int) -> str:
    table = {"line": "line", "transformer": "trafo"}.get(kind, "bus")
    rows = feeder.net[table]
    index = int(rows.index[at])
    name = rows["name"].iloc[at]
    return str(index) if name is None or name != name or not str(name) else str(name)
