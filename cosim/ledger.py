"""Books that must close: energy and money, checked in every run and not only in tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer import Population
from feeders.errors import CosimError

__all__ = ["Ledger", "LedgerError"]

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-9  # kWh, kW and currency; rounding of double precision over years stays far below


class LedgerError(CosimError):
    """Energy or money that came from nowhere: a fault of the program or of a user's own agent."""

    def __init__(self, what: str, prosumer: str, minute: int, gap: float) -> None:
        self.what, self.prosumer, self.minute, self.gap = what, prosumer, minute, gap
        super().__init__(f"{what} of prosumer {prosumer!r} does not close at control step {minute}: gap {gap:.3g}")


class Ledger:
    """Keeps accounts beside the simulation, from the powers alone, and compares.

    Battery energy is held against what went in and out at the AC side, power at the meter against its parts,
    and money, booked each control step, against the metered energy of the market step at its price.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._stored_kwh = population.energy_kwh.copy()
        n = len(population)
        self.cost: Array = np.zeros(n)
        self._import_kwh, self._export_kwh, self._cost_at_start = np.zeros(n), np.zeros(n), np.zeros(n)

    def book(self, minute: int, step_h: float) -> None:
        """Book one control step and check energy.

        Raises
        ------
        LedgerError
        """
        self._book_battery(minute, step_h)
        p_inverter_kw = self._check_inverter(minute)
        self._book_meter(minute, step_h, p_inverter_kw)

    def _book_battery(self, minute: int, step_h: float) -> None:
        p, assets = self._population, self._population.assets
        charging_kw = np.maximum(p.p_battery_kw, 0.0) * assets.efficiency_charge
        discharging_kw = np.maximum(-p.p_battery_kw, 0.0) / assets.efficiency_discharge
        too_fast = np.maximum(charging_kw - assets.p_charge_max_kw, discharging_kw - assets.p_discharge_max_kw)
        self._check("battery power within its ramps", np.maximum(too_fast, 0.0), minute)
        self._stored_kwh += step_h * (charging_kw - discharging_kw)
        self._check("battery energy", p.energy_kwh - self._stored_kwh, minute)
        self._stored_kwh[:] = p.energy_kwh
        beyond_kwh = np.maximum(assets.energy_min_kwh - p.energy_kwh, p.energy_kwh - assets.energy_max_kwh)
        self._check("battery energy within its bounds", np.maximum(beyond_kwh, 0.0), minute)

    def _check_inverter(self, minute: int) -> Array:
        """Its active power [kW, > 0 consumed]; PV only spilled or used, and power within the rating."""
        p = self._population
        used_kw = p.p_pv_kw - p.p_curtailed_kw
        self._check("PV power used", np.minimum(np.minimum(used_kw, p.p_curtailed_kw), 0.0), minute)
        p_inverter_kw: Array = p.p_battery_kw - used_kw
        apparent_kva = np.hypot(p_inverter_kw, p.q_inverter_kvar)
        self._check("inverter within its rating", np.maximum(apparent_kva - p.assets.inverter_kva, 0.0), minute)
        return p_inverter_kw

    def _book_meter(self, minute: int, step_h: float, p_inverter_kw: Array) -> None:
        p = self._population
        self._check("power at the meter", p.p_load_kw + p.p_flexible_kw + p_inverter_kw - p.p_meter_kw, minute)
        imported_kw = np.maximum(p.p_meter_kw, 0.0)
        exported_kw = imported_kw - p.p_meter_kw
        self._import_kwh += imported_kw * step_h
        self._export_kwh += exported_kw * step_h
        self.cost += step_h * (p.price_buy * imported_kw - p.price_sell * exported_kw)

    def close_market_step(self, minute: int) -> None:
        """Compare the money booked since the last call with the metered energy at this market step's prices."""
        p = self._population
        bill = p.price_buy * self._import_kwh - p.price_sell * self._export_kwh
        self._check("money", self.cost - self._cost_at_start - bill, minute)
        self._import_kwh[:] = 0.0
        self._export_kwh[:] = 0.0
        self._cost_at_start[:] = self.cost

    def _check(self, what: str, gap: Array, minute: int) -> None:
        if len(gap) and not np.abs(gap).max() <= TOLERANCE:  # also true of NaN
            row = int(np.argmax(np.where(np.isnan(gap), np.inf, np.abs(gap))))
            raise LedgerError(what, self._population.assets.ids[row], minute, float(gap[row]))
