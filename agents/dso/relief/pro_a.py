"""Stores are charged from the grid before congestion, while load is low."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from agents.dso.relief.directives import Directives
from agents.dso.relief.outlook import Outlook
from feeders.errors import InputError, InputErrors

__all__ = ["ProA"]

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class ProA:
    """Lowers the grid's price in the hours of lowest expected load between midnight and the onset.

    Attributes
    ----------
    hours : float
        Length of the interval, > 0; shorter where the onset leaves less time, none where it is at midnight.
    cap_share : float, optional
        Load of the region up to which stores charge, as a share of the threshold, > 0. None sets no limit: all stores
        then charge at once, which may congest the station by itself.

    Raises
    ------
    InputErrors
        For values outside these ranges.
    """

    hours: float = 2.0
    cap_share: float | None = 0.9

    def __post_init__(self) -> None:
        problems = []
        if not 0 < self.hours < np.inf:
            problems.append(InputError("measure ProA", "hours", self.hours, "a finite number above 0"))
        if self.cap_share is not None and not 0 < self.cap_share < np.inf:
            allowed = "a finite share of the threshold above 0, or None for no limit"
            problems.append(InputError("measure ProA", "cap_share", self.cap_share, allowed))
        if problems:
            raise InputErrors(problems)

    def directives(self, outlook: Outlook) -> Directives:
        """Charging from the grid within the limit, on congested days in the interval of lowest mean load."""
        start, end = self._intervals(outlook)
        charge = outlook.between(start, end)
        cap_kw = np.inf if self.cap_share is None else self.cap_share * outlook.threshold_kw
        return replace(
            Directives.none(len(outlook)),
            charge_from_grid=charge,
            station_cap_kw=np.where(charge, cap_kw, np.inf),
        )

    def _intervals(self, outlook: Outlook) -> tuple[Integers, Integers]:
        """First step and end of each day's interval; both 0 where there is none."""
        per_day, wanted = outlook.steps_per_day, outlook.steps(self.hours)
        start, end = np.zeros_like(outlook.onset), np.zeros_like(outlook.onset)
        for day in np.flatnonzero(outlook.onset < per_day):
            before = outlook.p_kw[day * per_day :][: outlook.onset[day]]
            length = min(wanted, len(before))
            if length:
                means = np.lib.stride_tricks.sliding_window_view(before, length).mean(axis=1)
                start[day] = means.argmin()  # the earliest of equals
                end[day] = start[day] + length
        return start, end
