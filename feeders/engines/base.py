"""What every power-flow engine promises, and the checks that they share."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError, PowerFlowError
from feeders.feeder import Feeder
from feeders.nodal import NodalModel

__all__ = [
    "VM_PLAUSIBLE_PU",
    "ComplexArray",
    "Engine",
    "FloatArray",
    "check_powers",
    "check_slack_vm_pu",
    "check_voltages",
    "checked_injections",
    "chosen_powers",
    "divergence",
    "implausible_rows",
    "shaped_injections",
]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

VM_PLAUSIBLE_PU = (0.5, 1.5)
"""A converged flow outside this range is no operating point of a distribution feeder [p.u.]."""


class Engine(Protocol):
    """A power flow of one feeder: arrays in, arrays out, in the order of ``feeder.buses``.

    Attributes
    ----------
    feeder : Feeder
        The feeder as it was given.
    notes : list of str
        What a user should know of how it is computed.
    revision : int
        Counts the changes of slack voltage and taps: flows of one revision depend on nothing but the powers.
    """

    feeder: Feeder
    notes: list[str]
    revision: int

    @property
    def name(self) -> str:
        """The engine's key in `feeders.engines.ENGINES`."""
        ...

    @property
    def taps(self) -> dict[int | str, float]:
        """Tap positions now, by the keys of ``feeder.controls.tap_changers``."""
        ...

    def solve(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> FloatArray:
        """Voltage magnitudes for prosumers' powers on top of the net's own elements.

        Parameters
        ----------
        p_kw : array_like, shape (n_buses,) or (K, n_buses)
            Active power consumed at each bus [kW], three-phase total.
        q_kvar : array_like, same shape
            Reactive power injected by inverters at each bus [kvar].

        Returns
        -------
        vm_pu : ndarray, same shape
            Voltage magnitude [p.u.], NaN exactly where a bus is not energised. K scenarios are solved
            independently: a row does not depend on the others, nor on earlier calls.

        Raises
        ------
        InputError
            Wrong shape, powers that are not finite, or power at a bus that is not energised.
        PowerFlowError
            If the flow diverges, or a voltage is outside 0.5 to 1.5 p.u.; the engine works on afterwards.
        """
        ...

    @property
    def nodal(self) -> NodalModel:
        """The feeder in per unit, with slack voltage and taps as they are now."""
        ...

    def node_voltages(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> ComplexArray:
        """Complex voltages of the same flows, at the nodes of `nodal`.

        Parameters
        ----------
        p_kw, q_kvar : array_like, shape (n_buses,) or (K, n_buses)
            As in `solve`, which raises the same errors.

        Returns
        -------
        ndarray, complex, shape (n_nodes,) or (K, n_nodes)
            Voltages [p.u.]; ``nodal.node_of_bus`` says which is a bus's.
        """
        ...

    def set_slack_vm_pu(self, vm_pu: float) -> None:
        """Set the voltage magnitude [p.u.] of every external grid for the solves to come.

        Raises
        ------
        InputError
            Unless it is above 0.5 and below 1.5 p.u.; nothing changes then.
        """
        ...

    def set_taps(self, taps: Mapping[int | str, int]) -> None:
        """Set tap positions for the solves to come; transformers that are not named keep theirs.

        Parameters
        ----------
        taps : mapping
            Position of each transformer, by its index in ``net.trafo`` or by name.

        Raises
        ------
        InputError, InputErrors
            See `feeders.feeder.Feeder.with_taps`; nothing changes then.
        """
        ...

    def write_results(self, p_kw: ArrayLike | None = None, q_kvar: ArrayLike | None = None) -> pandapowerNet:
        """Fill the ``res_*`` tables of ``feeder.net`` and return it.

        Parameters
        ----------
        p_kw, q_kvar : array_like, shape (n_buses,), optional
            Powers as in `solve`. Default: those of the last single solve, zero before any.

        Notes
        -----
        The powers become loads "prosumers at bus X" of ``feeder.net``, so that every pandapower tool sees them;
        external grids and transformers take the engine's voltage and taps.
        """
        ...


def checked_injections(feeder: Feeder, p_kw: ArrayLike, q_kvar: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Copies of both as float arrays; raises InputError where `Engine.solve` says so."""
    p, q = shaped_injections(feeder, p_kw, q_kvar)
    check_powers(feeder, p, q)
    return p, q


def shaped_injections(feeder: Feeder, p_kw: ArrayLike, q_kvar: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Copies of both as contiguous float arrays; raises InputError for a wrong shape."""
    p, q = np.array(p_kw, dtype=float, order="C"), np.array(q_kvar, dtype=float, order="C")
    if p.shape != q.shape or p.ndim not in (1, 2) or p.shape[-1] != len(feeder.buses):
        allowed = f"both of shape ({feeder.n_buses},) or (K, {feeder.n_buses})"
        raise InputError(_where(feeder), "shape of p_kw, q_kvar", (p.shape, q.shape), allowed)
    return p, q


def check_powers(feeder: Feeder, p: FloatArray, q: FloatArray) -> None:
    """Raise InputError for powers that are not finite, or at a bus that is not energised."""
    if not (math.isfinite(p.sum()) and math.isfinite(q.sum())):  # cheaper than looking at every element
        raise InputError(_where(feeder), "p_kw, q_kvar", "NaN or infinite", "finite numbers")
    if feeder.has_dead_buses:
        dead = ~feeder.energised
        powered = ((p != 0) | (q != 0))[..., dead].reshape(-1, int(dead.sum())).any(axis=0)
        if powered.any():
            buses = feeder.buses[dead][powered].tolist()
            allowed = "0 at buses that are not energised"
            raise InputError(_where(feeder), "p_kw, q_kvar", f"power at bus {buses}", allowed)


def _where(feeder: Feeder) -> str:
    return f"power flow on feeder {feeder.name!r}"


def chosen_powers(
    feeder: Feeder,
    last: tuple[FloatArray, FloatArray],
    p_kw: ArrayLike | None,
    q_kvar: ArrayLike | None,
) -> tuple[FloatArray, FloatArray]:
    """The powers given, or ``last`` where None, both of shape (n_buses,); raises InputError for a batch."""
    p, q = checked_injections(feeder, last[0] if p_kw is None else p_kw, last[1] if q_kvar is None else q_kvar)
    if p.ndim != 1:
        where = f"results of feeder {feeder.name!r}"
        raise InputError(where, "shape of p_kw, q_kvar", p.shape, f"({feeder.n_buses},): one scenario")
    return p, q


def check_slack_vm_pu(vm_pu: float) -> float:
    """``vm_pu`` as float; raises InputError outside the plausible range."""
    if not VM_PLAUSIBLE_PU[0] < vm_pu < VM_PLAUSIBLE_PU[1]:
        raise InputError("engine", "slack vm_pu", vm_pu, "above 0.5 and below 1.5 p.u.")
    return float(vm_pu)


def check_voltages(feeder: Feeder, vm_pu: FloatArray, scenario: int | None = None) -> None:
    """Raise PowerFlowError unless every energised bus is within 0.5 and 1.5 p.u.; NaN is not.

    ``vm_pu`` has shape (n_buses,). The worst bus is the one farthest from 1 p.u., or the first without a
    value.
    """
    alive = vm_pu[feeder.energised] if feeder.has_dead_buses else vm_pu
    if VM_PLAUSIBLE_PU[0] < alive.min() and alive.max() < VM_PLAUSIBLE_PU[1]:
        return
    deviation = np.where(feeder.energised, np.abs(vm_pu - 1.0), -1.0)
    worst = int(np.argmax(deviation))  # NaN counts as the largest
    reason = "voltage outside 0.5 to 1.5 p.u."
    raise PowerFlowError(feeder.name, reason, int(feeder.buses[worst]), float(vm_pu[worst]), scenario)


def implausible_rows(feeder: Feeder, vm_pu: FloatArray) -> NDArray[np.int64]:
    """Rows of ``vm_pu``, shape (K, n_buses), that `check_voltages` refuses; all rows at once."""
    lowest, highest = VM_PLAUSIBLE_PU
    plausible = (vm_pu > lowest) & (vm_pu < highest) | ~feeder.energised
    return np.flatnonzero(~plausible.all(axis=1))


def divergence(feeder: Feeder, p_kw: FloatArray, q_kvar: FloatArray, scenario: int | None = None) -> PowerFlowError:
    """The error for powers, shape (n_buses,), without a solution.

    There is no voltage to judge by: the worst bus is the one whose own power, background included, changes its own
    voltage most to first order, ``|Z S| / vn^2`` with its driving-point impedance Z.
    """
    s_mva = np.hypot(p_kw + feeder.background_p_kw, feeder.background_q_kvar - q_kvar) * 1e-3
    change_pu = feeder.electrical_distance.z_ohm * s_mva / feeder.net.bus.vn_kv**2
    worst = int(change_pu.idxmax())  # skips the NaN of dead buses
    return PowerFlowError(feeder.name, "did not converge", worst, scenario=scenario)
