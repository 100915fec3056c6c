"""Exact derivatives of voltages, currents and transformer powers with respect to power at every bus.

With the voltages of the sources given, those of the other nodes solve ``conj(V) (Y V) = conj(S)``, where Y is
pandapower's admittance matrix. The implicit function theorem gives how they change with the power injected::

    Y dV + D conj(dV) = conj(dS) / conj(V),    D = diag(conj(S) / conj(V)**2)

A quantity g of the voltages, with ``dg = Re(conj(a) dV)``, needs one solution of the adjoint equation at each
operating point, whatever the number of buses::

    Y^H w + D conj(w) = a    ->    dg = Re(conj(w) conj(dS) / conj(V))

The first term is the same at all operating points, and D is small beside it in the way the load is small beside the
short-circuit power. So the equation is solved by iteration with the factors of ``Y^H``, all points at once, down to
rounding; where that does not settle, as near voltage collapse, the whole equation is factorised. Nothing is
linearised twice and no symmetry of Y is assumed: phase shifts and unequal branch ends are as pandapower has them.

Buses whose voltage a generator holds, and loads that depend on voltage, would need other equations: such feeders are
refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from feeders.engines import Engine
from feeders.engines.refusals import no_constant_power
from feeders.errors import EngineRefusalError, InputError
from feeders.impedance import factorised, free_nodes
from feeders.nodal import NodalModel

__all__ = ["Derivatives", "Quantity", "derivatives"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

_SETTLED = 1e-13  # change of a multiplier in the last step, as a share of the largest
_MAX_ITERATIONS = 60
_COLUMNS_AT_ONCE = 64  # right-hand sides: with some hundreds BLAS starts threads, which cost more than they bring


@dataclass(frozen=True)
class Quantity:
    """Something of a feeder that power changes.

    Parameters
    ----------
    kind : {"voltage", "line", "transformer"}
        Voltage magnitude [p.u.] of a bus; current [kA] of a line or apparent power [kVA] of a two-winding transformer,
        the larger of both ends.
    position : int
        Its row in ``net.bus``, ``net.line`` or ``net.trafo``, counted from 0.
    """

    kind: Literal["voltage", "line", "transformer"]
    position: int


@dataclass(frozen=True)
class Derivatives:
    """How M quantities change with the power at N buses, at K operating points.

    Attributes
    ----------
    per_kw, per_kvar : ndarray, shape (K, M, N)
        Per kW more consumed, per kvar more injected. 0 at buses of external grids, NaN at buses that are not energised.
    """

    per_kw: FloatArray
    per_kvar: FloatArray


def derivatives(
    engine: Engine,
    p_kw: ArrayLike,
    q_kvar: ArrayLike,
    quantities: Sequence[Quantity],
    at: NDArray[np.int64] | None = None,
) -> Derivatives:
    """Derivatives of quantities at K power flows, with slack voltage and taps as the engine has them now.

    A current of exactly zero has no derivative; 0 is given. Where both ends of a branch carry the same, it is that of
    the from side.

    Parameters
    ----------
    engine : Engine
        Power flow of the feeder.
    p_kw, q_kvar : array_like, shape (K, n_buses)
        Operating points as in ``engine.solve``.
    quantities : sequence of Quantity
        What is asked for.
    at : ndarray of int, shape (N,), optional
        Positions of the buses whose power changes, in ``feeder.buses``; default all.

    Raises
    ------
    EngineRefusalError
        For voltage-controlled generators and whatever else is no admittance or constant power.
    InputError
        For a quantity that is out of service or not energised.
    PowerFlowError
        Where an operating point has no usable power flow.
    """
    _refuse(engine)
    model, voltages = engine.nodal, np.atleast_2d(engine.node_voltages(p_kw, q_kvar))
    node = model.node_of_bus if at is None else model.node_of_bus[at]
    shape = (len(voltages), len(quantities), len(node))
    per_kw, per_kvar = np.empty(shape), np.empty(shape)
    if not quantities:
        return Derivatives(per_kw, per_kvar)
    adjoint = _Adjoint(model)
    rows = max(1, _COLUMNS_AT_ONCE // max(1, len(quantities)))
    for part in (slice(start, start + rows) for start in range(0, len(voltages), rows)):
        v = voltages[part]
        slopes = np.stack([_slope(engine, model, quantity, v) for quantity in quantities], axis=1)  # (K, M, n_nodes)
        change = adjoint.solve(v, slopes) / v[:, np.newaxis]
        per_bus = np.where(node >= 0, change[..., node], np.nan) * (1e-3 / model.base_mva)
        per_kw[part], per_kvar[part] = -per_bus.real, -per_bus.imag
    return Derivatives(per_kw, per_kvar)


def _refuse(engine: Engine) -> None:
    what = no_constant_power(engine.feeder)
    if what is not None:
        raise EngineRefusalError(
            f"feeder {engine.feeder.name!r}: no derivatives beside {what}: their power or voltage follows the others'; "
            "without them, or with differences of power flows"
        )


def _slope(engine: Engine, model: NodalModel, quantity: Quantity, v: ComplexArray) -> ComplexArray:
    """The vector a of ``dg = Re(conj(a) dV)``, shape (K, n_nodes), in the unit of the quantity."""
    table = {"voltage": model.node_of_bus, "line": model.line_branch, "transformer": model.trafo_branch}[quantity.kind]
    row = int(table[quantity.position])
    if row < 0:
        where = f"derivative on feeder {engine.feeder.name!r}"
        raise InputError(where, quantity.kind, quantity.position, "what is in service and energised")
    if quantity.kind == "voltage":
        slope = np.zeros_like(v)
        slope[:, row] = v[:, row] / np.abs(v[:, row])
        return slope
    side = _current if quantity.kind == "line" else _power
    value, slope = side(model, model.from_admittance_pu, int(model.branches.from_node[row]), row, v)
    other_value, other_slope = side(model, model.to_admittance_pu, int(model.branches.to_node[row]), row, v)
    larger: ComplexArray = np.where((value >= other_value)[:, np.newaxis], slope, other_slope)
    return larger


def _current(
    model: NodalModel, admittance: sparse.csc_array, node: int, branch: int, v: ComplexArray
) -> tuple[FloatArray, ComplexArray]:
    """Current [kA] at one end of a branch, shape (K,), and its slope, (K, n_nodes)."""
    row = admittance[[branch]].toarray()[0]
    ends = np.flatnonzero(row)
    current = (v[:, ends] * row[ends]).sum(axis=1)
    size = np.abs(current)
    direction = np.divide(current, size, out=np.zeros_like(current), where=size > 0)
    slope = np.zeros_like(v)
    slope[:, ends] = direction[:, np.newaxis] * row[ends].conj()
    ka = model.base_mva / (np.sqrt(3.0) * model.base_kv[node])
    return size * ka, slope * ka


def _power(
    model: NodalModel, admittance: sparse.csc_array, node: int, branch: int, v: ComplexArray
) -> tuple[FloatArray, ComplexArray]:
    """Apparent power [kVA] at one side of a branch, shape (K,), and its slope, (K, n_nodes): of ``|V| |I|``."""
    current_ka, slope = _current(model, admittance, node, branch, v)
    volt = np.abs(v[:, node])
    slope = slope * volt[:, np.newaxis]
    slope[:, node] += current_ka * v[:, node] / volt
    kva_per_ka = np.sqrt(3.0) * model.base_kv[node] * 1e3
    return current_ka * volt * kva_per_ka, slope * kva_per_ka


class _Adjoint:
    """The adjoint equation of a feeder, with the factors of what all operating points have in common."""

    def __init__(self, model: NodalModel) -> None:
        self._free = free_nodes(model)
        self._balance = model.admittance_pu[self._free]
        self._conjugate = self._balance[:, self._free].conj().T.tocsc()
        self._factors = factorised(self._conjugate)

    def solve(self, v: ComplexArray, slopes: ComplexArray) -> ComplexArray:
        """The multipliers w of each slope, both of shape (K, M, n_nodes); 0 at the sources."""
        n_points, n_quantities, _ = slopes.shape
        load = (self._balance @ v.T) / v[:, self._free].T.conj()  # D, shape (n_free, K)
        load = np.repeat(load, n_quantities, axis=1)
        a = slopes[..., self._free].reshape(n_points * n_quantities, -1).T
        w, settled = self._iterated(load, a)
        for column in np.flatnonzero(~settled):
            w[:, column] = self._direct(load[:, column], a[:, column])
        result = np.zeros_like(slopes)
        result[..., self._free] = w.T.reshape(n_points, n_quantities, -1)
        return result

    def _iterated(self, load: ComplexArray, a: ComplexArray) -> tuple[ComplexArray, NDArray[np.bool_]]:
        """``w = inv(Y^H) (a - D conj(w))`` from no load on, of shape (n_free, C), and which columns settled."""
        w = self._factors.solve(a)
        settled = np.zeros(a.shape[1], dtype=bool)
        for _ in range(_MAX_ITERATIONS):
            last, w = w, self._factors.solve(a - load * w.conj())
            settled = np.abs(w - last).max(axis=0) <= _SETTLED * np.abs(w).max(axis=0)
            if settled.all():
                break
        return w, settled

    def _direct(self, load: ComplexArray, a: ComplexArray) -> ComplexArray:
        """The same for one column, shape (n_free,), by factors of its real and imaginary parts together."""
        y = self._conjugate
        g, b = y.real, y.imag
        d_re, d_im = sparse.diags_array(load.real), sparse.diags_array(load.imag)
        whole = sparse.block_array([[g + d_re, d_im - b], [b + d_im, g - d_re]], format="csc")
        parts = splu(whole).solve(np.concatenate([a.real, a.imag]))
        w: ComplexArray = parts[: len(a)] + 1j * parts[len(a) :]
        return w
