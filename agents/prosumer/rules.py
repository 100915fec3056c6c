"""Inverter rules: pure functions from the voltage at the connection point to permitted ranges.

Signs: active power p is positive when consumed, so that a house that exports PV has p < 0; reactive power q
is positive when injected (capacitive), which raises the voltage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from agents.prosumer.checked_rule import checked
from feeders.errors import InputError

__all__ = [
    "RULES",
    "Ranges",
    "Rule",
    "VoltageBand",
    "anrc",
    "hybrid",
    "no_rule",
    "prc",
    "register_rule",
    "rule_by_name",
    "voltage_zone",
]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class VoltageBand:
    """The voltages where a rule begins to act and where it acts in full.

    Parameters
    ----------
    vm_min_pu, vm_max_pu : float
        Limits of the voltage: a rule acts in full at and beyond them [p.u.].
    dead_pu : float
        Permissible deviation from 1 p.u. before any rule acts [p.u.].

    Raises
    ------
    InputError
        Unless ``0 < vm_min_pu < 1 - dead_pu <= 1 + dead_pu < vm_max_pu < 2``.
    """

    vm_min_pu: float = 0.95
    dead_pu: float = 0.02
    vm_max_pu: float = 1.05

    def __post_init__(self) -> None:
        ordered = 0 < self.vm_min_pu < 1 - self.dead_pu <= 1 + self.dead_pu < self.vm_max_pu < 2
        if not ordered:
            raise InputError(
                "voltage band",
                "vm_min_pu, dead_pu, vm_max_pu",
                (self.vm_min_pu, self.dead_pu, self.vm_max_pu),
                "0 < vm_min_pu < 1 - dead_pu <= 1 + dead_pu < vm_max_pu < 2",
            )


class Ranges(NamedTuple):
    """Permitted inverter power, arrays of one shape: p in kW (> 0 consumed), q in kvar (> 0 injected)."""

    p_lo_kw: Array
    p_hi_kw: Array
    q_lo_kvar: Array
    q_hi_kvar: Array


Rule = Callable[[Array, Array, VoltageBand], Ranges]
"""``rule(vm_pu, rating_kva, band) -> Ranges``: arrays of shape (n,) in and out, nothing mutated."""


def voltage_zone(vm_pu: Array, band: VoltageBand) -> npt.NDArray[np.int8]:
    """Zone 1 to 5 of each voltage (Hashmi et al., arXiv 2207.10248, section III-B).

    Z1: u <= u_min; Z2: u_min < u < 1-dead; Z3: 1-dead <= u <= 1+dead; Z4: 1+dead < u < u_max; Z5: u >= u_max.
    """
    above_each_edge = (
        (vm_pu > band.vm_min_pu).astype(np.int8)
        + (vm_pu >= 1 - band.dead_pu)
        + (vm_pu > 1 + band.dead_pu)
        + (vm_pu >= band.vm_max_pu)
    )
    return (1 + above_each_edge).astype(np.int8)


def no_rule(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:  # noqa: ARG001 - one signature for all
    """Whatever the rating allows, at any voltage."""
    return Ranges(-rating_kva, rating_kva, -rating_kva, rating_kva)


def prc(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """Positive reinforcement control: the inverter must help (Hashmi et al., table III).

    At the limits and beyond them each range is one point: full export and injection of reactive power
    at u <= u_min, full consumption of both at u >= u_max.
    """
    return Ranges(*_p_range(vm_pu, rating_kva, band, 1.0), *_q_range(vm_pu, rating_kva, band, 1.0))


def anrc(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """Avoiding negative reinforcement control: the inverter must not make it worse (table IV).

    At the limits and beyond them each range ends at zero. Every range contains that of `prc`.
    """
    return Ranges(*_p_range(vm_pu, rating_kva, band, 0.0), *_q_range(vm_pu, rating_kva, band, 0.0))


def hybrid(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """Active power as under `anrc`, reactive power as under `prc` (table V, the paper's proposal)."""
    return Ranges(*_p_range(vm_pu, rating_kva, band, 0.0), *_q_range(vm_pu, rating_kva, band, 1.0))


RULES: dict[str, Rule] = {"none": no_rule, "prc": prc, "anrc": anrc, "hybrid": hybrid}
"""The rules by the names that scenarios use."""


def register_rule(name: str, rule: Rule) -> None:
    """Make a rule of one's own available to scenarios under `name`; a name that is taken is refused.

    What it gives is checked at each call: a range for each inverter, without NaN, its lower end at most its upper one.
    """
    if name in RULES:
        raise InputError("rules", "name", name, f"a name not yet taken ({', '.join(RULES)})")
    RULES[name] = checked(name, rule)


def rule_by_name(name: str) -> Rule:
    """The rule called `name`.

    Raises
    ------
    InputError
        When there is none; it names the nearest ones.
    """
    if name not in RULES:
        near = get_close_matches(name, RULES, n=2) or list(RULES)
        raise InputError("rules", "rule", name, f"one of {', '.join(RULES)} (nearest: {', '.join(near)})")
    return RULES[name]


def _p_range(vm_pu: Array, rating: Array, band: VoltageBand, push: float) -> tuple[Array, Array]:
    """`push` says how far past zero the droop is driven at the limit: 1 to the opposite rating, 0 to zero."""
    lo = _ramp(vm_pu, 1 + band.dead_pu, band.vm_max_pu) * (1 + push) * rating - rating
    hi = _ramp(vm_pu, band.vm_min_pu, 1 - band.dead_pu) * (1 + push) * rating - push * rating
    return lo, hi


def _q_range(vm_pu: Array, rating: Array, band: VoltageBand, push: float) -> tuple[Array, Array]:
    lo = push * rating - _ramp(vm_pu, band.vm_min_pu, 1 - band.dead_pu) * (1 + push) * rating
    hi = rating - _ramp(vm_pu, 1 + band.dead_pu, band.vm_max_pu) * (1 + push) * rating
    return lo, hi


def _ramp(vm_pu: Array, start: float, stop: float) -> Array:
    """0 up to `start`, 1 from `stop` on, linear between."""
    share: Array = np.minimum(np.maximum((vm_pu - start) / (stop - start), 0.0), 1.0)
    return share
