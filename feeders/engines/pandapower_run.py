"""pandapower's own power flow, on a feeder's net or a copy of it."""

from __future__ import annotations

import numpy as np
import pandapower as pp
from pandapower.auxiliary import LoadflowNotConverged, pandapowerNet

from feeders.engines.base import FloatArray
from feeders.errors import PowerFlowError
from feeders.feeder import Feeder

__all__ = ["set_powers", "tolerance_mva", "write_results"]

_AGREEMENT_PU = 1e-8  # what every engine promises against pandapower


def tolerance_mva(feeder: Feeder) -> float:
    """Mismatch [MVA] to which pandapower iterates: 1e-10, or what rounding lets it reach.

    Each nodal current sums terms ``Y V`` of size ``sum |Y|`` that cancel, so the mismatch carries a few
    units of rounding of that sum, times the base power.
    """
    largest = float(abs(feeder.nodal.admittance_pu).sum(axis=1).max())
    return max(1e-10, 8 * float(np.finfo(float).eps) * largest * feeder.nodal.base_mva)


def set_powers(net: pandapowerNet, feeder: Feeder, p_kw: FloatArray, q_kvar: FloatArray) -> None:
    """Put prosumers' powers, shape (n_buses,), into the loads "prosumers at bus X" of ``net``.

    pandapower takes MW and reactive power consumed.
    """
    net.load.loc[feeder.prosumer_loads, "p_mw"] = p_kw * 1e-3
    net.load.loc[feeder.prosumer_loads, "q_mvar"] = q_kvar * -1e-3


def write_results(feeder: Feeder, vm_pu: FloatArray) -> None:
    """Fill ``feeder.net.res_*`` by a pandapower flow that starts at an engine's voltages and must stay there.

    Angles start from pandapower's DC flow: open line ends and star points, which are no buses, need one too,
    and behind a transformer's phase shift a wrong one leads Newton-Raphson to another solution.

    Parameters
    ----------
    feeder : Feeder
        Its net must have powers, slack voltage and taps already.
    vm_pu : ndarray, shape (n_buses,)
        The engine's solution; NaN where a bus is not energised.

    Raises
    ------
    PowerFlowError
        If pandapower finds no solution there, or one that differs by more than 1e-8 p.u.
    """
    net = feeder.net
    # a list: pandapower compares a Series with the word "results" where it has three-winding transformers
    start_vm = np.nan_to_num(vm_pu, nan=1.0).tolist()
    worst = int(feeder.buses[feeder.energised][0])
    try:
        pp.runpp(  # one flow: compiling with numba would take longer
            net,
            lightsim2grid=False,
            numba=False,
            tolerance_mva=tolerance_mva(feeder),
            init_vm_pu=start_vm,
            init_va_degree="dc",
        )
    except LoadflowNotConverged:
        reason = "pandapower does not converge from this solution"
        raise PowerFlowError(feeder.name, reason, worst) from None
    difference = np.abs(net.res_bus.vm_pu.to_numpy() - vm_pu)[feeder.energised]
    if not difference.max() <= _AGREEMENT_PU:
        worst = int(feeder.buses[feeder.energised][np.argmax(difference)])
        reason = f"pandapower's voltages differ by {difference.max():.1e} p.u."
        raise PowerFlowError(feeder.name, reason, worst, float(net.res_bus.vm_pu.at[worst]))
