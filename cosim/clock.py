"""Two clocks in one: market steps, in which agents decide, and control steps, in which physics answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from agents.prosumer import Window

__all__ = ["Clock"]


@dataclass
class Clock:
    """Counts market steps and the control steps inside them; a day is 24 hours from the start of the run.

    Parameters
    ----------
    days : int
        Length of the run.
    market_step_min, control_step_min : int
        Lengths of the steps; the first is a multiple of the second and divides a day.
    horizon : str
        How far plans look: ``"shrinking"`` to the end of the day, ``"rolling"`` 24 hours ahead (never
        beyond the end of the run), with the battery refilled at its end.
    """

    days: int
    market_step_min: int
    control_step_min: int
    horizon: str
    step: int = field(default=0, init=False)

    @property
    def steps_per_day(self) -> int:
        """Market steps in a day."""
        return 24 * 60 // self.market_step_min

    @property
    def n_steps(self) -> int:
        """Market steps of the run."""
        return self.days * self.steps_per_day

    @property
    def controls_per_step(self) -> int:
        """Control steps in a market step."""
        return self.market_step_min // self.control_step_min

    @property
    def n_control_steps(self) -> int:
        """Control steps of the run."""
        return self.n_steps * self.controls_per_step

    @property
    def market_step_h(self) -> float:
        """Length of a market step in hours."""
        return self.market_step_min / 60

    @property
    def control_step_h(self) -> float:
        """Length of a control step in hours."""
        return self.control_step_min / 60

    @property
    def finished(self) -> bool:
        """Whether the run has reached its end."""
        return self.step >= self.n_steps

    def control_steps(self) -> Iterator[int]:
        """The control steps of the market step that runs now, counted from the start of the run."""
        first = self.step * self.controls_per_step
        yield from range(first, first + self.controls_per_step)

    def window(self, step: int | None = None) -> Window:
        """What a plan made in a market step looks at, in the one that runs now by default."""
        now = self.step if step is None else step
        day_end = (now // self.steps_per_day + 1) * self.steps_per_day
        rolling = self.horizon == "rolling"
        until = min(now + self.steps_per_day, self.n_steps) if rolling else day_end
        return Window(now, until, self.steps_per_day, self.market_step_h, refill=rolling)

    def advance(self) -> None:
        """Go on to the next market step."""
        self.step += 1
