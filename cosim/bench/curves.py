"""IEEE 1547's volt-var and volt-watt curves as inverter rules, for comparison with programs that have them built in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt

from agents.prosumer import RULES, Ranges, Rule, VoltageBand, register_rule

__all__ = ["VOLT_VAR", "VOLT_WATT", "registered_curves", "volt_var", "volt_var_watt"]

Array = npt.NDArray[np.float64]

VOLT_VAR = np.array([[0.92, 0.98, 1.02, 1.08], [0.44, 0.0, 0.0, -0.44]])
"""Voltages [p.u.] and reactive power [share of the rating, > 0 injected]: IEEE 1547-2018, table 8, category B."""

VOLT_WATT = np.array([[1.06, 1.10], [1.0, 0.2]])
"""Voltages [p.u.] and the most active power [share of the rating]: IEEE 1547-2018, table 10, category B, P2 = 0.2."""


def volt_var(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:  # noqa: ARG001 - the curve has its own band
    """Reactive power by the volt-var curve, active power as the rating allows."""
    q_kvar = rating_kva * np.interp(vm_pu, *VOLT_VAR)
    return Ranges(-rating_kva, rating_kva, q_kvar, q_kvar)


def volt_var_watt(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """As `volt_var`, and no more active power exported than the volt-watt curve allows."""
    by_var = volt_var(vm_pu, rating_kva, band)
    return by_var._replace(p_lo_kw=-rating_kva * np.interp(vm_pu, *VOLT_WATT))


@contextmanager
def registered_curves() -> Iterator[None]:
    """Both known to scenarios as ``bench-volt-var`` and ``bench-volt-var-watt`` as long as this lasts."""
    rules: dict[str, Rule] = {"bench-volt-var": volt_var, "bench-volt-var-watt": volt_var_watt}
    for name, rule in rules.items():
        register_rule(name, rule)
    try:
        yield
    finally:
        for name in rules:
            del RULES[name]
