"""What an operator expects of the coming days, from which its measures follow."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from agents.dso.relief.congestion import onset
from agents.dso.relief.directives import Directives
from feeders.errors import InputError, InputErrors

__all__ = ["Measure", "Outlook"]

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Outlook:
    """Expected load of a region over whole days, from a midnight on; the last day may be shorter.

    What is asked on a day follows from this day's steps alone, and ends at its midnight: the outlooks of many days at
    once and of one day after the other give the same. Congestion that goes on is the next day's, from its first step.

    Attributes
    ----------
    p_kw : array, shape (T,)
        Expected load without storage and measures [kW], > 0 consumed.
    threshold_kw : float
        What the station may carry, > 0.
    steps_per_day : int
        Market steps of a day.
    residual_kw : array, shape (T,), optional
        Expected load with storage and all measures but those that start at what is left.

    Raises
    ------
    InputErrors
        For a threshold or steps that are not above 0, and loads that are not finite or not of one shape.
    """

    p_kw: Array
    threshold_kw: float
    steps_per_day: int = 96
    residual_kw: Array | None = None

    def __post_init__(self) -> None:
        problems = []
        if not (np.isfinite(self.threshold_kw) and self.threshold_kw > 0):
            problems.append(InputError("outlook", "threshold_kw", self.threshold_kw, "a finite number above 0"))
        if self.steps_per_day < 1:
            problems.append(InputError("outlook", "steps_per_day", self.steps_per_day, "1 or more"))
        for name, values in (("p_kw", self.p_kw), ("residual_kw", self.residual_kw)):
            if values is not None and (values.shape != self.p_kw.shape[:1] or not np.isfinite(values).all()):
                problems.append(InputError("outlook", name, values.shape, "one finite load per step"))
        if problems:
            raise InputErrors(problems)

    def __len__(self) -> int:
        return len(self.p_kw)

    @cached_property
    def onset(self) -> Integers:
        """First congested step of each day, shape (days,), as `congestion.onset` has it."""
        return onset(self.p_kw, self.threshold_kw, self.steps_per_day)

    @property
    def relieved(self) -> Integers:
        """The step after each day's last congested one, shape (days,); 0 on days without one."""
        backwards = np.pad(self.p_kw, (0, -len(self) % self.steps_per_day), constant_values=-np.inf)[::-1]
        return self.steps_per_day - onset(backwards, self.threshold_kw, self.steps_per_day)[::-1]

    @property
    def residual_onset(self) -> Integers:
        """First step of each day that is congested still, shape (days,).

        Raises
        ------
        InputError
            Where the outlook has no residual load.
        """
        if self.residual_kw is None:
            raise InputError("outlook", "residual_kw", None, "the load that the other measures leave")
        return onset(self.residual_kw, self.threshold_kw, self.steps_per_day)

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return 24 / self.steps_per_day

    def steps(self, hours: float) -> int:
        """Steps in so many hours, rounded up."""
        return int(np.ceil(hours / self.step_h - 1e-9))

    def between(self, start: Integers, end: Integers) -> Flags:
        """Steps ``start <= step < end`` of each day, from one value per day each; shape (T,)."""
        step = np.arange(self.steps_per_day)
        return ((step >= start[:, None]) & (step < end[:, None])).ravel()[: len(self)]


class Measure(Protocol):
    """What an operator asks of homes, from what it expects."""

    def directives(self, outlook: Outlook) -> Directives:
        """Columns over all steps of the outlook."""
