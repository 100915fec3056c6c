"""A run that ended before its end: when, why, and where."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from feeders.errors import CosimError, PowerFlowError

if TYPE_CHECKING:
    from cosim.outcome import Run

__all__ = ["RunFailure"]


class RunFailure(CosimError):  # noqa: N818 - what failed is the run, not its input
    """A power flow without a usable solution ended the run.

    Attributes
    ----------
    cause : PowerFlowError
        Reason and worst bus.
    control_step : int
        Control step at which it happened, counted from 0; the record holds all before it.
    at : datetime
        The same as a point in time (UTC).
    copy : int
        Which of the model's scenarios it was in; 0 where there is but one.
    partial : Run or None
        The run up to then, where whoever ran it kept it.
    """

    partial: Run | None = None

    def __init__(self, cause: PowerFlowError, control_step: int, at: datetime) -> None:
        self.cause, self.control_step, self.at = cause, control_step, at
        self.copy = cause.scenario or 0
        super().__init__(f"run ended at control step {control_step} ({at:%Y-%m-%d %H:%M} UTC): {cause}")
