"""Whether what cars and rooms want can be had at all, whatever the grid allows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from agents.prosumer.car import driven_kwh, hours_home
from agents.prosumer.fleet import Fleet, FleetInputs
from agents.prosumer.own_profiles import rooms_of
from agents.prosumer.room import Rooms, heats
from feeders.errors import InputError, InputErrors

__all__ = ["car_problems", "least_excess_k", "require_possible"]

Array = npt.NDArray[np.float64]

_ROUNDING_KWH = 1e-9
_ROUNDING_K = 1e-6


def require_possible(fleet: Fleet, inputs: FleetInputs) -> None:
    """Refuse cars and rooms that want what their charger or heat pump cannot give.

    A car has to be back at its target by each departure, so has to charge a day's driving at home, and may not be below
    its least energy on the road. A room has to stay within its comfort band, and end the day as it began it. Where
    several rows fail alike, each is named.

    Raises
    ------
    InputErrors
        Naming rows, and what they need and what is possible.
    """
    problems = car_problems(fleet, inputs.step_h, inputs.start_h) + _room_problems(fleet, inputs)
    if problems:
        raise InputErrors(problems)


def car_problems(fleet: Fleet, step_h: float, start_h: float = 0.0) -> list[InputError]:
    """What is wrong with cars that cannot be back at their target in time, or that run down on the road."""
    day = driven_kwh(fleet, int(np.ceil(24.0 / step_h - 1e-9)), step_h, start_h)
    needed = day.sum(axis=0)
    possible = hours_home(fleet, step_h, start_h) * fleet.ev_kw * fleet.ev_efficiency
    spare = (fleet.ev_soc_target - fleet.ev_soc_min) * fleet.ev_kwh
    problems = []
    for row in np.flatnonzero((fleet.ev_kw > 0) & (needed > possible + _ROUNDING_KWH)):
        window = f"between {_clock(fleet.ev_returns_h[row])} and {_clock(fleet.ev_leaves_h[row])}"
        reach = f"{needed[row]:.4g} kWh are needed a day, {possible[row]:.4g} possible {window}"
        allowed = f"a target within reach: {reach}"
        soc = float(fleet.ev_soc_target[row])
        problems.append(InputError("fleet", f"{fleet.names[row]}.ev_soc_target", soc, allowed))
    for row in np.flatnonzero((fleet.ev_kw > 0) & (needed > spare + _ROUNDING_KWH)):
        between = f"{spare[row]:.4g} kWh, {needed[row]:.4g} needed"
        allowed = f"a day's driving within what is between least and target: {between}"
        trip_h = float(fleet.ev_trip_h[row])
        problems.append(InputError("fleet", f"{fleet.names[row]}.ev_trip_h", trip_h, allowed))
    return problems


def _room_problems(fleet: Fleet, inputs: FleetInputs) -> list[InputError]:
    """By each kind of room once; where a thermostat holds the set-point all is well, else a linear program tells."""
    rooms, step_h = rooms_of(fleet), inputs.step_h
    _, course = rooms.thermostat(fleet.set_point_c, inputs.t_out_c, step_h)
    off = np.abs(course - fleet.set_point_c).max(axis=0, initial=0.0)
    doubtful = np.flatnonzero((fleet.hp_kw > 0) & (off > _ROUNDING_K))
    kinds = np.column_stack([getattr(fleet, name) for name in _ROOM])[doubtful]
    found: dict[bytes, tuple[float, float]] = {}
    problems = []
    for row, kind in zip(doubtful.tolist(), kinds, strict=True):
        key = kind.tobytes()
        if key not in found:
            one = rooms.rows(np.array([row]))
            band = float(fleet.comfort_k[row])
            found[key] = (
                least_excess_k(one, band, inputs.t_out_c, step_h, ramped=False),
                least_excess_k(one, band, inputs.t_out_c, step_h),
            )
        at_any, ramped = found[key]
        name, band = fleet.names[row], float(fleet.comfort_k[row])
        if at_any > _ROUNDING_K:
            allowed = f"a rating that keeps the room within {band:.4g} K: it is off by {at_any:.3g} K more at any power"
            problems.append(InputError("fleet", f"{name}.hp_unit_kw", float(fleet.hp_unit_kw[row]), allowed))
        elif ramped > _ROUNDING_K:
            allowed = f"a ramp that keeps the room within {band:.4g} K: it is off by {ramped:.3g} K more at any course"
            problems.append(InputError("fleet", f"{name}.hp_ramp", float(fleet.hp_ramp[row]), allowed))
    return problems


def least_excess_k(rooms: Rooms, comfort_k: float, t_out_c: Array, step_h: float, *, ramped: bool = True) -> float:
    """How far beyond its comfort band a room has to go at the worst step, 0 if it can stay inside.

    Parameters
    ----------
    rooms : Rooms
        One room, on a day among many alike: it ends at the temperature with which it began.
    comfort_k : float
    t_out_c : array, shape (T,)
    step_h : float
    ramped : bool
        Whether the ramp binds; the first step's power is free.

    Raises
    ------
    InputError
        Where that has no answer, for values that are not finite.
    """
    n_steps, unit_kw = len(t_out_c), float(rooms.unit_kw[0])
    course, idle_k = _course_k(rooms, t_out_c, step_h)
    excess = np.ones((n_steps, 1))
    rows = [np.hstack([course, -excess]), np.hstack([-course, -excess])]
    limits = [comfort_k - idle_k, comfort_k + idle_k]
    if ramped and n_steps > 1:
        change = np.hstack([np.diff(np.eye(n_steps), axis=0), np.zeros((n_steps - 1, 2))])
        rows += [change, -change]
        limits += [np.full(n_steps - 1, float(rooms.ramp[0]) * unit_kw)] * 2
    same = np.append(course[-1], 0.0)[None]
    same[0, -2] -= 1.0  # the end less the beginning
    cost, bounds = np.append(np.zeros(n_steps + 1), 1.0), [(0, unit_kw)] * n_steps + [(None, None), (0, None)]
    answer = linprog(cost, np.vstack(rows), np.concatenate(limits), same, -idle_k[-1:], bounds)
    if answer.status != 0:
        raise InputError("room", "comfort band", answer.message, "finite parameters and temperatures")
    return float(answer.x[-1])


def _course_k(rooms: Rooms, t_out_c: Array, step_h: float) -> tuple[Array, Array]:
    """Temperatures of one room less its set-point at the end of each step, as a matrix and a constant.

    The matrix, shape (T, T + 1), takes the power of each step and the difference to the set-point at the beginning.
    """
    n_steps, theta = len(t_out_c), float(rooms.theta(step_h)[0])
    sign = heats(t_out_c, rooms.set_point_c)
    step, cause = np.tril_indices(n_steps)
    matrix = np.zeros((n_steps, n_steps + 1))
    per_kw = (1.0 - theta) * float(rooms.r_k_per_kw[0] * rooms.cop[0])
    matrix[step, cause] = per_kw * theta ** (step - cause) * sign[cause]
    matrix[:, -1] = theta ** np.arange(1, n_steps + 1)
    idle_c = rooms.course(rooms.set_point_c, np.zeros((n_steps, 1)), t_out_c, step_h)[:, 0]
    return matrix, idle_c - rooms.set_point_c[0]


_ROOM = ("hp_unit_kw", "cop", "r_k_per_kw", "c_kwh_per_k", "set_point_c", "comfort_k", "hp_ramp")


def _clock(hour: float) -> str:
    return f"{int(hour):02d}:{round(hour % 1 * 60):02d}"
