"""What prosumers own and obey, as columns: row n of every array is prosumer n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from agents.prosumer.battery import Battery
from agents.prosumer.correction import RATINGS
from agents.prosumer.room import Rooms
from agents.prosumer.rules import VoltageBand

__all__ = ["Assets", "battery_of"]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Assets:
    """What each prosumer owns and obeys: arrays and lists of one length n.

    Attributes
    ----------
    ids : list of str
        Unique names.
    bus : list of int
        Bus index in the net.
    energy_min_kwh, energy_max_kwh, energy_start_kwh : array
        Battery energy: bounds, and at the start.
    p_charge_max_kw, p_discharge_max_kw : array
        Battery-side ramps, both >= 0.
    efficiency_charge, efficiency_discharge : array
        In (0, 1].
    inverter_kva : array
        Rating of the inverter that PV and battery share, or of the battery's where PV has one of its own.
    pf_min : array
        Worst-case power factor of the inverter, 0 for none.
    rule : list of str
        Name of the inverter rule each one obeys.
    band : list of VoltageBand
        Voltages where that rule acts.
    optimise : array of bool
        Whether it plans battery and flexible load at all.
    self_discharge_per_h : array, optional
        Share per hour that the energy above `energy_min_kwh` loses, in [0, 1); 0 where the column is left out.
    pv_inverter_kva : array, optional
        Rating of PV's own inverter; NaN where PV shares the battery's, as all do where the column is left out.
    ties : array of str, optional
        Which of equally cheap plans it follows, one of `agents.prosumer.ties.TIES`; "late" where left out.
    seed : array of int, optional
        Seed of its scenario, from which it draws together with its name; 0 where left out.
    ev_kw, hp_kw, cop, tes_kwh, tes_start_kwh : array, optional
        Rating of charger and heat pump [kW electric], heat per electric energy, hot-water storage and what is in it at
        the start [kWh thermal]; nobody has any where left out.
    own_use : array of bool, optional
        Whether battery and hot-water storage serve its own home instead of a plan; nobody's where left out.
    ev_kwh, ev_start_kwh, ev_efficiency : array, optional
        Battery of the car, what is in it at the start, and efficiency of charging; nobody's car has one where left out.
    room_r_k_per_kw, room_c_kwh_per_k, set_point_c, comfort_k, hp_ramp : array, optional
        Thermal resistance and capacitance of the room, temperature wanted, how far it may be off, and the largest
        change of the heat pump's power from market step to market step as a share of its rating; nobody has a room, a
        resistance of 0, where left out.
    """

    ids: list[str]
    bus: list[int]
    energy_min_kwh: Array
    energy_max_kwh: Array
    energy_start_kwh: Array
    p_charge_max_kw: Array
    p_discharge_max_kw: Array
    efficiency_charge: Array
    efficiency_discharge: Array
    inverter_kva: Array
    pf_min: Array
    rule: list[str]
    band: list[VoltageBand]
    optimise: npt.NDArray[np.bool_]
    self_discharge_per_h: Array = field(default_factory=lambda: np.zeros(0))
    pv_inverter_kva: Array = field(default_factory=lambda: np.zeros(0))
    ties: npt.NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, dtype=np.str_))
    seed: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    ev_kw: Array = field(default_factory=lambda: np.zeros(0))
    hp_kw: Array = field(default_factory=lambda: np.zeros(0))
    cop: Array = field(default_factory=lambda: np.zeros(0))
    tes_kwh: Array = field(default_factory=lambda: np.zeros(0))
    tes_start_kwh: Array = field(default_factory=lambda: np.zeros(0))
    own_use: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    ev_kwh: Array = field(default_factory=lambda: np.zeros(0))
    ev_start_kwh: Array = field(default_factory=lambda: np.zeros(0))
    ev_efficiency: Array = field(default_factory=lambda: np.zeros(0))
    room_r_k_per_kw: Array = field(default_factory=lambda: np.zeros(0))
    room_c_kwh_per_k: Array = field(default_factory=lambda: np.zeros(0))
    set_point_c: Array = field(default_factory=lambda: np.zeros(0))
    comfort_k: Array = field(default_factory=lambda: np.zeros(0))
    hp_ramp: Array = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        left_out = {"self_discharge_per_h": 0.0, "pv_inverter_kva": np.nan, "ties": "late", "seed": 0, "cop": 1.0}
        left_out |= {"ev_kw": 0.0, "hp_kw": 0.0, "tes_kwh": 0.0, "tes_start_kwh": 0.0, "own_use": False}
        left_out |= {"ev_kwh": 0.0, "ev_start_kwh": 0.0, "ev_efficiency": 1.0, "room_r_k_per_kw": 0.0}
        left_out |= {"room_c_kwh_per_k": 1.0, "set_point_c": 0.0, "comfort_k": 0.0, "hp_ramp": 1.0}
        for name, usual in left_out.items():
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(len(self.ids), usual))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def ratings(self) -> Array:
        """The table that `agents.prosumer.correction` takes, shape (len(RATINGS), n)."""
        free = self.pf_min == 0
        q_per_p = np.where(free, np.inf, np.tan(np.arccos(self.pf_min)))
        table = np.array([*(getattr(self, name) for name in RATINGS[:-1]), q_per_p], dtype=np.float64)
        table.flags.writeable = False  # no state: nothing changes it in a run, and no checkpoint keeps it
        return table

    @property
    def pv_rating_kva(self) -> Array:
        """Rating of the inverter that PV is behind, its own or the shared one, shape (n,)."""
        return np.where(np.isnan(self.pv_inverter_kva), self.inverter_kva, self.pv_inverter_kva)

    @property
    def rooms(self) -> Rooms:
        """Rooms and their heat pumps; a resistance of 0 where there is none."""
        thermal = self.room_r_k_per_kw, self.room_c_kwh_per_k, self.set_point_c, self.hp_ramp
        return Rooms(self.hp_kw, self.cop, *thermal)

    @property
    def has_room(self) -> npt.NDArray[np.bool_]:
        """Who has a room, shape (n,)."""
        return self.room_r_k_per_kw > 0

    @classmethod
    def joined(cls, parts: Sequence[Assets]) -> Assets:
        """The rows of several populations, one after the other."""
        columns: dict[str, Any] = {}
        for name in (column.name for column in fields(cls)):
            values = [getattr(part, name) for part in parts]
            columns[name] = list(chain(*values)) if isinstance(values[0], list) else np.concatenate(values)
        return cls(**columns)


def battery_of(assets: Assets, row: int) -> Battery:
    """The battery of one prosumer."""
    return Battery(**{field.name: float(getattr(assets, field.name)[row]) for field in fields(Battery)})
