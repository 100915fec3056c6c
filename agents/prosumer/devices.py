"""Chargers, heat pumps and hot-water stores of a population, and batteries that serve their own homes.

In each market step, before anybody plans, cars are charged and homes are heated as far as the operator's caps let them:
what cannot be served is owed (`agents.prosumer.charging`, `agents.prosumer.heat_shift`). Once all plans of the step are
made, the stores of those with the strategy "self-consumption" are put to use in closed form
(`agents.prosumer.store_priority`): thermal stores through the heat pump at once, batteries as the plan that the
inverter rule then corrects, control step by control step. Power of charger and heat pump is part of the load, so that
rules, ledgers and records need not know of them.

A car stands at its charger until it has what its profile asks for, or has a battery and is away at times; a heat pump
follows its profile, or holds a room at its set-point (`agents.prosumer.cars_and_rooms`). Reactive power is that of the
other load alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from agents.prosumer.cars_and_rooms import CarRatings, CarsAndRooms
from agents.prosumer.charging import charge_step
from agents.prosumer.heat_shift import HeatOwed, serve_heat
from agents.prosumer.room import Rooms
from agents.prosumer.storage import reachable_power
from agents.prosumer.store_priority import BATTERY, BATTERY_IN, BATTERY_OUT, TES, decide, fill_room

if TYPE_CHECKING:
    from agents.dso.relief import Directives

__all__ = ["DEVICE_STATE", "Asking", "DeviceRatings", "DeviceSignals", "Devices"]

Array = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

DEVICE_STATE = ("p_ev_kw", "p_hp_kw", "q_tes_kw", "tes_kwh", "ev_owed_kwh", "heat_owed_kwh", "ev_kwh", "room_c")
"""Columns of state: power of charger and heat pump [kW, part of the load]; heat into the hot-water store [kW thermal,
> 0 charging], and in it at the end of the market step [kWh thermal]; energy that the car, and heat [kWh thermal] that
the home waits for; energy in the car's battery, and temperature of the room [C], both at the end of the market step.
0 where a prosumer has no such thing."""


@dataclass(frozen=True)
class DeviceRatings:
    """What n prosumers own, arrays of shape (n,).

    Attributes
    ----------
    ev_kw, hp_kw : array
        Ratings of charger and heat pump [kW electric].
    cop : array
        Heat per electric energy of the heat pump, > 0.
    tes_kwh : array
        Hot-water storage [kWh thermal].
    own_use : array of bool
        Whose stores serve their own home.
    battery : array, shape (7, n)
        The first rows of `agents.prosumer.correction.RATINGS`: those of the battery.
    cars : CarRatings
        Cars that have a battery here, and do not only ask for what a profile says.
    rooms : Rooms
        Homes whose heat pump is a thermostat's, and does not only give what a profile says.
    """

    ev_kw: Array
    hp_kw: Array
    cop: Array
    tes_kwh: Array
    own_use: npt.NDArray[np.bool_]
    battery: Array
    cars: CarRatings
    rooms: Rooms

    @property
    def any(self) -> bool:
        """Whether anybody owns or does anything of it."""
        return bool(self.own_use.any() or any(column.any() for column in (self.ev_kw, self.hp_kw, self.tes_kwh)))


@dataclass(frozen=True)
class DeviceSignals:
    """What reaches the devices of n prosumers over T market steps, arrays of shape (T, n).

    Attributes
    ----------
    p_base_kw : array
        Inelastic load but for charger and heat pump.
    p_ev_kw, p_hp_kw : array
        What chargers and heat pumps draw where nothing is capped and nothing stored.
    away : array of bool, optional
        Whose car is on the road; None where all always stand at their chargers.
    driven_kwh : array, optional
        What driving takes; None where nobody's car has a battery here.
    t_out_c : array, optional
        Outdoor temperature; None where nobody has a room.
    """

    p_base_kw: Array
    p_ev_kw: Array
    p_hp_kw: Array
    away: npt.NDArray[np.bool_] | None = None
    driven_kwh: Array | None = None
    t_out_c: Array | None = None


@dataclass(frozen=True)
class Asking:
    """What an operator asks of some prosumers in the market steps of a day.

    Attributes
    ----------
    rows : slice
        Who is behind the same head transformer.
    first : int
        Market step of the run with which the columns of the directives begin.
    directives : Directives
    makeup_steps : int
        Steps over which deferred heat is made up for.
    background_kw : float
        Load behind the transformer that is nobody's of these.
    """

    rows: slice
    first: int
    directives: Directives
    makeup_steps: int
    background_kw: float = 0.0

    def at(self, step: int) -> tuple[float, float, bool, float, bool] | None:
        """Cap of chargers and of heat, charging from the grid, up to which load, holding; None on another day."""
        place, asked = step - self.first, self.directives
        if not 0 <= place < len(asked.heat_cap):
            return None
        return (
            float(asked.ev_cap_kw[place]),
            float(asked.heat_cap[place]),
            bool(asked.charge_from_grid[place]),
            float(asked.station_cap_kw[place]),
            bool(asked.hold[place]),
        )


_FREE = (np.inf, 1.0, False, np.inf, False)


class Devices:
    """The devices of all prosumers of a population, of whom not everybody has any.

    Parameters
    ----------
    ratings : DeviceRatings
    columns : mapping of str to array
        The population's columns of state by name, views of shape (n,) that are written in place.

    Attributes
    ----------
    heat_kw : array, shape (n,)
        Heat that the homes get in the market step that runs now [kW thermal].
    """

    def __init__(self, ratings: DeviceRatings, columns: Mapping[str, Array]) -> None:
        self.ratings, self._columns = ratings, columns
        n = len(ratings.cop)
        self.heat_kw: Array = np.zeros(n)
        self._share_kwh: Array = np.zeros(n)
        self._steps_left: Array = np.zeros(n)
        self._always = np.ones(n, dtype=bool)
        self._own = CarsAndRooms(ratings.cars, ratings.rooms, columns)
        self._asking: dict[int, Asking] = {}
        self._rows = np.flatnonzero(ratings.own_use)

    def ask(self, asking: Asking) -> None:
        """Let an operator ask from now on what it asks, in place of what it asked these rows before."""
        self._asking[asking.rows.start] = asking

    def state(self) -> dict[str, Array]:
        """What the steps to come depend on besides the population's columns, by name; views."""
        return {"share_kwh": self._share_kwh, "steps_left": self._steps_left}

    def begin(self, signals: DeviceSignals | None, at: int, step: int, step_h: float) -> None:
        """Charge cars and heat homes for a market step, row `at` of the signals; the load becomes what it then is."""
        if signals is None:
            return
        c, ratings = self._columns, self.ratings
        ev_cap_kw, heat_cap = np.full(len(self.heat_kw), np.inf), np.ones(len(self.heat_kw))
        for asking in self._asking.values():
            asked = asking.at(step) or _FREE
            ev_cap_kw[asking.rows], heat_cap[asking.rows] = asked[:2]
        asked_kwh = signals.p_ev_kw[at] * step_h
        plugged = self._always if signals.away is None else ~signals.away[at]
        c["p_ev_kw"][:] = charge_step(c["ev_owed_kwh"], asked_kwh, plugged, ratings.ev_kw, ev_cap_kw, step_h)
        if signals.driven_kwh is not None:
            self._own.drive(signals.driven_kwh[at], step_h)
        self.heat_kw[:] = signals.p_hp_kw[at] * ratings.cop
        if signals.t_out_c is not None:
            self._own.thermostats(self.heat_kw, signals.t_out_c[at], heat_cap, step == 0, step_h)
        for asking in self._asking.values():
            self._heat(asking, float(heat_cap[asking.rows.start]), step_h)
        np.divide(self.heat_kw, ratings.cop, out=c["p_hp_kw"])
        c["p_load_kw"][:] = signals.p_base_kw[at] + c["p_ev_kw"] + c["p_hp_kw"]

    def dispatch(self, step: int, step_h: float) -> None:
        """Put the stores of those to use who serve themselves, once all others have their plans for the step."""
        self._columns["q_tes_kw"][:] = 0.0
        if not len(self._rows):
            return
        free = self._always.copy()
        for asking in self._asking.values():
            free[asking.rows] = False
            asked = asking.at(step) or _FREE
            own = self._rows[(self._rows >= asking.rows.start) & (self._rows < asking.rows.stop)]
            cap_kw = asked[3] - self._others_kw(asking) if asked[2] else np.inf
            self._serve(own, step_h, asked[1], asked[2], cap_kw, asked[4])
        self._serve(self._rows[free[self._rows]], step_h, *_FREE[1:])

    def _heat(self, asking: Asking, heat_cap: float, step_h: float) -> None:
        """Cut the heat of a step to the cap, or make up for what was cut."""
        rows, owed_kwh = asking.rows, self._columns["heat_owed_kwh"]
        if heat_cap >= 1 and not owed_kwh[rows].any():
            return
        most_kw = self.ratings.hp_kw[rows] * self.ratings.cop[rows]
        owed = HeatOwed(owed_kwh[rows], self._share_kwh[rows], int(self._steps_left[rows.start]))
        self.heat_kw[rows], owed = serve_heat(self.heat_kw[rows], most_kw, heat_cap, owed, asking.makeup_steps, step_h)
        owed_kwh[rows], self._share_kwh[rows], self._steps_left[rows] = owed.kwh, owed.share_kwh, owed.steps_left

    def _others_kw(self, asking: Asking) -> float:
        """Load behind the transformer of those whose stores do not serve themselves, as planned."""
        others = ~self.ratings.own_use[asking.rows]
        return asking.background_kw + float((self._net_kw(asking.rows) + self._planned_kw(asking.rows))[others].sum())

    def _planned_kw(self, rows: slice) -> Array:
        return self._columns["p_battery_plan_kw"][rows]

    def _net_kw(self, rows: slice | Integers) -> Array:
        c = self._columns
        found: Array = c["p_load_kw"][rows] + c["p_flexible_kw"][rows] - c["p_pv_kw"][rows]
        return found

    def _serve(
        self, rows: Integers, step_h: float, heat_cap: float, charge_from_grid: bool, cap_kw: float, hold: bool
    ) -> None:
        """Decide for some rows, who share the cap on load."""
        if not len(rows):
            return
        c, ratings = self._columns, self.ratings
        cop, nothing = ratings.cop[rows], np.zeros(len(rows))
        room_kw, p_stores_kw = np.empty((4, len(rows))), np.empty((2, len(rows)))
        stores = nothing, c["tes_kwh"][rows], nothing, nothing, ratings.tes_kwh[rows], ratings.hp_kw[rows] * cop
        fill_room(*stores, self.heat_kw[rows], cop, heat_cap, step_h, room_kw)
        lowest, highest = reachable_power(c["energy_kwh"][rows], step_h, *ratings.battery[:, rows])
        room_kw[BATTERY_IN], room_kw[BATTERY_OUT] = highest, -lowest
        decide(self._net_kw(rows), room_kw, False, charge_from_grid, cap_kw, hold, p_stores_kw)
        q_tes_kw = p_stores_kw[TES] * cop
        c["p_battery_plan_kw"][rows] = p_stores_kw[BATTERY]
        c["q_tes_kw"][rows] = q_tes_kw
        c["tes_kwh"][rows] = np.clip(c["tes_kwh"][rows] + q_tes_kw * step_h, 0.0, ratings.tes_kwh[rows])
        c["p_hp_kw"][rows] += p_stores_kw[TES]
        c["p_load_kw"][rows] += p_stores_kw[TES]
