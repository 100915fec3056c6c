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
        p = self._population
        assets = p.assets
        charged_kwh = np.maximum(p.p_battery_kw, 0.0) * step_h
        discharged_kwh = np.minimum(p.p_battery_kw, 0.0) * step_h
        self._stored_kwh += charged_kwh * assets.efficiency_charge + discharged_kwh / assets.efficiency_discharge
        self._check("battery energy", p.energy_kwh - self._stored_kwh, minute)
        self._stored_kwh[:] = p.energy_kwh
        beyond_kwh = np.maximum(assets.energy_min_kwh - p.energy_kwh, p.energy_kwh - assets.energy_max_kwh)
        self._check("battery energy within its bounds", np.maximum(beyond_kwh, 0.0), minute)
        used = p.p_pv_kw - p.p_curtailed_kw
        self._check("PV power used", np.minimum(np.minimum(used, p.p_curtailed_kw), 0.0), minute)
        self._check("power at the meter", p.p_load_kw + p.p_flexible_kw + p.p_battery_kw - used - p.p_meter_kw, minute)
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
