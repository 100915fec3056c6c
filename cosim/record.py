"""What happened, control step by control step: chosen columns, in memory or handed on as they fill a buffer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt

from agents.prosumer import RECORDABLE, RECORDED, STATE, Population
from feeders.errors import InputError

__all__ = ["NotRecorded", "Record", "Sink", "chosen_columns"]

Array = npt.NDArray[np.float64]
Sink = Callable[[Array], None]
"""Takes samples in the order of time, shape (n_samples, n_names, n_prosumers); the array is reused afterwards."""


class NotRecorded(InputError):  # noqa: N818 - says what is missing
    """A column that a run did not record, or that nobody could."""

    def __init__(self, name: str, names: Sequence[str]) -> None:
        known = ", ".join(names) or "nothing but indices"
        super().__init__("run", "column", name, f"what was recorded: {known} (chosen by the scenario's `record`)")


def chosen_columns(names: Sequence[str]) -> tuple[str, ...]:
    """The names in the order of `RECORDABLE`, each once.

    Raises
    ------
    InputError
        For a name that is not in `RECORDABLE`, with the nearest.
    """
    for name in names:
        if name not in RECORDABLE:
            near = ", ".join(get_close_matches(name, RECORDABLE, n=3, cutoff=0.0))
            allowed = f"names of {', '.join(RECORDABLE)}; nearest: {near}"
            raise InputError("scenario", "", name, allowed)  # of the field that is being validated
    return tuple(name for name in RECORDABLE if name in names)


class Record:
    """Samples of the columns `names` of a population, one every `every` control steps.

    A sample is the state of its own control step, the first of each `every`; nothing is averaged. All columns of the
    market step that runs now can be read too, whatever is recorded.

    Parameters
    ----------
    population : Population
        Whose state.
    n_control_steps : int
        Control steps of the run.
    controls_per_step : int
        Control steps in a market step.
    names : sequence of str
        Columns to record, of `RECORDABLE` in its order; none at all leaves no samples.
    every : int
        Control steps from one sample to the next.

    Attributes
    ----------
    n_lived : int
        Control steps so far.
    n_written : int
        Samples so far.
    """

    def __init__(
        self,
        population: Population,
        n_control_steps: int,
        controls_per_step: int,
        names: Sequence[str] = RECORDED,
        every: int = 1,
    ) -> None:
        self.names, self.every = tuple(names), every
        self.n_lived = self.n_written = 0
        self._state = population.state
        self._rows = np.array([STATE.index(name) for name in names], dtype=np.intp)
        self._whole = self.names == RECORDED
        self._present: Array = np.zeros((controls_per_step, len(RECORDED), len(population)))
        self._room = -(-n_control_steps // every) if names else 0
        self._samples: Array | None = None
        self._kept = 0
        self._sink: Sink | None = None

    def write(self) -> None:
        """Take the population's present state."""
        self._present[self.n_lived % len(self._present)] = self._state[: len(RECORDED)]
        if self._room and self.n_lived % self.every == 0:
            self._sample()
        self.n_lived += 1

    def flow_to(self, sink: Sink, room: int) -> None:
        """Hand samples on from now, `room` at a time, instead of keeping them; before the first one.

        `frames` and `column` then hold only those that are not handed on yet.
        """
        self._sink, self._room = sink, min(room, self._room)

    def flush(self) -> None:
        """Hand on what is left in the buffer."""
        if self._sink is not None and self._kept:
            self._sink(self.frames)
            self._kept = 0

    def go_on(self, n_lived: int) -> None:
        """Count on from control step `n_lived`, before which everything was handed on by an earlier process."""
        self.n_lived, self.n_written = n_lived, -(-n_lived // self.every) if self.names else 0

    @property
    def frames(self) -> Array:
        """The samples kept, shape (n, len(names), n_prosumers); a view."""
        return self._buffer()[: self._kept]

    def column(self, name: str) -> Array:
        """One recorded column up to now, shape (n, n_prosumers); a view.

        Raises
        ------
        NotRecorded
        """
        if name not in self.names:
            raise NotRecorded(name, self.names)
        return self.frames[:, self.names.index(name)]

    def present(self, name: str) -> Array:
        """One column of `RECORDED` over the control steps of the market step that runs now.

        Shape (controls_per_step, n_prosumers); a view, whose later rows are still those of the market step before.
        """
        return self._present[:, RECORDED.index(name)]

    def _buffer(self) -> Array:
        if self._samples is None:  # as late as this, so that a long run that hands its samples on needs no room for all
            self._samples = np.empty((self._room, len(self.names), self._state.shape[1]))
        return self._samples

    def _sample(self) -> None:
        target = self._buffer()[self._kept]
        if self._whole:
            target[:] = self._state[: len(RECORDED)]
        else:
            np.take(self._state, self._rows, axis=0, out=target)
        self._kept += 1
        self.n_written += 1
        if self._kept == self._room and self._sink is not None:
            self.flush()
