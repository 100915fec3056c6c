"""Books that must close: energy and money, checked in every run and not only in tests."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer import Population
from agents.prosumer.correction import RATINGS
from agents.prosumer.pv_inverters import PvInverters
from agents.prosumer.self_discharge import decay
from feeders.compiled import compiled
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
_INVERTER = RATINGS.index("inverter_kva")


class LedgerError(CosimError):
    """Energy or money that came from nowhere: a fault of the program or of a user's own agent."""

    def __init__(self, what: str, prosumer: str, minute: int, gap: float) -> None:
        self.what, self.prosumer, self.minute, self.gap = what, prosumer, minute, gap
        super().__init__(f"{what} of prosumer {prosumer!r} does not close at control step {minute}: gap {gap:.3g}")


class Ledger:
    """Keeps accounts beside the simulation, from the powers alone, and compares.

    Battery energy is held against what went in and out at the AC side and what is lost by self-discharge, power at the
    meter against its parts, and money, booked each control step, against the metered energy of the market step at its
    price.

    Attributes
    ----------
    cost : array, shape (n,)
        Cost of energy so far [currency].
    import_kwh, export_kwh : array, shape (n,)
        Metered energy of the market step so far.
    self_discharged_kwh : array, shape (n,)
        What each battery has lost by self-discharge up to now: what went into the store, less what came out of it and
        what is there more than at the start.
    """

    def __init__(self, population: Population) -> None:
        self._population = population
        self._ratings = population.assets.ratings
        if population.pv_inverters is not None:  # two have no more than the sum of their ratings; each is checked below
            self._ratings = self._ratings.copy()
            self._ratings[_INVERTER, population.pv_inverters.rows] += population.pv_inverters.rating_kva
        self._stored_kwh = population.energy_kwh.copy()
        n = len(population)
        self.cost: Array = np.zeros(n)
        self.import_kwh: Array = np.zeros(n)
        self.export_kwh: Array = np.zeros(n)
        self.self_discharged_kwh: Array = np.zeros(n)
        self._cost_at_start: Array = np.zeros(n)

    def book(self, minute: int, step_h: float) -> None:
        """Book one control step and check energy.

        Raises
        ------
        LedgerError
        """
        p = self._population
        account, row, gap = _book(
            p.p_battery_kw,
            p.energy_kwh,
            p.p_pv_kw,
            p.p_curtailed_kw,
            p.q_inverter_kvar,
            p.p_load_kw,
            p.p_flexible_kw,
            p.p_meter_kw,
            p.price_buy,
            p.price_sell,
            self._ratings,
            step_h,
            self._stored_kwh,
            self.import_kwh,
            self.export_kwh,
            self.cost,
            self.self_discharged_kwh,
        )
        if account >= 0:
            raise LedgerError(_ACCOUNTS[account], p.assets.ids[row], minute, gap)
        if p.pv_inverters is not None:
            self._check_separate(p.pv_inverters, minute)

    def close_market_step(self, minute: int) -> None:
        """Compare the money booked since the last call with the metered energy at this market step's prices."""
        p = self._population
        bill = p.price_buy * self.import_kwh - p.price_sell * self.export_kwh
        gap = np.abs(self.cost - self._cost_at_start - bill)
        if gap.size and not gap.max() <= TOLERANCE:
            row = int(np.argmax(~(gap <= TOLERANCE)))
            raise LedgerError("money", p.assets.ids[row], minute, float(gap[row]))
        self.import_kwh[:] = 0.0
        self.export_kwh[:] = 0.0
        self._cost_at_start[:] = self.cost

    def _check_separate(self, pv: PvInverters, minute: int) -> None:
        """Where PV has an inverter of its own, whether that and the battery's are each within their ratings."""
        p, rows = self._population, pv.rows
        used = p.p_pv_kw[rows] - p.p_curtailed_kw[rows]
        by_battery = np.hypot(p.p_battery_kw[rows], p.q_inverter_kvar[rows] - pv.q_kvar) - p.assets.inverter_kva[rows]
        gap = np.maximum(by_battery, np.hypot(used, pv.q_kvar) - pv.rating_kva)
        beyond = ~(gap <= TOLERANCE)
        if beyond.any():
            at = int(np.argmax(beyond))
            raise LedgerError(_ACCOUNTS[4], p.assets.ids[rows[at]], minute, float(gap[at]))


@compiled
def _book(
    p_battery_kw: Array,
    energy_kwh: Array,
    p_pv_kw: Array,
    p_curtailed_kw: Array,
    q_inverter_kvar: Array,
    p_load_kw: Array,
    p_flexible_kw: Array,
    p_meter_kw: Array,
    price_buy: Array,
    price_sell: Array,
    ratings: Array,
    step_h: float,
    stored_kwh: Array,
    import_kwh: Array,
    export_kwh: Array,
    cost: Array,
    self_discharged_kwh: Array,
) -> tuple[int, int, float]:
    """Book all rows into the last five arrays; the first account that does not close, its row and gap, or -1.

    `ratings` are those of `agents.prosumer.correction`.
    """
    known, lost, gain = 0.0, 0.0, step_h  # most batteries have the rate of the one before
    for i in range(len(cost)):
        lowest, highest, charge_max, discharge_max, eta_charge, eta_discharge, rate, rating, _ = ratings[:, i]
        if rate != known:
            known = rate
            lost, gain = decay(rate, step_h)
        charging = np.maximum(p_battery_kw[i], 0.0) * eta_charge
        discharging = np.maximum(-p_battery_kw[i], 0.0) / eta_discharge
        lost_at_rest = lost * (stored_kwh[i] - lowest)
        expected = stored_kwh[i] + gain * (charging - discharging) - lost_at_rest
        stored_kwh[i] = energy_kwh[i]
        self_discharged_kwh[i] += (step_h - gain) * (charging - discharging) + lost_at_rest
        used = p_pv_kw[i] - p_curtailed_kw[i]
        p_inverter = p_battery_kw[i] - used
        gaps = (
            np.maximum(charging - charge_max, discharging - discharge_max),
            abs(energy_kwh[i] - expected),
            np.maximum(lowest - energy_kwh[i], energy_kwh[i] - highest),
            np.maximum(-used, -p_curtailed_kw[i]),
            np.hypot(p_inverter, q_inverter_kvar[i]) - rating,
            abs(p_load_kw[i] + p_flexible_kw[i] + p_inverter - p_meter_kw[i]),
        )
        for account, gap in enumerate(gaps):
            if not gap <= TOLERANCE:  # written so that NaN does not pass
                return account, i, gap
        imported = np.maximum(p_meter_kw[i], 0.0)
        exported = imported - p_meter_kw[i]
        import_kwh[i] += imported * step_h
        export_kwh[i] += exported * step_h
        cost[i] += step_h * (price_buy[i] * imported - price_sell[i] * exported)
    return -1, -1, 0.0
