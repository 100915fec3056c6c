"""A rule as ``hybrid``, under two names, that counts its calls: one can see how far a run was when it was killed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer import Ranges, VoltageBand, register_rule, rule_by_name
from tests.cosim.sweep.plugins.trace import count

__all__ = ["watched"]

Array = npt.NDArray[np.float64]

_hybrid = rule_by_name("hybrid")


def watched(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """As ``hybrid``."""
    count()
    return _hybrid(vm_pu, rating_kva, band)


for name in ("watched", "watched-too"):
    register_rule(name, watched)
