"""Heat pumps run with less power for some hours, and make up for it afterwards."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from agents.dso.relief.directives import Directives
from agents.dso.relief.outlook import Outlook
from feeders.errors import InputError, InputErrors

__all__ = ["CurB"]


@dataclass(frozen=True)
class CurB:
    """Caps the heat of every heat pump for some hours, as par. 14a EnWG allows.

    Made up for too early, the deferred heat itself congests the station (cold-load pick-up): the hours that matter are
    not those after the onset of the load without storage, but those that storage and other measures leave.

    Attributes
    ----------
    heat_cap : float
        The most heat, as a share of what the heat pump can give.
    hours : float
        How long, to midnight at most; > 0.
    makeup_h : float
        Hours over which the deferred heat is made up for afterwards (`heat_shift.shift_heat`); > 0.
    start : {"onset", "residual"}
        From the first congested step of the load without storage, or of what the other measures leave.

    Raises
    ------
    InputErrors
        For values outside these ranges.
    """

    heat_cap: float = 0.3
    hours: float = 2.0
    makeup_h: float = 6.0
    start: Literal["onset", "residual"] = "onset"

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.heat_cap <= 1:
            problems.append(InputError("measure CurB", "heat_cap", self.heat_cap, "a share from 0 to 1"))
        for name in ("hours", "makeup_h"):
            hours = getattr(self, name)
            if not 0 < hours < np.inf:
                problems.append(InputError("measure CurB", name, hours, "a finite number above 0"))
        if self.start not in ("onset", "residual"):
            problems.append(InputError("measure CurB", "start", self.start, 'one of "onset", "residual"'))
        if problems:
            raise InputErrors(problems)

    def directives(self, outlook: Outlook) -> Directives:
        """The cap, on congested days for the hours from the start on.

        Raises
        ------
        InputError
            Where it starts at what is left, and the outlook does not say what that is.
        """
        start = outlook.onset if self.start == "onset" else outlook.residual_onset
        capped = outlook.between(start, start + outlook.steps(self.hours))
        return replace(Directives.none(len(outlook)), heat_cap=np.where(capped, self.heat_cap, 1.0))
