"""Books of chargers, heat pumps and hot-water stores: energy that must close, and how long homes waited for it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer import Population, Signals
from agents.prosumer.room import heats
from cosim.ledger import LedgerError

__all__ = ["FELT", "DeviceBooks"]

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-9  # kWh and kW, as in `cosim.ledger`

_WAITED = ("ev_asked_kwh", "ev_waited_kwh_h", "heat_deferred_kwh", "heat_waited_kwh_h", "heat_owed_max_kwh")
FELT = ("room_off_max_k", "room_beyond_k_h")
"""What is known of rooms alone."""


class DeviceBooks:
    """Keeps accounts beside a population's devices, market step by market step, from the signals and the powers alone.

    What cars and homes ask for is what they get and what they are owed more than before; what a heat pump draws becomes
    the heat of its home and of its store; a store holds what went in, loses nothing, and is emptied into its own home
    alone; the load is the sum of its parts.

    A car's battery holds what its charger gave less what it drove, a room what its heat pump gave less what it lost.

    Attributes
    ----------
    sums : array, shape (7, n)
        Energy that cars asked for; owed energy times time; heat that came later than asked for; owed heat times time;
        the most heat that was owed at the end of a step; how far a room was off its set-point at most, and by how much
        beyond its comfort band over time, at the ends of steps.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        p = population
        self._ev_owed_kwh, self._heat_owed_kwh = p.ev_owed_kwh.copy(), p.heat_owed_kwh.copy()
        self._tes_kwh, self._ev_kwh, self._room_c = p.tes_kwh.copy(), p.ev_kwh.copy(), p.room_c.copy()
        self._rows = np.flatnonzero(p.assets.has_room)
        self._rooms = p.assets.rooms.rows(self._rows)
        self.sums: Array = np.zeros((len(_WAITED) + len(FELT), len(p)))

    def state(self) -> Mapping[str, Array]:
        """All that the accounts go on from, by name; views."""
        owed = {"ev_owed_kwh": self._ev_owed_kwh, "heat_owed_kwh": self._heat_owed_kwh}
        own = {"ev_kwh": self._ev_kwh, "room_c": self._room_c}
        return {**owed, **own, "tes_kwh": self._tes_kwh, "sums": self.sums}

    def book(self, minute: int, signals: Signals, step: int, step_h: float) -> None:
        """Book a market step and check energy.

        Raises
        ------
        LedgerError
        """
        p, a, asked = self._population, self._population.assets, signals.devices
        at = step - signals.first
        asked_ev_kw = 0.0 if asked is None else asked.p_ev_kw[at]
        asked_heat_kw = 0.0 if asked is None else asked.p_hp_kw[at] * a.cop
        base_kw = signals.p_load_kw[at] if asked is None else asked.p_base_kw[at]
        heat_kw = p.p_hp_kw * a.cop - p.q_tes_kw
        asked_heat_kw = np.where(a.has_room, heat_kw, asked_heat_kw)  # a thermostat asks for what it gives
        none = np.zeros(len(p))
        accounts = {
            "energy of the car": self._ev_owed_kwh + (asked_ev_kw - p.p_ev_kw) * step_h - p.ev_owed_kwh,
            "heat of the home": self._heat_owed_kwh + (asked_heat_kw - heat_kw) * step_h - p.heat_owed_kwh,
            "heat in the store": self._tes_kwh + p.q_tes_kw * step_h - p.tes_kwh,
            "heat owed, and energy of the car, from 0 up": np.minimum(np.minimum(p.ev_owed_kwh, p.heat_owed_kwh), 0.0),
            "charger within its rating": np.maximum(np.maximum(p.p_ev_kw - a.ev_kw, -p.p_ev_kw), 0.0),
            "heat pump at 0 or more": np.minimum(p.p_hp_kw, 0.0),
            "store charged by the heat pump within its rating": np.where(p.q_tes_kw > 0, p.p_hp_kw - a.hp_kw, none),
            "store emptied into its own home": np.maximum(-p.q_tes_kw - heat_kw, 0.0),
            "heat in the store within its bounds": p.tes_kwh - np.clip(p.tes_kwh, 0.0, a.tes_kwh),
            "energy in the car": self._car_gap_kwh(signals, at, step_h),
            "heat in the room": self._room_gap_kwh(signals, at, step_h),
            "energy in the car at most its battery": np.maximum(p.ev_kwh - a.ev_kwh, 0.0),
            "load and its parts": p.p_load_kw - base_kw - p.p_ev_kw - p.p_hp_kw,
        }
        for what, gap in accounts.items():
            beyond = np.maximum(gap, 0.0) if what.startswith("store charged") else np.abs(gap)
            if not (beyond <= TOLERANCE).all():  # written so that NaN does not pass
                row = int(np.argmax(~(beyond <= TOLERANCE)))
                raise LedgerError(what, a.ids[row], minute, float(gap[row]))
        self._wait(asked_ev_kw, np.maximum(asked_heat_kw - heat_kw, 0.0), step_h)

    def _car_gap_kwh(self, signals: Signals, at: int, step_h: float) -> Array:
        p, a, asked = self._population, self._population.assets, signals.devices
        driven_kwh = 0.0 if asked is None or asked.driven_kwh is None else asked.driven_kwh[at]
        expected = self._ev_kwh + p.p_ev_kw * a.ev_efficiency * step_h - driven_kwh
        gap: Array = np.where(a.ev_kwh > 0, expected, 0.0) - p.ev_kwh
        return gap

    def _room_gap_kwh(self, signals: Signals, at: int, step_h: float) -> Array:
        p, rows, asked, gap = self._population, self._rows, signals.devices, np.zeros(len(self._population))
        if asked is None or asked.t_out_c is None or not len(rows):
            return gap
        rooms, outside, p_kw, before = self._rooms, asked.t_out_c[at, rows], p.p_hp_kw[rows], self._room_c[rows]
        given_kwh = heats(outside, rooms.set_point_c) * rooms.cop * p_kw * step_h
        kept_kwh = rooms.c_kwh_per_k * (p.room_c[rows] - before)
        gap[rows] = given_kwh - rooms.loss_kwh(before, p_kw, outside, step_h) - kept_kwh
        return gap

    def comfort(self) -> pd.DataFrame:
        """How long homes waited up to now, a home a row, by name.

        Returns
        -------
        DataFrame
            ``ev_owed_kwh``, what the car still waits for; ``ev_delay_h``, how much later than its profile a kWh was
            charged, mean over all it asked for; ``heat_deferred_kwh``, heat that came later; ``heat_delay_h``, how much
            later, mean over that; ``heat_owed_max_kwh``, the most that was owed at the end of a market step. Heat owed
            over the home's heat capacity is how far it may have cooled down meanwhile. Where anybody has a room also
            ``room_off_max_k``, how far it was off its set-point at most, and ``room_beyond_k_h``, how far beyond its
            comfort band and for how long; 0 for who has none. A car with a battery waits for what its charger was
            capped by.
        """
        asked, ev_waited, deferred, heat_waited, most, *felt = self.sums
        found = {
            "ev_owed_kwh": self._ev_owed_kwh,
            "ev_delay_h": np.divide(ev_waited, asked, out=np.zeros_like(asked), where=asked > 0),
            "heat_deferred_kwh": deferred,
            "heat_delay_h": np.divide(heat_waited, deferred, out=np.zeros_like(deferred), where=deferred > 0),
            "heat_owed_max_kwh": most,
        }
        if len(self._rows):
            found |= dict(zip(FELT, felt, strict=True))
        names = pd.Index(self._population.assets.ids, name="prosumer")
        return pd.DataFrame({name: values.copy() for name, values in found.items()}, index=names)

    def _wait(self, asked_ev_kw: Array | float, deferred_kw: Array, step_h: float) -> None:
        """Add up what is waited for; energy owed at the end of a step waits for the whole next one."""
        p = self._population
        self.sums[0] += np.asarray(asked_ev_kw) * step_h
        self.sums[1] += p.ev_owed_kwh * step_h
        self.sums[2] += deferred_kw * step_h
        self.sums[3] += p.heat_owed_kwh * step_h
        np.maximum(self.sums[4], p.heat_owed_kwh, out=self.sums[4])
        rows, comfort_k = self._rows, p.assets.comfort_k[self._rows]
        off_k = np.abs(p.room_c[rows] - p.assets.set_point_c[rows])
        self.sums[5, rows] = np.maximum(self.sums[5, rows], off_k)
        self.sums[6, rows] += np.maximum(off_k - comfort_k, 0.0) * step_h
        self._ev_owed_kwh[:], self._heat_owed_kwh[:] = p.ev_owed_kwh, p.heat_owed_kwh
        self._tes_kwh[:], self._ev_kwh[:], self._room_c[:] = p.tes_kwh, p.ev_kwh, p.room_c
