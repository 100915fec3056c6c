"""A model whose series go to files as it lives: one Parquet file a day, and after it a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from cosim.checkpoint import Checkpoint, DamagedError, file_digest
from cosim.failure import RunFailure
from cosim.folder import flush
from cosim.model import CoSimulation
from cosim.outcome import Run, layout_of, runs_of
from cosim.recorded import SeriesInFiles
from cosim.rehearsed import Evenings

__all__ = ["CHECKPOINT", "LiveInFiles", "Stream", "Tell"]

Array = npt.NDArray[np.float64]
Tell = Callable[[str], None]
"""Takes a line for whoever runs."""

CHECKPOINT = "checkpoint.npz"


class Stream:
    """Lets a model live day by day, in bounded memory.

    Parameters
    ----------
    model : CoSimulation
        A model of one scenario that has not lived yet.
    folder : Path
        For its files; made where it is missing.
    tell : callable
        Told when an earlier process's files cannot be used.

    Attributes
    ----------
    earlier_s : float
        Seconds that the days took which earlier processes lived.
    """

    def __init__(self, model: CoSimulation, folder: Path, tell: Tell) -> None:
        self.earlier_s = 0.0
        self._model, self._folder = model, folder
        self._layout = layout_of(model)
        self._began = perf_counter()
        self._parts: dict[str, str] = {}
        self._evenings: dict[str, str] = {}
        self._writer: pq.ParquetWriter | None = None
        self._n_written = 0
        folder.mkdir(parents=True, exist_ok=True)
        model.record.flow_to(self._take, self._layout.room)
        try:
            self._go_on()
        except DamagedError as error:
            tell(f"{error}; this run begins anew")

    @property
    def series(self) -> SeriesInFiles:
        """What the files hold."""
        paths = tuple(self._folder / name for name in self._parts)
        return SeriesInFiles(self._layout, paths, self._n_written)

    @property
    def evenings(self) -> Evenings:
        """What the operator rehearsed and published, as the files hold it; nothing where there is none."""
        paths = [self._folder / name for name in self._evenings]
        return Evenings(list(zip(paths[::2], paths[1::2], strict=True)))

    def live(self, progress: Callable[[], None], *, checkpoints: bool = True) -> None:
        """Step the model to its end; `progress` is called after each market step.

        Raises
        ------
        RunFailure
            The series then go up to the failure.
        """
        clock = self._model.clock
        try:
            while not clock.finished:
                day = clock.step // clock.steps_per_day
                while clock.step < (day + 1) * clock.steps_per_day:
                    self._model.step()
                    progress()
                self._end_day()
                if checkpoints:
                    self._save(day + 1)
        except RunFailure:
            self._end_day()
            raise
        finally:
            if self._writer is not None:
                self._writer.close()

    def _go_on(self) -> None:
        """Take up the last checkpoint, if there is one."""
        path = self._folder / CHECKPOINT
        checkpoint = Checkpoint.load(path)
        if checkpoint is None:
            return
        checkpoint.check_parts(self._folder)
        try:
            self._model.restore(checkpoint.state)
        except (KeyError, ValueError) as error:
            raise DamagedError(path, f"not a state of this run: {error}") from error
        self.earlier_s = checkpoint.seconds
        for name, digest in checkpoint.parts.items():
            (self._parts if name.startswith(_DAY) else self._evenings)[name] = digest
        self._n_written = self._model.record.n_written

    def _save(self, days: int) -> None:
        seconds = self.earlier_s + perf_counter() - self._began
        parts = {**self._parts, **self._evenings}
        Checkpoint(days, seconds, parts, self._model.state()).save(self._folder / CHECKPOINT)

    def _take(self, frames: Array) -> None:
        """Write samples to the file of the day, which begins with the first of them."""
        if self._writer is None:
            self._writer = self._layout.writer(self._folder / _NEW)
        table = self._layout.table(frames, self._n_written)
        self._writer.write_table(table, row_group_size=max(1, len(table)))
        self._n_written += len(frames)

    def _end_day(self) -> None:
        """Finish the file of the day, if it has any samples, and write what was known of it the evening before."""
        self._model.record.flush()
        for tables in self._model.take_evenings():
            for name in tables.save(self._folder, len(self._evenings) // 2 + 1):
                flush(self._folder / name)
                self._evenings[name] = file_digest(self._folder / name)
        if self._writer is None:
            return
        self._writer.close()
        self._writer = None
        path = self._folder / f"{_DAY}{len(self._parts) + 1:05d}.parquet"
        new = self._folder / _NEW
        flush(new)
        new.replace(path)
        flush(self._folder)
        self._parts[path.name] = file_digest(path)


@dataclass
class LiveInFiles:
    """A `cosim.job.Live`: the parts of a job live day by day, each in a folder of its own inside `folder`.

    Attributes
    ----------
    folder : Path
        The working folder.
    tell : callable
        Told when an earlier process's files cannot be used.
    earlier_s : float
        Seconds that the days took which earlier processes lived.
    """

    folder: Path
    tell: Tell
    earlier_s: float = 0.0

    def __call__(self, model: CoSimulation, name: str, stepped: Callable[[], None]) -> Run:
        """The run of a model of one scenario, its series in files.

        Raises
        ------
        RunFailure
            With the run up to then.
        OSError
            When a file cannot be written.
        """
        stream = Stream(model, self.folder / name, self.tell)
        self.earlier_s += stream.earlier_s
        try:
            stream.live(stepped)
        except RunFailure as failure:
            failure.partial = replace(_streamed(model, stream), failure=str(failure))
            raise
        return _streamed(model, stream)


def _streamed(model: CoSimulation, stream: Stream) -> Run:
    (found,) = runs_of(model, stream.series)
    return replace(found, evenings=stream.evenings if model.evenings else None)


_DAY, _NEW = "day-", "day.parquet.new"
