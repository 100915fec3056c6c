"""A home's plan as a block of a larger linear program, which says itself what electricity costs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from agents.customers import Block
from agents.highs import Program
from agents.prosumer.arbitrage import ArbitragePlanner
from agents.prosumer.battery import Battery
from agents.prosumer.plan import Horizon

__all__ = ["home_block"]

Array = npt.NDArray[np.float64]


def home_block(horizon: Horizon, battery: Battery, step_h: float, q_kvar: Array) -> Block:
    """The linear program of `agents.prosumer.arbitrage` with the export as a variable, and without bill or ties.

    Six variables per step: charge, discharge, flexible, import g, energy, export e; the power at the meter is g - e. It
    is exact where a bill of 0 <= selling <= buying price is minimised, with or without charges on the highest import;
    see `agents.prosumer.arbitrage`.

    Parameters
    ----------
    horizon : Horizon
        What lies ahead over T steps; its prices are not used.
    battery : Battery
    step_h : float
        Length of a step [h].
    q_kvar : array, shape (T,)
        Reactive power, > 0 injected.

    Raises
    ------
    UnreachableError
        When battery or flexible load cannot have the energy that is due.
    """
    n = len(horizon.p_net_kw)
    own, program = ArbitragePlanner(n, battery, step_h).linear_program(horizon)
    nothing, each = sparse.csc_array((n, n)), sparse.eye_array(n, format="csc")
    export = sparse.vstack([nothing, -each, sparse.csc_array((1, n))])
    meter = slice(n, 2 * n)
    program.row_upper[meter] = program.row_lower[meter]
    flat = Program(
        cost=np.zeros(6 * n),
        lower=np.append(program.lower, np.zeros(n)),
        upper=np.append(program.upper, np.full(n, np.inf)),
        row_lower=program.row_lower,
        row_upper=program.row_upper,
    )
    return Block(
        program=flat,
        matrix=sparse.hstack([own, export], format="csc"),
        imports=sparse.hstack([*[nothing] * 3, each, *[nothing] * 2], format="csc"),
        exports=sparse.hstack([*[nothing] * 5, each], format="csc"),
        q_fixed_kvar=q_kvar,
        q_per_kw=0.0,
    )
