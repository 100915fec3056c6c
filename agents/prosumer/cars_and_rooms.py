"""Cars with a battery of their own and homes with a temperature, in a population that lives through time.

A car charges what it asks for as far as it stands at home and a cap lets it; what it drives is taken from its battery.
A heat pump with a room is its thermostat: in each market step the power that ends it at the set-point, within rating,
ramp and cap. So a capped room needs nothing made up for: it is colder, and its thermostat sees that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.prosumer.car import car_after
from agents.prosumer.room import Rooms

__all__ = ["CarRatings", "CarsAndRooms"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class CarRatings:
    """Batteries of n cars, arrays of shape (n,): energy [kWh], 0 for none, and efficiency of charging."""

    kwh: Array
    efficiency: Array


class CarsAndRooms:
    """Those of a population of n prosumers, of whom not everybody has any.

    Parameters
    ----------
    cars : CarRatings
    rooms : Rooms
        Of all prosumers; who has no room has a resistance of 0.
    columns : mapping of str to array
        The population's columns of state, written in place.
    """

    def __init__(self, cars: CarRatings, rooms: Rooms, columns: Mapping[str, Array]) -> None:
        self._columns = columns
        self._car_rows, self._room_rows = np.flatnonzero(cars.kwh > 0), np.flatnonzero(rooms.r_k_per_kw > 0)
        self._efficiency = cars.efficiency[self._car_rows]
        self._rooms = rooms.rows(self._room_rows)

    def drive(self, driven_kwh: Array, step_h: float) -> None:
        """Put what chargers give in a market step into the cars' batteries, and take out what they drive, shape (n,).

        Driving goes on where a battery would be empty, which only a cap can do: below 0 is what it had to charge
        elsewhere.
        """
        rows, c = self._car_rows, self._columns
        given = c["p_ev_kw"][rows], np.zeros(len(rows)), driven_kwh[rows], self._efficiency, step_h
        c["ev_kwh"][rows] = car_after(c["ev_kwh"][rows], *given)

    def thermostats(self, heat_kw: Array, t_out_c: Array, heat_cap: Array, first: bool, step_h: float) -> None:
        """Put into `heat_kw` what rooms get in a market step, and let their temperatures become what they then are.

        Parameters
        ----------
        heat_kw : array, shape (n,)
            Heat, or cold, that homes get [kW thermal]; those with a room are changed.
        t_out_c : array, shape (n,)
            Outdoor temperature.
        heat_cap : array, shape (n,)
            The most as a share of the rating; a cap goes before a ramp.
        first : bool
            Whether no step was before: there is no ramp then.
        step_h : float
        """
        rows, c, rooms = self._room_rows, self._columns, self._rooms
        if not len(rows):
            return
        room_c, outside = c["room_c"][rows], t_out_c[rows]
        power, _ = rooms.thermostat(room_c, outside[None], step_h, None if first else c["p_hp_kw"][rows])
        p_kw = np.minimum(power[0], heat_cap[rows] * rooms.unit_kw)
        c["room_c"][rows] = rooms.after(room_c, p_kw, outside, step_h)
        heat_kw[rows] = p_kw * rooms.cop
