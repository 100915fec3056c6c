"""All prosumers as columns: row n of every array is prosumer n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import IntFlag

import numpy as np
import numpy.typing as npt

from agents.prosumer.assets import Assets
from agents.prosumer.cars_and_rooms import CarRatings
from agents.prosumer.correction import RATINGS, correct, deliver
from agents.prosumer.devices import DEVICE_STATE, DeviceRatings, Devices
from agents.prosumer.permitted import Permitted
from agents.prosumer.pv_inverters import PvInverters
from agents.prosumer.rules import Ranges
from agents.prosumer.signals import Signals

__all__ = ["RECORDABLE", "RECORDED", "STATE", "Population", "Status"]

Array = npt.NDArray[np.float64]

RECORDED = (
    "vm_pu",
    "p_load_kw",
    "p_flexible_kw",
    "p_pv_kw",
    "p_curtailed_kw",
    "p_battery_kw",
    "energy_kwh",
    "p_meter_kw",
    "q_inverter_kvar",
    "price_buy",
    "price_sell",
    "status",
)
"""The columns of state that a record keeps by default, one float per prosumer each. Powers in kW (> 0 consumed; PV and
curtailed power are magnitudes), q_inverter in kvar (> 0 injected), prices in currency/kWh."""

RECORDABLE = (*RECORDED, *DEVICE_STATE)
"""The columns that a record may keep."""

STATE = (
    *RECORDED,
    "q_load_kvar",
    "p_battery_plan_kw",
    "flexible_owed_kwh",
    "n_plans_program",
    "n_plans_highs",
    *DEVICE_STATE,
)
"""All columns of state: also reactive load (> 0 consumed), the planned AC power of the battery, the energy that
flexible load should have drawn by the end of this market step less what it has drawn, and how many plans the dynamic
program and HiGHS have made."""


class Status(IntFlag):
    """What was out of the ordinary for a prosumer in a control step; 0 is nothing."""

    RANGE_MISSED = 1  # battery and PV together could not reach the range that the rule permits
    PLAN_KEPT = 2  # no plan could be made; the last one is followed
    NOT_SETTLED = 4  # voltages and powers had not settled when the iterations ran out
    LP_FALLBACK = 8  # the plan was left to HiGHS: the dynamic program does not take negative prices


class Population:
    """State of all prosumers, and what happens to all of them in a control step.

    Every name of `STATE` is an attribute: a float array of shape (n,), a view of one row of `state`,
    written in place and never replaced. `pv_inverters` are those of PV alone, `devices` chargers, heat pumps and stores
    that serve their own homes; None where nobody has any.
    """

    vm_pu: Array
    p_load_kw: Array
    p_flexible_kw: Array
    p_pv_kw: Array
    p_curtailed_kw: Array
    p_battery_kw: Array
    energy_kwh: Array
    p_meter_kw: Array
    q_inverter_kvar: Array
    price_buy: Array
    price_sell: Array
    status: Array
    q_load_kvar: Array
    p_battery_plan_kw: Array
    flexible_owed_kwh: Array
    n_plans_program: Array
    n_plans_highs: Array
    p_ev_kw: Array
    p_hp_kw: Array
    q_tes_kw: Array
    tes_kwh: Array
    ev_owed_kwh: Array
    heat_owed_kwh: Array
    ev_kwh: Array
    room_c: Array

    def __init__(self, assets: Assets) -> None:
        self.assets = assets
        self.state = np.zeros((len(STATE), len(assets)))
        for name, column in zip(STATE, self.state, strict=True):
            setattr(self, name, column)
        self.energy_kwh[:], self.tes_kwh[:] = assets.energy_start_kwh, assets.tes_start_kwh
        self.ev_kwh[:], self.room_c[:] = assets.ev_start_kwh, np.where(assets.has_room, assets.set_point_c, 0.0)
        self._ratings = assets.ratings
        self.obey(assets.rule)
        ratings = _device_ratings(assets)
        self.devices = Devices(ratings, dict(zip(STATE, self.state, strict=True))) if ratings.any else None
        self._missed = np.zeros(len(assets), dtype=bool)
        self._flagged = False

    def __len__(self) -> int:
        return len(self.assets)

    def obey(self, rule: Sequence[str]) -> None:
        """Let prosumers obey these rules, one by name for each of them, from now on.

        Raises
        ------
        InputError
            For a rule that there is not; all stays as it was.
        """
        assets = replace(self.assets, rule=list(rule))
        self._permitted = Permitted(assets.rule, assets.band, assets.inverter_kva)
        self.pv_inverters = _pv_inverters(assets)
        self.assets = assets

    def begin(self, signals: Signals, step: int, step_h: float) -> None:
        """Begin a market step: load, sun and prices of now; flexible load as by itself, battery idle until planned."""
        at = step - signals.first
        self.p_load_kw[:] = signals.p_load_kw[at]
        self.q_load_kvar[:] = signals.q_load_kvar[at]
        self.p_pv_kw[:] = signals.p_pv_kw[at]
        self.p_flexible_kw[:] = signals.p_flexible_kw[at]
        self.price_buy[:] = signals.price_buy[at]
        self.price_sell[:] = signals.price_sell[at]
        self.flexible_owed_kwh += step_h * self.p_flexible_kw
        self.p_battery_plan_kw[:] = 0.0
        if self.devices is not None:
            self.devices.begin(signals.devices, at, step, step_h)
        self.status[:] = 0.0
        self._flagged = False

    def ranges(self, vm_pu: Array) -> Ranges:
        """What each prosumer's rule permits at its voltage; arrays of shape (n,) that the next call overwrites.

        To the inverter that has the battery, where there are two.
        """
        return self._permitted.at(vm_pu)

    def regulate(self, vm_pu: Array, step_h: float) -> None:
        """Correct planned powers to what the rules permit at the measured voltages (shape (n,)).

        Sets battery, curtailed, inverter and meter powers of this control step. The battery's energy stays
        as it is until `deliver`, so that a step may be tried again at another voltage.
        """
        apart = self.pv_inverters
        any_missed = correct(
            self.p_battery_plan_kw,
            self.p_pv_kw if apart is None else apart.without(self.p_pv_kw),
            self.p_load_kw,
            self.p_flexible_kw,
            self.energy_kwh,
            *self.ranges(vm_pu),
            self._ratings,
            step_h,
            self.p_battery_kw,
            self.p_curtailed_kw,
            self.q_inverter_kvar,
            self.p_meter_kw,
            self._missed,
        )
        if apart is not None:
            together = self.p_curtailed_kw, self.q_inverter_kvar, self.p_meter_kw, self._missed
            any_missed |= apart.regulate(vm_pu, self.p_pv_kw, step_h, *together)
        if any_missed or self._flagged:
            self.flag(Status.RANGE_MISSED, self._missed)

    def meter(self) -> None:
        """Power at the meter: load, flexible load and battery less the PV that is not spilled."""
        np.add(self.p_load_kw, self.p_flexible_kw, out=self.p_meter_kw)
        self.p_meter_kw += self.p_battery_kw
        self.p_meter_kw -= self.p_pv_kw - self.p_curtailed_kw

    def deliver(self, step_h: float) -> None:
        """Let batteries and flexible loads run for one control step."""
        deliver(self.energy_kwh, self.flexible_owed_kwh, self.p_battery_kw, self.p_flexible_kw, self._ratings, step_h)

    def flag(self, status: Status, rows: npt.NDArray[np.bool_] | bool) -> None:
        """Set one status bit of some rows, and clear it of the others."""
        if not self._flagged and not np.any(rows):
            return
        self._flagged = True
        keep = self.status.astype(np.int64) & ~int(status)
        self.status[:] = keep | np.where(rows, int(status), 0)


def _device_ratings(assets: Assets) -> DeviceRatings:
    own = (assets.ev_kw, assets.hp_kw, assets.cop, assets.tes_kwh, assets.own_use)
    cars = CarRatings(assets.ev_kwh, assets.ev_efficiency)
    return DeviceRatings(*own, assets.ratings[: RATINGS.index("inverter_kva")], cars, assets.rooms)


def _pv_inverters(assets: Assets) -> PvInverters | None:
    """Those that PV does not share with the battery, if there are any."""
    rows = np.flatnonzero(~np.isnan(assets.pv_inverter_kva))
    if not len(rows):
        return None
    rule, band = [assets.rule[row] for row in rows], [assets.band[row] for row in rows]
    return PvInverters(rows, assets.pv_inverter_kva[rows], assets.ratings[-1, rows], rule, band)
