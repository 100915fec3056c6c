"""Books that must close: energy and money, checked in every run and not only in tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer import Population
from feeders.errors import CosimError

__all__ = ["Ledger", "LedgerError"]

Array = npt.NDArray[np.float64]

TOLERANCE = 1e-9  # kWh, kW and currency; rounding of double precision over years stays far below


_ACCOUNTS = (
    "battery power within its ramps",
    "battery energy",
    "battery energy within its bounds",
    "PV power used",
    "inverter within its rating",
    "power at the meter",
)


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
        self._gaps: Array = np.zeros((len(_ACCOUNTS), n))
        self._import_kwh, self._export_kwh, self._cost_at_start = np.zeros(n), np.zeros(n), np.zeros(n)

    def book(self, minute: int, step_h: float) -> None:
        """Book one control step and check energy.

        Raises
        ------
        LedgerError
        """
        self._book_battery(step_h)
        self._book_meter(step_h)
        self._check(_ACCOUNTS, self._gaps, minute)

    def _book_battery(self, step_h: float) -> None:
        p, assets, gaps = self._population, self._population.assets, self._gaps
        charging_kw = np.maximum(p.p_battery_kw, 0.0) * assets.efficiency_charge
        discharging_kw = np.maximum(-p.p_battery_kw, 0.0) / assets.efficiency_discharge
        np.maximum(charging_kw - assets.p_charge_max_kw, discharging_kw - assets.p_discharge_max_kw, out=gaps[0])
        self._stored_kwh += step_h * (charging_kw - discharging_kw)
        np.abs(p.energy_kwh - self._stored_kwh, out=gaps[1])
        self._stored_kwh[:] = p.energy_kwh
        np.maximum(assets.energy_min_kwh - p.energy_kwh, p.energy_kwh - assets.energy_max_kwh, out=gaps[2])

    def _book_meter(self, step_h: float) -> None:
        p, gaps = self._population, self._gaps
        used_kw = p.p_pv_kw - p.p_curtailed_kw
        np.maximum(-used_kw, -p.p_curtailed_kw, out=gaps[3])
        p_inverter_kw = p.p_battery_kw - used_kw
        np.subtract(np.hypot(p_inverter_kw, p.q_inverter_kvar), p.assets.inverter_kva, out=gaps[4])
        np.abs(p.p_load_kw + p.p_flexible_kw + p_inverter_kw - p.p_meter_kw, out=gaps[5])
        imported_kw = np.maximum(p.p_meter_kw, 0.0)
        exported_kw = imported_kw - p.p_meter_kw
        self._import_kwh += imported_kw * step_h
        self._export_kwh += exported_kw * step_h
        self.cost += step_h * (p.price_buy * imported_kw - p.price_sell * exported_kw)

    def close_market_step(self, minute: int) -> None:
        """Compare the money booked since the last call with the metered energy at this market step's prices."""
        p = self._population
        bill = p.price_buy * self._import_kwh - p.price_sell * self._export_kwh
        self._check(("money",), np.abs(self.cost - self._cost_at_start - bill)[None], minute)
        self._import_kwh[:] = 0.0
        self._export_kwh[:] = 0.0
        self._cost_at_start[:] = self.cost

    def _check(self, accounts: tuple[str, ...], gaps: Array, minute: int) -> None:
        """Whether no gap, shape (n_accounts, n), is above the tolerance or no number."""
        if gaps.size and not gaps.max() <= TOLERANCE:
            account, row = np.argwhere(~(gaps <= TOLERANCE))[0]
            raise LedgerError(accounts[account], self._population.assets.ids[row], minute, float(gaps[account, row]))
