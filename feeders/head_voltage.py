"""The voltage at the head of a feeder, set by a rule instead of by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from feeders.engines import Engine, make_engine
from feeders.errors import InputError, PowerFlowError

__all__ = ["head_voltage"]

_CLOSE_PU = 1e-10


def head_voltage(
    engine: Engine,
    p_kw: ArrayLike,
    q_kvar: ArrayLike,
    buses: Sequence[int | str],
    target_pu: float,
    between: tuple[float, float] = (0.9, 1.1),
) -> float:
    """The slack voltage at which the lowest of some voltages is just at a target, found by bisection.

    This puts a stand-in feeder where a study wants it, as close to its limit as a real one is said to be, without a
    number chosen by hand: its baseline is just good enough. With constant powers all voltages rise with that of the
    source, so that there is one answer at most.

    Parameters
    ----------
    engine : Engine
        Power flow of the feeder, whose taps count; it is left as it is. ``engine.set_slack_vm_pu`` takes the answer.
    p_kw, q_kvar : array_like, shape (K, n_buses)
        The baseline at the steps that count, as in ``engine.solve``.
    buses : sequence of int or str
        Which voltages count, by index or name.
    target_pu : float
        What the lowest of them should be [p.u.].
    between : tuple of float
        Where to look [p.u.].

    Returns
    -------
    float
        Voltage magnitude of all external grids [p.u.], to 1e-10.

    Raises
    ------
    InputError
        For a target that no slack voltage in between reaches; the message says what can be reached.
    PowerFlowError
        Where the baseline has no usable power flow even at the highest.
    """
    trial = make_engine(engine.feeder, engine.name)
    own = {key: changer.position for key, changer in engine.feeder.controls.tap_changers.items()}
    trial.set_taps({key: int(position) for key, position in engine.taps.items() if position != own[key]})
    at = engine.feeder.bus_positions(buses)
    p, q = np.atleast_2d(p_kw), np.atleast_2d(q_kvar)

    def lowest(slack_vm_pu: float) -> float:
        trial.set_slack_vm_pu(slack_vm_pu)
        return float(trial.solve(p, q)[:, at].min())

    low, high = between
    at_high = lowest(high)
    at_low = _or_nothing(lowest, low)
    if not at_low <= target_pu <= at_high:
        reached = f"{max(at_low, 0):.4f} to {at_high:.4f} p.u., which slack voltages from {low:g} to {high:g} give"
        raise InputError(f"head voltage of feeder {engine.feeder.name!r}", "target_pu", target_pu, reached)
    while high - low > _CLOSE_PU:
        middle = (low + high) / 2
        low, high = (middle, high) if _or_nothing(lowest, middle) < target_pu else (low, middle)
    return high


def _or_nothing(lowest: Callable[[float], float], slack_vm_pu: float) -> float:
    """The lowest voltage, or minus infinity where there is no power flow: the source is too low to carry the load."""
    try:
        return lowest(slack_vm_pu)
    except PowerFlowError:
        return -np.inf
