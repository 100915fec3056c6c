"""IEEE 1547's volt-var and volt-watt curves as inverter rules, for comparison with programs that have them built in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from agents.prosumer import RULES, Rule, register_rule
from agents.prosumer.standards import VOLT_VAR, VOLT_WATT, volt_var
from agents.prosumer.standards import ieee1547_b as volt_var_watt

__all__ = ["VOLT_VAR", "VOLT_WATT", "registered_curves", "volt_var", "volt_var_watt"]


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
