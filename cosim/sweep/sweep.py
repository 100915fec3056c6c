"""A sweep as it is on disk: its plan, its one tidy table, its failures, any of its runs."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from cosim.outcome import Run
from cosim.results import load_run
from cosim.sweep.checksums import verified
from cosim.sweep.collected import PLAN_KEY, collected, empty_table
from cosim.sweep.failures import failures_table, read_failure, repeat_command
from cosim.sweep.journal import read_journals
from cosim.sweep.kinds import SCENARIO, Kind, kind_named
from cosim.sweep.manifest import read_manifest
from cosim.sweep.places import Places
from feeders.errors import InputError

__all__ = ["Status", "Sweep"]


class Status(NamedTuple):
    """How many runs are finished, have failed, and are still to do."""

    finished: int
    failed: int
    to_do: int


class Sweep:
    """A sweep in its folder, finished or not; nothing is read before it is asked for, and nothing is written.

    Attributes
    ----------
    folder : Path
        Where it is.
    manifest : mapping
        Name, code, libraries, inputs.
    kind : Kind
        What its runs are of.
    """

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        self.kind: Kind = kind_named(manifest.get("of", SCENARIO.name))
        self._places = Places(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Sweep:
        """The sweep in a folder.

        Raises
        ------
        InputError
            When there is none.
        DamagedError
            When its manifest is damaged.
        """
        places = Places(Path(folder).absolute())
        manifest = read_manifest(places.manifest) if places.plan.is_file() else None
        if manifest is None:
            raise InputError("Sweep.load", "folder", str(folder), "the folder of a sweep, as `cosim sweep` makes it")
        return cls(places.root, manifest)

    @cached_property
    def plan(self) -> pd.DataFrame:
        """One row per run: ``run``, ``run_id``, the fields of the design, and those that there always are."""
        found: pd.DataFrame = self._plan.to_pandas()
        return found

    @property
    def status(self) -> Status:
        """How far it is now, by the folders that are there."""
        ids, kept, failures = self._plan["run_id"].to_pylist(), self._places.kept(), self._places.kept_failures()
        finished = sum(run_id in kept for run_id in ids)
        failed = sum(run_id in failures and run_id not in kept for run_id in ids)
        return Status(finished, failed, len(ids) - finished - failed)

    @property
    def columns(self) -> list[str]:
        """Those of `table`: the plan's, then ``prosumer`` and its indices."""
        names: list[str] = self._schema.names
        return names

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per finished run and prosumer, in the order of the plan.

        Columns are those of `plan`, then those of `cosim.Run.indices`; where runs are not of scenarios, a row is what
        their `kind` says. Of an unfinished sweep, what was finished when it was asked for first.
        """
        return self.read()

    def read(self, columns: Sequence[str] | None = None, filters: Any = None) -> pd.DataFrame:
        """Some columns and rows of `table`, without reading the rest where it is in one file.

        Parameters
        ----------
        columns : sequence of str, optional
            All by default.
        filters : optional
            As `pyarrow.parquet.read_table` takes them, e.g. ``[("rule", "==", "prc"), ("cost", ">", 1.0)]``.

        Raises
        ------
        InputError
            For a column that is not there.
        DamagedError
            When the results of a run are not as they were written.
        """
        for name in columns or ():
            self._require_column(name)
        chosen = None if columns is None else list(columns)
        if self._whole:
            table = pq.read_table(self._places.results, columns=chosen, filters=filters)
        else:
            table = self._unfinished
            table = table if filters is None else table.filter(pq.filters_to_expression(filters))
            table = table if chosen is None else table.select(chosen)
        found: pd.DataFrame = table.to_pandas()
        return found

    @property
    def failures(self) -> pd.DataFrame:
        """One row per run that failed: its row of the plan, ``reason``, ``message``, the ``command`` to repeat it."""
        found: pd.DataFrame = failures_table(self._places, self._plan).to_pandas()
        found["command"] = pd.Series([self._command(run_id) for run_id in found["run_id"]], dtype=object)
        return found

    @property
    def journal(self) -> pd.DataFrame:
        """One row per try that came to an end, of all that ever worked on it: seconds, peak memory, size, worker."""
        return pd.DataFrame(list(read_journals(self.folder)))

    def run(self, which: int | str) -> Run:
        """One of its runs, by its number in the plan or its id; series are read when they are asked for.

        Raises
        ------
        InputError
            When there is no such run, it has no result, or its folder is not as it was written.
        """
        self.require(SCENARIO)
        run_id = self._id_of(which)
        folder = self._places.run(run_id)
        if all(verified(folder, name) is not None for name in SCENARIO.needed):  # series may be many: not yet
            return load_run(folder)
        failure = read_failure(self._places.failed, run_id)
        if failure is not None:
            why = f"{failure.reason}: {failure.message}"
            allowed = f"a run that did not fail ({why}); to repeat it: {self._command(run_id)}"
        elif folder.exists():
            allowed = f"a run whose folder is as it was written; resume the sweep to run it anew: {folder}"
        else:
            allowed = "a run that is finished: this one is still to do"
        raise InputError(str(self.folder), "run", which, allowed)

    def require(self, kind: Kind) -> None:
        """Refuse a sweep of another kind of runs.

        Raises
        ------
        InputError
        """
        if self.kind is not kind:
            is_, allowed = f"a sweep of kind {self.kind.name}", f"a sweep of kind {kind.name}"
            raise InputError(str(self.folder), "folder", is_, allowed)

    @cached_property
    def _plan(self) -> pa.Table:
        return pq.read_table(self._places.plan)

    @cached_property
    def _whole(self) -> bool:
        """Whether the table is in one file, of this plan."""
        try:
            metadata = pq.read_schema(self._places.results).metadata or {}
        except (OSError, pa.ArrowInvalid):
            return False
        return bool(metadata.get(PLAN_KEY) == self.manifest["plan"].encode())

    @cached_property
    def _schema(self) -> pa.Schema:
        return pq.read_schema(self._places.results) if self._whole else self._unfinished.schema

    @cached_property
    def _unfinished(self) -> pa.Table:
        tables = list(collected(self._places, self._plan, self._places.kept(), self.kind))
        return pa.concat_tables(tables, promote_options="permissive") if tables else empty_table(self._plan, self.kind)

    def _command(self, run_id: str) -> str:
        plugins = tuple(self.manifest["plugins"])
        return repeat_command(
            self._places.failed, run_id, plugins, references=self.manifest["references"], kind=self.kind
        )

    def _id_of(self, which: int | str) -> str:
        ids: list[str] = self._plan["run_id"].to_pylist()
        if isinstance(which, str) and which in ids:
            return which
        if not isinstance(which, str) and 0 <= which < len(ids):
            return ids[which]
        raise InputError(str(self.folder), "run", which, f"a number from 0 to {len(ids) - 1}, or an id of its plan")

    def _require_column(self, name: str) -> None:
        if name not in self.columns:
            near = ", ".join(get_close_matches(name, self.columns, n=3, cutoff=0.0))
            raise InputError(str(self.folder), "column", name, f"a column of its table; nearest: {near}")
