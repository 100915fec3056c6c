"""No signal: customers plan against the tariff, the state from which all signals set out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from agents.dso.rehearsal import Rehearsal
from agents.dso.signals.parameters import Parameters
from agents.dso.signals.rule import NewestPlan
from agents.terms import Terms

__all__ = ["TariffOnly"]


@dataclass(frozen=True)
class TariffOnly(NewestPlan, Parameters):
    """Nothing beside the tariff."""

    name: ClassVar[str] = "none"

    def terms(self, past: Rehearsal) -> Terms | None:  # noqa: ARG002 - one signature for all
        """Nothing more to say."""
        return None
