"""What happened, control step by control step, as one array."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from agents.prosumer import RECORDED, Population

__all__ = ["Record"]

Array = npt.NDArray[np.float64]


class Record:
    """The columns `RECORDED` of a population over the control steps of a run.

    Attributes
    ----------
    frames : array, shape (n_control_steps, len(RECORDED), n_prosumers)
        All columns; those after `n_written` are not yet filled.
    n_written : int
        Control steps recorded so far.
    """

    def __init__(self, n_control_steps: int, population: Population) -> None:
        self._source = population.state[: len(RECORDED)]
        self.frames: Array = np.empty((n_control_steps, *self._source.shape))
        self.n_written = 0

    def write(self) -> None:
        """Append the population's present state."""
        self.frames[self.n_written] = self._source
        self.n_written += 1

    def column(self, name: str) -> Array:
        """One column up to now, shape (n_written, n_prosumers); a view."""
        return self.frames[: self.n_written, RECORDED.index(name)]
