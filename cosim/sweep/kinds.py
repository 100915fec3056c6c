"""What the runs of a sweep are of: scenarios, or what another part of the package makes runs of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from cosim.outcome import INDEX_COLUMNS
from cosim.sweep.checksums import NEEDED
from feeders.errors import InputError

if TYPE_CHECKING:
    from cosim.sweep.task import Task

__all__ = ["HOSTING", "SCENARIO", "Kind", "Subject", "kind_named"]


class Subject(Protocol):
    """What a run is made of: whatever can be written down so that another process makes the run."""

    def to_toml(self) -> str:
        """All of it."""


@dataclass(frozen=True)
class Kind:
    """A kind of runs. Driver, workers and folders treat all kinds alike; this is what they differ in.

    Attributes
    ----------
    name : str
        In tasks, and in the manifest of a sweep.
    maker : str
        ``module:function`` that takes a `Task`, writes the folder of its run and gives what that takes on disk [bytes].
        Imported by the process that makes runs, so that the engine does not depend on what it runs.
    text : str
        File with the subject, in the folder of a run and of a failure.
    table : str
        File of a run's folder whose rows are the run's part of the sweep's table.
    needed : frozenset of str
        Files that every run has.
    command : str
        Of ``cosim``, that repeats a run from its subject's file.
    without_references : tuple of str
        What that command is told where runs are not compared with others.
    columns : mapping of str to pyarrow.DataType
        Of `table`.
    """

    name: str
    maker: str
    text: str
    table: str
    needed: frozenset[str]
    command: str
    without_references: tuple[str, ...] = ()
    columns: Mapping[str, pa.DataType] = field(default_factory=dict)

    def make(self, task: Task) -> int:
        """Have a task made, here and now; what its folder takes on disk [bytes]."""
        module, _, name = self.maker.partition(":")
        maker: Callable[[Task], int] = getattr(import_module(module), name)
        return maker(task)


SCENARIO = Kind(
    "scenario",
    "cosim.sweep.one_run:make_scenario",
    "scenario.toml",
    "prosumers.parquet",
    NEEDED,
    "run",
    ("--no-references",),
    {name: {"prosumer": pa.string(), "bus": pa.int64()}.get(name, pa.float64()) for name in INDEX_COLUMNS},
)
"""A scenario, lived; a row per prosumer."""

HOSTING = Kind(
    "hosting",
    "cosim.hosting.sampled_run:make_sampled",
    "hosting.toml",
    "capacities.parquet",
    frozenset({"manifest.json", "hosting.toml", "capacities.parquet"}),
    "hosting",
    columns={
        **dict.fromkeys(("der", "mode", "method"), pa.string()),
        **dict.fromkeys(("level", "kw"), pa.float64()),
        **dict.fromkeys(("stop", "stop_element"), pa.string()),
        **dict.fromkeys(("stop_hour", "stop_value", "stop_allowed", "margin"), pa.float64()),
    },
)
"""A feeder's hosting capacity on a sampled day; a row per mode."""

_KINDS = {kind.name: kind for kind in (SCENARIO, HOSTING)}


def kind_named(name: str) -> Kind:
    """The kind of a name.

    Raises
    ------
    InputError
        When there is none.
    """
    if name not in _KINDS:
        raise InputError("sweep", "kind", name, f"one of {', '.join(_KINDS)}")
    return _KINDS[name]
