"""A room with a heat pump: one heat capacity behind one resistance, heated or cooled to a temperature wanted.

With the outdoor temperature and the heat pump's power constant over a step of h hours, ``C dT/dt = (T_out - T) / R
+ s COP P`` has the solution::

    T' = theta T + (1 - theta) (T_out + s R COP P),      theta = exp(-h / (R C))

with s = 1 where the heat pump heats and -1 where it cools. It heats when it is colder outside than the set-point, and
cools otherwise. Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity",
DER modeling, heat pumps. It is no approximation: steps of any length agree.

All powers are of one heat pump, electric and >= 0. Arrays of shape (N,) hold one room a row; courses have (T, N).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

__all__ = ["Rooms", "heats"]

Array = npt.NDArray[np.float64]


def heats(t_out_c: Array | float, set_point_c: Array) -> Array:
    """1 where heat pumps heat, -1 where they cool; shapes as they broadcast."""
    return np.where(t_out_c < set_point_c, 1.0, -1.0)


@dataclass(frozen=True)
class Rooms:
    """N rooms with a heat pump each: arrays of shape (N,).

    Attributes
    ----------
    unit_kw : array
        Rating of the heat pump [kW electric].
    cop : array
        Heat (or cold) per electric energy, > 0.
    r_k_per_kw, c_kwh_per_k : array
        Thermal resistance to the outside and heat capacity, > 0.
    set_point_c : array
        Temperature wanted.
    ramp : array
        Largest change of the power from step to step, as a share of the rating; inf for none.
    """

    unit_kw: Array
    cop: Array
    r_k_per_kw: Array
    c_kwh_per_k: Array
    set_point_c: Array
    ramp: Array

    def rows(self, which: npt.NDArray[np.int64]) -> Rooms:
        """Some of the rooms."""
        return Rooms(*(getattr(self, column.name)[which] for column in fields(self)))

    def theta(self, step_h: float) -> Array:
        """What a step leaves of a difference to the outside, shape (N,)."""
        found: Array = np.exp(-step_h / (self.r_k_per_kw * self.c_kwh_per_k))
        return found

    def after(self, room_c: Array, p_kw: Array, t_out_c: Array | float, step_h: float) -> Array:
        """Temperatures at the end of a step from those at its beginning, shape (N,) [C]."""
        theta = self.theta(step_h)
        found: Array = theta * room_c + (1.0 - theta) * self._settles_c(p_kw, t_out_c)
        return found

    def course(self, room_c: Array, p_kw: Array, t_out_c: Array, step_h: float) -> Array:
        """Temperatures at the end of each of T steps.

        Parameters
        ----------
        room_c : array, shape (N,)
            At the beginning of the first.
        p_kw : array, shape (T, N)
            Power of one heat pump.
        t_out_c : array, shape (T,)

        Returns
        -------
        array, shape (T, N)
        """
        found = np.empty(p_kw.shape)
        for step, (power, outside) in enumerate(zip(p_kw, t_out_c, strict=True)):
            room_c = found[step] = self.after(room_c, power, float(outside), step_h)
        return found

    def loss_kwh(self, room_c: Array, p_kw: Array, t_out_c: Array | float, step_h: float) -> Array:
        """Heat that leaves the rooms for the outside in a step, < 0 where it comes in; shape (N,) [kWh thermal].

        From the exact mean temperature of the step, so that ``C (T' - T) = s COP P h - loss`` closes.
        """
        settles = self._settles_c(p_kw, t_out_c)
        time_h = self.r_k_per_kw * self.c_kwh_per_k
        excess_k_h = (room_c - settles) * (1.0 - self.theta(step_h)) * time_h
        found: Array = ((settles - t_out_c) * step_h + excess_k_h) / self.r_k_per_kw
        return found

    def wanted_kw(self, room_c: Array, t_out_c: Array | float, step_h: float) -> Array:
        """Power that ends a step at the set-point, shape (N,); beyond the rating or below 0 where none would."""
        theta = self.theta(step_h)
        settles = (self.set_point_c - theta * room_c) / (1.0 - theta)
        found: Array = heats(t_out_c, self.set_point_c) * (settles - t_out_c) / (self.r_k_per_kw * self.cop)
        return found

    def thermostat(
        self, room_c: Array, t_out_c: Array, step_h: float, before_kw: Array | None = None
    ) -> tuple[Array, Array]:
        """Hold the set-point in each step as well as rating and ramp allow, without looking ahead.

        Parameters
        ----------
        room_c : array, shape (N,)
            Temperatures at the beginning.
        t_out_c : array, shape (T,) or (T, N)
        step_h : float
        before_kw : array, shape (N,), optional
            Power before the first step; its ramp is free where this is left out.

        Returns
        -------
        p_kw, room_c : array, shape (T, N)
            Power, and temperature at the end of each step.
        """
        p_kw, course = np.empty((2, len(t_out_c), len(self.unit_kw)))
        change_kw = self.ramp * self.unit_kw
        for step, outside in enumerate(t_out_c):
            power = np.clip(self.wanted_kw(room_c, outside, step_h), 0.0, self.unit_kw)
            if before_kw is not None:
                power = np.clip(power, before_kw - change_kw, before_kw + change_kw)
            room_c = self.after(room_c, power, outside, step_h)
            p_kw[step], course[step], before_kw = power, room_c, power
        return p_kw, course

    def _settles_c(self, p_kw: Array, t_out_c: Array | float) -> Array:
        """Temperature that a constant power tends to."""
        sign = heats(t_out_c, self.set_point_c)
        found: Array = t_out_c + sign * self.r_k_per_kw * self.cop * p_kw
        return found
