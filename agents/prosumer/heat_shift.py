"""Heat that heat pumps may not give while they are capped, and give afterwards.

Arrays are columns of n homes, step-major over T steps; heat in kW and kWh thermal. Heat is deferred, never lost: what
is given and what is owed add up to the demand in every step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError, InputErrors

__all__ = ["HeatOwed", "HeatShift", "serve_heat", "shift_heat"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class HeatOwed:
    """What homes wait for.

    Attributes
    ----------
    kwh : array, shape (n,)
        Deferred heat.
    share_kwh : array, shape (n,)
        What of it falls to each step of the time in which it is made up for.
    steps_left : int
        Steps of that time to come.
    """

    kwh: Array
    share_kwh: Array
    steps_left: int

    @classmethod
    def none(cls, n: int) -> HeatOwed:
        """Nobody waits."""
        return cls(np.zeros(n), np.zeros(n), 0)


@dataclass(frozen=True, eq=False)
class HeatShift:
    """A year of heat as it is given.

    Attributes
    ----------
    heat_kw : array, shape (T, n)
        Heat that the homes get, and the heat pumps or stores give.
    owed_kwh_end : array, shape (n,)
        What is owed still after the last step.
    deferred_kwh : array, shape (n,)
        Heat that came later than asked for.
    owed_max_kwh : array, shape (n,)
        The most that was owed at the end of a step.
    delay_h : array, shape (n,)
        Mean delay of the deferred heat: energy owed times time, over the energy deferred; 0 where none was.
    """

    heat_kw: Array
    owed_kwh_end: Array
    deferred_kwh: Array
    owed_max_kwh: Array
    delay_h: Array


def serve_heat(
    heat_kw: Array, hp_kw: Array, heat_cap: float, owed: HeatOwed, makeup_steps: int, step_h: float = 0.25
) -> tuple[Array, HeatOwed]:
    """One step of heat, and what is owed after it.

    A capped heat pump serves demand up to the cap. Afterwards what is owed is spread evenly over `makeup_steps`; where
    a heat pump cannot give the step's share too, the rest goes to the step after. A new cap adds to what is owed, and
    all of it is spread anew.

    Parameters
    ----------
    heat_kw : array, shape (n,)
        Demand of the step.
    hp_kw : array, shape (n,)
        The most that heat pumps give. Demand beyond it is no matter of the measure, and passed on.
    heat_cap : float
        Cap as a share of `hp_kw`; 1 or more is none.
    owed : HeatOwed
        What is owed before the step.

    Returns
    -------
    heat_kw : array, shape (n,)
        Heat that the homes get.
    owed : HeatOwed
    """
    if heat_cap < 1:
        served = np.minimum(heat_kw, heat_cap * hp_kw)
        kwh = owed.kwh + (heat_kw - served) * step_h
        return served, HeatOwed(kwh, kwh / makeup_steps, makeup_steps)
    left = max(owed.steps_left - 1, 0)
    due = owed.kwh - left * owed.share_kwh
    paid = np.maximum(0.0, np.minimum(due, (hp_kw - heat_kw) * step_h))
    return heat_kw + paid / step_h, HeatOwed(owed.kwh - paid, owed.share_kwh, left)


def shift_heat(heat_kw: Array, hp_kw: Array, heat_cap: Array, makeup_h: float = 6.0, step_h: float = 0.25) -> HeatShift:
    """Heat over many steps under a cap, `serve_heat` step by step.

    Parameters
    ----------
    heat_kw : array, shape (T, n)
        Demand, >= 0.
    hp_kw : array, shape (n,)
        The most that heat pumps give.
    heat_cap : array, shape (T,)
        Cap as a share of `hp_kw`, 1 where there is none (`Directives.heat_cap`).
    makeup_h : float
        Hours in which deferred heat is made up for, > 0.
    step_h : float
        Length of a step [h].

    Raises
    ------
    InputErrors
        For shapes that differ, caps that are negative or no numbers, and a time to make up that is not above 0.
    """
    _check(heat_kw, hp_kw, heat_cap, makeup_h)
    makeup_steps = max(1, int(np.ceil(makeup_h / step_h - 1e-9)))
    given, owed = heat_kw.copy(), HeatOwed.none(len(hp_kw))
    deferred, most, waiting = np.zeros((3, len(hp_kw)))
    capped = np.flatnonzero(heat_cap < 1)
    step = int(capped[0]) if len(capped) else len(heat_kw)
    while step < len(heat_kw):
        given[step], owed = serve_heat(heat_kw[step], hp_kw, float(heat_cap[step]), owed, makeup_steps, step_h)
        deferred += np.maximum(heat_kw[step] - given[step], 0.0) * step_h
        np.maximum(most, owed.kwh, out=most)
        waiting += owed.kwh * step_h
        step += 1
        if not owed.kwh.any():  # nothing changes before the next cap
            coming = np.searchsorted(capped, step)
            step = int(capped[coming]) if coming < len(capped) else len(heat_kw)
    delay_h = np.divide(waiting, deferred, out=np.zeros_like(waiting), where=deferred > 0)
    return HeatShift(given, owed.kwh, deferred, most, delay_h)


def _check(heat_kw: Array, hp_kw: Array, heat_cap: Array, makeup_h: float) -> None:
    problems = []
    if heat_kw.shape != (*heat_cap.shape, *hp_kw.shape):
        allowed = f"that of heat_cap and hp_kw, {(*heat_cap.shape, *hp_kw.shape)}"
        problems.append(InputError("heat shift", "heat_kw", heat_kw.shape, allowed))
    if not (heat_cap >= 0).all():
        problems.append(InputError("heat shift", "heat_cap", float(np.min(heat_cap)), "0 or more"))
    if not 0 < makeup_h < np.inf:
        problems.append(InputError("heat shift", "makeup_h", makeup_h, "a finite number above 0"))
    if problems:
        raise InputErrors(problems)
