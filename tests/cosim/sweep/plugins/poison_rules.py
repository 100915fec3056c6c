"""Rules, and an operator's signal, of a user who means no good: each ends a run in its own way."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from agents.dso.rehearsal import Rehearsal
from agents.dso.signals import register_signal
from agents.dso.signals.rule import NewestPlan
from agents.facility import PLANTS, FacilityPlanner, Needs
from agents.prosumer import Ranges, VoltageBand, register_rule
from agents.terms import Terms

Array = npt.NDArray[np.float64]

_SPARE_MB = 4000  # what the greedy rule takes at most, should nobody stop it
_held: list[bytearray] = []


def raises(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """An error in code."""
    raise RuntimeError(f"no rule for {len(vm_pu)} inverters")


def kills(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """As a crash in a library written in C."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def hangs(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """A loop without end."""
    while True:
        time.sleep(0.01)


def greedy(vm_pu: Array, rating_kva: Array, band: VoltageBand) -> Ranges:
    """Memory that is never given back."""
    while True:
        if len(_held) < _SPARE_MB // 20:
            _held.append(bytearray(os.urandom(1024)) * 20 * 1024)
        time.sleep(0.01)


@dataclass(frozen=True)
class ColdHouses(NewestPlan):
    """An operator who heats a district too, and asks its boiler for more than it can give: nobody can plan that."""

    name: ClassVar[str] = "cold-houses"

    def terms(self, past: Rehearsal) -> Terms | None:
        """Nothing more to say."""
        return None

    def shares(self, past: Rehearsal) -> Array:
        """All follow the newest plan, once there is one for the heat."""
        idle = np.zeros(96)
        needs = Needs(datetime(2016, 6, 8, 22, tzinfo=UTC), 0.25, idle, idle, np.full(96, 1e4), idle, idle)
        price = np.full((96, 1), 0.2)
        FacilityPlanner("district", PLANTS["UNM ME"], needs).plan(Terms.of_prices(price, price / 2, 0.25))
        return super().shares(past)


for name, rule in (("raises", raises), ("kills", kills), ("hangs", hangs), ("greedy", greedy)):
    register_rule(name, rule)
register_signal(ColdHouses)
