"""Cars are charged with less power from the onset of congestion to midnight."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from agents.dso.relief.directives import Directives
from agents.dso.relief.outlook import Outlook
from feeders.errors import InputError

__all__ = ["CurA"]


@dataclass(frozen=True)
class CurA:
    """Caps the power of every charger from the onset to the end of the day, as par. 14a EnWG allows.

    What is not charged by then is charged from the next day's first step on, with the charger's own power.

    Attributes
    ----------
    cap_kw : float
        The most that each charger gives, >= 0; par. 14a EnWG leaves a device 4.2 kW, the source of the measure 3.7 kW.

    Raises
    ------
    InputError
        For a cap that is negative or not finite.
    """

    cap_kw: float = 3.7

    def __post_init__(self) -> None:
        if not (np.isfinite(self.cap_kw) and self.cap_kw >= 0):
            raise InputError("measure CurA", "cap_kw", self.cap_kw, "a finite number, 0 or more")

    def directives(self, outlook: Outlook) -> Directives:
        """The cap, on congested days from the onset on."""
        capped = outlook.between(outlook.onset, np.full_like(outlook.onset, outlook.steps_per_day))
        return replace(Directives.none(len(outlook)), ev_cap_kw=np.where(capped, self.cap_kw, np.inf))
