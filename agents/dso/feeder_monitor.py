"""A feeder under watch: what customers' plans do to its voltages, currents and transformers, by AC power flow."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.dso.monitor import Observation
from agents.dso.watch import Watch, limits
from feeders.branch_flow import line_currents_ka, trafo_powers_kva
from feeders.engines import Engine
from feeders.errors import InputError
from feeders.feeder import Feeder
from feeders.nodal import NodalModel
from feeders.sensitivity import derivatives

__all__ = ["FeederMonitor", "worst_buses", "worst_off"]

Array = npt.NDArray[np.float64]


class FeederMonitor:
    """Quantities of a feeder under watch; a `Monitor`.

    All power flows of a week are one batch of the engine, with its slack voltage and taps as they are at the time. A
    `PowerFlowError` names the step as its scenario.

    Parameters
    ----------
    engine : Engine
        Power flow of the feeder.
    customer_buses : sequence of int or str
        Bus of each of n customers, by index or name; several may share one.
    background_p_kw, background_q_kvar : array, shape (T, n_buses), optional
        What all others consume at each bus and step, in the order of ``feeder.buses``: **in place of** the net's own
        loads, and like ``feeder.background_p_kw`` and ``feeder.background_q_kvar`` both > 0 consumed. Default: the
        net's own loads as they are, at every step.
    watches : sequence of Watch
        What is monitored. With none, only `vm_pu` has anything to say.

    Attributes
    ----------
    engine : Engine
    names : list of str
        Of the M monitored quantities: kind and element.
    watches : tuple of Watch

    Raises
    ------
    InputError, InputErrors
        For unknown buses, background of the wrong shape or not finite, and see `agents.dso.watch.limits`.
    """

    def __init__(
        self,
        engine: Engine,
        customer_buses: Sequence[int | str],
        background_p_kw: Array | None = None,
        background_q_kvar: Array | None = None,
        watches: Sequence[Watch] = (),
    ) -> None:
        feeder = engine.feeder
        self.engine = engine
        self._watch(watches)
        self._position = feeder.bus_positions(customer_buses)
        n = len(self._position)
        self._at_bus = sparse.csr_array((np.ones(n), (self._position, np.arange(n))), shape=(feeder.n_buses, n))
        self._background = (
            _beside_own(feeder, "background_p_kw", background_p_kw, feeder.background_p_kw),
            _beside_own(feeder, "background_q_kvar", background_q_kvar, feeder.background_q_kvar),
        )
        lengths = {len(more) for more in self._background if more is not None}
        if len(lengths) > 1:
            where = f"monitor of feeder {feeder.name!r}"
            raise InputError(where, "steps of background_p_kw, background_q_kvar", sorted(lengths), "as many of both")

    @property
    def feeder(self) -> Feeder:
        """The wires."""
        return self.engine.feeder

    def watching(self, watches: Sequence[Watch]) -> FeederMonitor:
        """The same customers and background on the same engine, with other watches."""
        twin = copy.copy(self)
        twin._watch(watches)
        return twin

    def observe(self, p_kw: Array, q_kvar: Array) -> Observation:
        """The monitored quantities if customers behave so; see `agents.dso.monitor.Monitor`."""
        voltages = self.engine.node_voltages(*self.bus_powers(p_kw, q_kvar))
        model = self.engine.nodal
        of_kind = {kind: _measured(kind, model, voltages) for kind in {limit.quantity.kind for limit in self._limits}}
        value, headroom = np.empty((2, len(voltages), len(self._limits)))
        for m, limit in enumerate(self._limits):
            value[:, m] = of_kind[limit.quantity.kind][:, limit.quantity.position] / limit.rating
            headroom[:, m] = limit.side * (value[:, m] - limit.limit)
        return Observation(value, headroom)

    def sensitivity(self, p_kw: Array, q_kvar: Array, q_per_kw: Array) -> Array:
        """Change of each headroom per kW more at each customer; exact, see `feeders.sensitivity`.

        Raises
        ------
        EngineRefusalError
            See `feeders.sensitivity.derivatives`.
        """
        quantities = [limit.quantity for limit in self._limits]
        slopes = derivatives(self.engine, *self.bus_powers(p_kw, q_kvar), quantities, self._position)
        per_kw = np.array([limit.side / limit.rating for limit in self._limits])
        change: Array = per_kw[:, np.newaxis] * (slopes.per_kw + slopes.per_kvar * np.asarray(q_per_kw))
        return change

    def vm_pu(self, p_kw: Array, q_kvar: Array) -> Array:
        """Voltages of all buses [p.u.], shape (T, n_buses), if customers behave so; NaN where not energised."""
        return self.engine.solve(*self.bus_powers(p_kw, q_kvar))

    def bus_powers(self, p_kw: Array, q_kvar: Array) -> tuple[Array, Array]:
        """What the engine takes if customers behave so: power beyond the net's own loads, both of shape (T, n_buses).

        ``head_voltage(engine, *monitor.bus_powers(p_kw, q_kvar), ...)`` sets the head voltage by a baseline.
        """
        p, q = np.asarray(p_kw, dtype=float), np.asarray(q_kvar, dtype=float)
        more_p, more_q = self._background
        self._check_shape(p, q)
        at_p, at_q = (self._at_bus @ p.T).T, (self._at_bus @ q.T).T
        return at_p if more_p is None else at_p + more_p, at_q if more_q is None else at_q - more_q

    def _watch(self, watches: Sequence[Watch]) -> None:
        self._limits = limits(self.feeder, watches)
        self.watches = tuple(watches)
        self.names = [watch.name for watch in watches]

    def _check_shape(self, p: Array, q: Array) -> None:
        n_customers = len(self._position)
        n_steps = next((len(more) for more in self._background if more is not None), None)
        fits = p.ndim == 2 and p.shape == q.shape and p.shape[1] == n_customers and n_steps in (None, len(p))
        if not fits:
            steps = "T" if n_steps is None else f"{n_steps} steps of the background"
            allowed = f"both of shape ({steps}, {n_customers} customers)"
            where = f"monitor of feeder {self.feeder.name!r}"
            raise InputError(where, "shape of p_kw, q_kvar", (p.shape, q.shape), allowed)


def worst_buses(monitor: FeederMonitor, p_kw: Array, q_kvar: Array, k: int = 1) -> list[int]:
    """The `k` buses where people connect whose voltage comes closest to the lower limit, or lies farthest below.

    A start for whoever watches a feeder for the first time: the lowest of ``vm_pu - feeder.vm_min_pu`` over all steps
    of a baseline, worst first; of equal ones the first in the net. On a radial feeder neighbours are alike, so that
    the second often says little more than the first.

    Parameters
    ----------
    monitor : FeederMonitor
        Its watches do not matter.
    p_kw, q_kvar : array, shape (T, n)
        The baseline, as in `FeederMonitor.observe`.
    k : int
        How many.

    Returns
    -------
    list of int
        Bus indices, fewer than `k` where there are not so many.
    """
    return worst_off(monitor.feeder, monitor.vm_pu(p_kw, q_kvar), k)


def worst_off(feeder: Feeder, vm_pu: Array, k: int = 1) -> list[int]:
    """As `worst_buses`, of voltages that are known, shape (T, n_buses) [p.u.]."""
    at = feeder.bus_positions(feeder.connection_buses.tolist())
    lowest = (vm_pu - feeder.vm_min_pu)[:, at].min(axis=0)
    return [int(bus) for bus in feeder.connection_buses[np.argsort(lowest, kind="stable")[:k]]]


def _measured(kind: str, model: NodalModel, voltages: npt.NDArray[np.complex128]) -> Array:
    """All quantities of a kind, shape (T, n_buses), (T, n_lines) or (T, n_trafos), in the unit of `Quantity`."""
    if kind == "voltage":
        vm_pu: Array = np.abs(voltages[:, model.node_of_bus])
        return vm_pu
    ends = line_currents_ka(model, voltages) if kind == "line" else trafo_powers_kva(model, voltages)
    larger: Array = ends.max(axis=-1)
    return larger


def _beside_own(feeder: Feeder, field: str, background: Array | None, own: Array) -> Array | None:
    """What an engine has to add to the net's own power so that it becomes ``background``."""
    if background is None:
        return None
    series = np.asarray(background, dtype=float)
    where = f"monitor of feeder {feeder.name!r}"
    if series.ndim != 2 or series.shape[1] != feeder.n_buses:
        raise InputError(where, f"shape of {field}", series.shape, f"(T, {feeder.n_buses})")
    if not np.isfinite(series).all():
        raise InputError(where, field, "NaN or infinite", "finite numbers")
    return series - own
