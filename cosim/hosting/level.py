"""The AC power flow's judgement of devices' powers: what is outside its limits, where and when, and by how much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from agents.prosumer.fleet import Fleet
from cosim.hosting.capacity import Stop
from cosim.hosting.case import HostingCase
from feeders.errors import PowerFlowError
from feeders.flows import Flows, Tightest, power_flows, tightest

__all__ = ["METRICS", "TOLERANCE", "Check", "LevelCheck", "judged", "metrics_of", "powers_at_buses", "stop_of"]

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-6
"""How far beyond a limit counts as inside (p.u. of voltage, or share of a rating)."""

METRICS = (
    *("vm_max_pu", "vm_mean_pu", "vm_median_pu", "vm_min_pu"),
    *("loading_max", "loading_mean", "loading_median", "import_max_kw", "export_max_kw", "losses_kwh"),
)
"""What is kept of each level's power flows: voltages of energised buses, loadings of rated lines, all steps."""


@dataclass(frozen=True)
class LevelCheck:
    """What came of one fleet.

    Attributes
    ----------
    feasible : bool
        Whether the AC power flow of all steps is inside all limits, and no more PV curtailed than allowed.
    stop : Stop or None
        What is outside; None where nothing is.
    margin : float
        How far inside; NaN without a power flow.
    metrics : dict of str to float
        By the names of `METRICS`; empty without a power flow.
    curtailed_share : float
        Of the PV energy of the day.
    fleet : Fleet
    tightest : Tightest or None
        What is nearest to its limit, or furthest beyond.
    """

    feasible: bool
    stop: Stop | None
    margin: float
    metrics: dict[str, float]
    curtailed_share: float
    fleet: Fleet
    tightest: Tightest | None = field(default=None, compare=False)


Check = Callable[[Fleet], LevelCheck]
"""Judges a fleet; a search for a capacity calls it level by level."""


def judged(
    case: HostingCase, fleet: Fleet, p_kw: Array, q_kvar: Array, curtailed_share: float = 0.0, allowed: float = 1.0
) -> LevelCheck:
    """The AC power flow's judgement of devices' powers, on top of the load.

    Parameters
    ----------
    case : HostingCase
    fleet : Fleet
    p_kw, q_kvar : array, shape (T, N)
        Active power consumed and reactive power injected by each row.
    curtailed_share, allowed : float
        Share of PV energy that is curtailed, and what is allowed.
    """
    p_bus, q_bus = powers_at_buses(case, fleet, p_kw, q_kvar)
    try:
        flows = power_flows(case.engine, p_bus, q_bus)
    except PowerFlowError as error:
        return LevelCheck(False, _collapse(case, error), float("nan"), {}, curtailed_share, fleet)
    nearest = tightest(case.feeder, flows)
    stop = stop_of(case, nearest) if nearest.margin < -TOLERANCE else None
    if stop is None and curtailed_share > allowed + TOLERANCE:
        stop = Stop("curtailment", value=curtailed_share, allowed=allowed)
    metrics = metrics_of(case, flows, p_bus)
    return LevelCheck(stop is None, stop, nearest.margin, metrics, curtailed_share, fleet, nearest)


def powers_at_buses(case: HostingCase, fleet: Fleet, p_kw: Array, q_kvar: Array) -> tuple[Array, Array]:
    """Active and reactive power consumed at each bus, shape (T, n_buses), the load included."""
    place = case.feeder.bus_positions(fleet.bus.tolist())
    p_bus, q_bus = case.inputs.p_load_kw.copy(), case.inputs.q_load_kvar.copy()
    np.add.at(p_bus.T, place, p_kw.T)
    np.subtract.at(q_bus.T, place, q_kvar.T)
    return p_bus, q_bus


def metrics_of(case: HostingCase, flows: Flows, p_bus_kw: Array) -> dict[str, float]:
    """Voltages, loadings and energies of power flows, by the names of `METRICS`."""
    vm_pu, loading = flows.vm_pu[:, case.feeder.energised], flows.line_loading
    loading = loading[:, ~np.isnan(loading).all(axis=0)]
    losses_kw = _losses_kw(case, flows)
    import_kw = p_bus_kw.sum(axis=1) + losses_kw
    lines = [float(f(loading)) if loading.size else float("nan") for f in (np.max, np.mean, np.median)]
    exchange = [float(max(import_kw.max(), 0.0)), float(max(-import_kw.min(), 0.0))]
    values = [float(f(vm_pu)) for f in (np.max, np.mean, np.median, np.min)] + lines + exchange
    values.append(float(losses_kw.sum() * case.inputs.step_h))
    return dict(zip(METRICS, values, strict=True))


def stop_of(case: HostingCase, nearest: Tightest) -> Stop:
    """What is nearest to its limit, or furthest beyond it, by the hour at which its step begins."""
    return Stop(nearest.kind, nearest.element, _hour(case, nearest.step), nearest.value, nearest.allowed)


def _collapse(case: HostingCase, error: PowerFlowError) -> Stop:
    place = int(np.argmax(case.feeder.buses == error.bus))
    hour = float("nan") if error.scenario is None else _hour(case, error.scenario)
    return Stop("collapse", case.names[place], hour)


def _hour(case: HostingCase, step: int) -> float:
    return (case.inputs.start_h + step * case.inputs.step_h) % 24


def _losses_kw(case: HostingCase, flows: Flows) -> Array:
    """Active power that lines, transformers and shunts take, shape (T,)."""
    model = case.engine.nodal
    into = flows.voltages * np.conj((model.admittance_pu @ flows.voltages.T).T)
    return np.asarray(into.real.sum(axis=1) * model.base_mva * 1e3, dtype=float)
