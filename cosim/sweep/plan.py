"""The plan of a sweep: its runs in order, each with its id and what tells it from the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cosim.scenario import Scenario
from cosim.sweep.kinds import SCENARIO, Kind, Subject
from feeders.errors import InputError

__all__ = ["Plan", "PlannedRun", "scenario_of"]


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Attributes
    ----------
    number : int
        Place in the plan, from 0.
    id : str
        Hash of the scenario, the code and the contents of its input files: the name of its folder.
    fields : mapping of str to bool, int, float or str
        What the design says of this run, by axis: dotted names of fields, names of axes of levels, ``replication``.
    scenario : Scenario or other subject
        What is run, of the plan's kind; the prosumers of a scenario's population are not drawn yet.
    """

    number: int
    id: str
    fields: Mapping[str, Any]
    scenario: Subject


@dataclass(frozen=True)
class Plan:
    """What a sweep is to run.

    Attributes
    ----------
    name : str
        The sweep's.
    toml : str
        The sweep's file as resolved: base scenario and limits written out, file names absolute.
    runs : sequence of PlannedRun
        All runs, in the order of the design; ids are unique.
    code : str
        Version of the code: that of the package and a hash of its sources and of the plugins' files.
    inputs : mapping of str to str
        SHA-256 by name of every file that any run reads; ``"missing"`` for one that is not there.
    libraries : mapping of str to str
        Versions of Python and of the libraries that the numbers come from.
    plugins : tuple of str
        Python files to import first, absolute.
    references : bool
        Whether runs are also made without rules and without optimisation, to compare with.
    timeout_s, memory_mb, attempts
        Limits of one run; see `cosim.sweep.task.Task`. None: that of `cosim.sweep`'s default.
    axes : mapping of str to int
        The dimensions of the design and their sizes, whose product is the number of runs; the last varies fastest.
    kind : Kind
        What the runs are of.
    """

    name: str
    toml: str
    runs: Sequence[PlannedRun]
    code: str
    inputs: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    references: bool = True
    timeout_s: float = 3600.0
    memory_mb: float | None = None
    attempts: int = 2
    axes: Mapping[str, int] = field(default_factory=dict)
    kind: Kind = SCENARIO


def scenario_of(run: PlannedRun) -> Scenario:
    """The scenario of a run.

    Raises
    ------
    InputError
        When it is a run of another kind.
    """
    if not isinstance(run.scenario, Scenario):
        raise InputError("sweep", "run", run.number, "a run of a scenario")
    return run.scenario
