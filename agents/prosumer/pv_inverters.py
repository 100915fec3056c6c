"""Inverters that PV has for itself, beside one for the battery.

The published house shares one inverter between PV and battery. Two separate ones are two of the same kind, each
under its rule and its rating: one that has a battery and no sun, one that has sun and no battery. So both are
corrected by the formulas of the shared one (`agents.prosumer.correction`), and their powers add up at the meter::

    battery's:  p = s           target = clip(s0, max(P_lo(S_b), -S_b), min(P_hi(S_b), S_b))
    PV's:       p = -(r - c)    c = max(0, r + max(P_lo(S_r), -S_r)),  at most r

What the sun gives beyond what its own inverter may pass is spilled: it does not reach the battery.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from agents.prosumer.correction import RATINGS, correct
from agents.prosumer.permitted import Permitted
from agents.prosumer.rules import VoltageBand

__all__ = ["PvInverters"]

Array = npt.NDArray[np.float64]


class PvInverters:
    """The PV inverters of those prosumers of a population who have one.

    Parameters
    ----------
    rows : array of int, shape (k,)
        Who has one.
    rating_kva : array, shape (k,)
        Ratings.
    q_per_p : array, shape (k,)
        tan(acos(pf_min)), infinite where no worst-case power factor is set.
    rule, band : sequence
        The rule that each obeys, and where it acts.

    Attributes
    ----------
    q_kvar : array, shape (k,)
        Reactive power of the control step, > 0 injected.
    """

    def __init__(
        self,
        rows: npt.NDArray[np.int64],
        rating_kva: Array,
        q_per_p: Array,
        rule: Sequence[str],
        band: Sequence[VoltageBand],
    ) -> None:
        k = len(rows)
        self.rows, self.rating_kva = rows, rating_kva
        self.q_kvar: Array = np.zeros(k)
        self._permitted = Permitted(rule, band, rating_kva)
        empty = {**dict.fromkeys(RATINGS, np.zeros(k)), "efficiency_charge": np.ones(k)}
        empty |= {"efficiency_discharge": np.ones(k), "inverter_kva": rating_kva, "q_per_p": q_per_p}
        self._ratings = np.array([empty[name] for name in RATINGS])
        self._nothing = np.zeros(k)
        self._p_battery_kw, self._p_curtailed_kw, self._p_meter_kw = np.zeros((3, k))
        self._missed = np.zeros(k, dtype=bool)

    def without(self, p_pv_kw: Array) -> Array:
        """PV power of all prosumers [kW] that is behind an inverter shared with the battery, shape (n,)."""
        shared = p_pv_kw.copy()
        shared[self.rows] = 0.0
        return shared

    def regulate(
        self,
        vm_pu: Array,
        p_pv_kw: Array,
        step_h: float,
        p_curtailed_kw: Array,
        q_inverter_kvar: Array,
        p_meter_kw: Array,
        missed: npt.NDArray[np.bool_],
    ) -> bool:
        """Correct them for a control step and add them to the last four arrays; whether one missed its range.

        All arrays have shape (n,): those of the whole population, corrected without this PV.
        """
        rows = self.rows
        any_missed: bool = correct(
            self._nothing,
            p_pv_kw[rows],
            self._nothing,
            self._nothing,
            self._nothing,
            *self._permitted.at(vm_pu[rows]),
            self._ratings,
            step_h,
            self._p_battery_kw,
            self._p_curtailed_kw,
            self.q_kvar,
            self._p_meter_kw,
            self._missed,
        )
        p_curtailed_kw[rows] = self._p_curtailed_kw
        q_inverter_kvar[rows] += self.q_kvar
        p_meter_kw[rows] += self._p_meter_kw
        missed[rows] |= self._missed
        return any_missed
