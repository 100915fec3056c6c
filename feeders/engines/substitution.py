"""The compiled part of the current-injection engine: a fixed point by forward and back substitution.

Rows are solved one by one with the same scalar operations, so that a row of a batch is bit for bit the flow solved
alone. Nothing is kept between calls, and the interpreter's lock is released: threads may share a network.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from feeders.compiled import compiled

__all__ = ["Network", "solve_rows"]

Complex = NDArray[np.complex128]
Index = NDArray[np.uint32]  # unsigned: no index counts from the end, which saves a fifth of the time
FloatArray = NDArray[np.float64]

_FAR = 1e6  # a step of 1000 p.u. leads nowhere


class Network(NamedTuple):
    """``Y_nn = inv(P_r) L U inv(P_c)`` of the n nodes that are no sources, in the order of the columns of ``U``.

    ``L`` has ones on its diagonal; both are stored by columns without their diagonals.
    """

    node_of_bus: NDArray[np.int64]  # (n_buses,), -1 where the voltage is that of a source, or none
    fixed_vm_pu: FloatArray  # (n_buses,), of sources; NaN where a bus is not energised; unused elsewhere
    per_kw: float  # p.u. of 1 kW
    background: Complex  # (n,), conjugate of the power that the net's own elements inject [p.u.]
    no_load: Complex  # (n,), voltages without any power [p.u.]
    equation: Index  # (n,), row of L that holds the current balance of each node
    l_start: Index  # (n + 1,)
    l_row: Index
    l_value: Complex
    u_start: Index  # (n + 1,)
    u_row: Index
    u_value: Complex
    u_inverse: Complex  # (n,), one over the diagonal of U


@compiled
def solve_rows(
    p_kw: FloatArray,
    q_kvar: FloatArray,
    vm_pu: FloatArray,
    voltages: Complex,
    start: int,
    net: Network,
    tolerance_pu: float,
    max_iterations: int,
    lowest_pu: float,
    highest_pu: float,
) -> int:
    """Voltage magnitudes of the rows from ``start`` on, up to the first without a usable solution.

    Parameters
    ----------
    p_kw, q_kvar, vm_pu : ndarray, shape (K, n_buses)
        Active power consumed [kW], reactive power injected [kvar]; ``vm_pu`` [p.u.] is filled.
    voltages : ndarray, complex, shape (K, n) or (1, n)
        Filled with the voltages at the nodes [p.u.]; where there is but one row, with those of the last flow.
    start : int
        The first row.
    net : Network
        The feeder.
    tolerance_pu : float
        A flow has settled when no voltage moves by more.
    max_iterations : int
        After so many it does not settle.
    lowest_pu, highest_pu : float
        Magnitudes outside are not plausible.

    Returns
    -------
    int
        The row that was not solved: its powers are not finite or at a bus that is not energised, it does not settle, or
        a voltage is not plausible. K if there is none.
    """
    n = len(net.no_load)
    power, current = np.empty(n, np.complex128), np.empty(n, np.complex128)
    for row in range(start, len(p_kw)):
        voltage = voltages[row % len(voltages)]
        if not (
            _inject(p_kw[row], q_kvar[row], net, power)
            and _fixed_point(net, power, voltage, current, tolerance_pu**2, max_iterations)
            and _magnitudes(net, voltage, vm_pu[row], lowest_pu, highest_pu)
        ):
            return row
    return len(p_kw)


@compiled
def _inject(p_kw: FloatArray, q_kvar: FloatArray, net: Network, power: Complex) -> bool:
    """Conjugate of the power injected at each node; False for power that is not finite or at a dead bus."""
    for node in range(len(power)):
        power[node] = net.background[node]
    wrong = 0.0
    for bus in range(len(p_kw)):
        p, q, at = p_kw[bus], q_kvar[bus], net.node_of_bus[bus]
        wrong += p * 0.0 + q * 0.0  # NaN if either is not finite
        if at >= 0:
            power[at] -= complex(p, q) * net.per_kw
        elif np.isnan(net.fixed_vm_pu[bus]) and (p != 0.0 or q != 0.0):
            return False
    return wrong == 0.0


@compiled
def _fixed_point(
    net: Network, power: Complex, voltage: Complex, current: Complex, tolerance_squared: float, max_iterations: int
) -> bool:
    """``V = V_0 + inv(Y_nn) conj(S / V)``; whether it settles."""
    for node in range(len(power)):
        voltage[node] = net.no_load[node]
    for _ in range(max_iterations):
        for node in range(len(power)):
            v = voltage[node]
            current[net.equation[node]] = power[node] * v / (v.real * v.real + v.imag * v.imag)
        _substitute(net, current)
        largest = _step(net, current, voltage)
        if largest <= tolerance_squared:
            return True
        if not largest < _FAR:  # or NaN
            return False
    return False


@compiled
def _step(net: Network, change: Complex, voltage: Complex) -> float:
    """Set ``voltage`` to ``V_0`` plus ``change``; the largest squared distance that it moved, or NaN."""
    largest = 0.0
    for node in range(len(voltage)):
        new = net.no_load[node] + change[node]
        moved = new - voltage[node]
        squared = moved.real * moved.real + moved.imag * moved.imag
        if not squared <= largest and largest == largest:  # the first NaN stays
            largest = squared
        voltage[node] = new
    return largest


@compiled
def _substitute(net: Network, x: Complex) -> None:
    """``x`` becomes ``inv(L U) x``."""
    for column in range(len(x)):
        value = x[column]
        if value != 0.0:
            for k in range(net.l_start[column], net.l_start[column + 1]):
                x[net.l_row[k]] -= net.l_value[k] * value
    for column in range(len(x) - 1, -1, -1):
        value = x[column] * net.u_inverse[column]
        x[column] = value
        for k in range(net.u_start[column], net.u_start[column + 1]):
            x[net.u_row[k]] -= net.u_value[k] * value


@compiled
def _magnitudes(net: Network, voltage: Complex, vm_pu: FloatArray, lowest_pu: float, highest_pu: float) -> bool:
    """Magnitudes at the buses; whether all are plausible."""
    plausible = True
    for bus in range(len(vm_pu)):
        at = net.node_of_bus[bus]
        if at < 0:
            vm_pu[bus] = net.fixed_vm_pu[bus]
        else:
            v = voltage[at]
            vm_pu[bus] = np.sqrt(v.real * v.real + v.imag * v.imag)
        if vm_pu[bus] <= lowest_pu or vm_pu[bus] >= highest_pu:
            plausible = False
    return plausible
