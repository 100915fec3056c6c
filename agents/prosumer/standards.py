"""Inverter rules that grid codes set: curves of a nameplate's share over voltage, with voltages of their own.

IEEE 1547-2018 has reactive power follow a curve exactly, so that its range is one point; active power may be anything
up to what its volt-watt curve lets out. Both settings are the defaults of category B, which the standard names for
inverters.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer.rules import RULES, Ranges, VoltageBand

__all__ = ["VOLT_VAR", "VOLT_WATT", "ieee1547_b", "volt_var"]

Array = npt.NDArray[np.float64]

VOLT_VAR = np.array([[0.92, 0.98, 1.02, 1.08], [0.44, 0.0, 0.0, -0.44]])
"""Voltages [p.u.] and reactive power [share of the rating, > 0 injected]: IEEE 1547-2018, table 8, category B."""

VOLT_WATT = np.array([[1.06, 1.10], [1.0, 0.2]])
"""Voltages [p.u.] and the most active power [share of the rating]: IEEE 1547-2018, table 10, category B, P2 = 0.2."""


def volt_var(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:  # noqa: ARG001 - the curve has its own band
    """Reactive power by the volt-var curve, active power as the rating allows."""
    q_kvar = rating_kva * np.interp(vm_pu, *VOLT_VAR)
    return Ranges(-rating_kva, rating_kva, q_kvar, q_kvar)


def ieee1547_b(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """IEEE 1547-2018, category B defaults: volt-var to 44 % from 0.92 to 1.08 p.u., volt-watt from 1.06 p.u. on.

    The voltages are the standard's: those of `band` are not looked at.
    """
    by_var = volt_var(vm_pu, rating_kva, band)
    return by_var._replace(p_lo_kw=-rating_kva * np.interp(vm_pu, *VOLT_WATT))


RULES["ieee1547-b"] = ieee1547_b
