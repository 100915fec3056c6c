"""A step that may raise and be called again, whatever counts it in between."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["RaisingStep"]


class RaisingStep:
    """Carries what a model's step raises past Mesa's wrapper around it.

    From Mesa 3.5 on a step is an event that schedules the next one when it returns: one that raises is the last, and
    further calls do nothing, in silence.

    Parameters
    ----------
    step : callable
        The model's own.
    """

    def __init__(self, step: Callable[[], None]) -> None:
        self._step = step
        self._raised: Exception | None = None

    def kept(self) -> None:
        """Step, and keep what it raises: for Mesa to wrap."""
        try:
            self._step()
        except Exception as error:
            self._raised = error

    def told(self, wrapped: Callable[[], None]) -> None:
        """Call what Mesa has made of `kept`, and raise what was kept: for those who call a step."""
        wrapped()
        raised, self._raised = self._raised, None
        if raised is not None:
            raise raised
