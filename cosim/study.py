"""Studies: questions with a table and figures for an answer, found by name through entry points.

A study is a function registered in the entry-point group ``cosim.studies``. Any installed package can add
some; `cosim` itself imports none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import pandas as pd

from cosim.errors import validated
from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["Study", "StudyOptions", "StudyResult", "changed_settings", "load_study", "studies"]

Settings = TypeVar("Settings", bound=Strict)


@dataclass(frozen=True)
class StudyOptions:
    """What the command line passes on: changes to the study's base scenario, threads, and whom to tell of progress."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    progress: Callable[[int, int], None] | None = None

    def part(self, index: int, n_parts: int) -> Callable[[int, int], None] | None:
        """Progress of one of several parts of equal length as progress of the whole; for `run_ensemble`."""
        progress = self.progress
        if progress is None:
            return None
        return lambda done, total: progress(index * total + done, n_parts * total)


@dataclass(frozen=True)
class StudyResult:
    """A study's answer: the table to print, the text under it, and a function that writes its files to a folder."""

    title: str
    table: pd.DataFrame
    text: str
    write: Callable[[Path], None]


class Study(Protocol):
    """A study; its docstring's first line is the question."""

    __doc__: str | None

    def __call__(self, options: StudyOptions) -> StudyResult:
        """Build scenarios, run them, and sum up."""


def studies() -> dict[str, EntryPoint]:
    """The registered studies by name."""
    return {point.name: point for point in sorted(entry_points(group="cosim.studies"), key=lambda p: p.name)}


def load_study(name: str) -> Study:
    """The study called `name`; an `InputError` with the nearest names where there is none."""
    known = studies()
    if name not in known:
        near = get_close_matches(name, known, n=2, cutoff=0.3) or list(known)
        raise InputError("cosim study", "NAME", name, f"one of {', '.join(known)} (nearest: {', '.join(near)})")
    return cast(Study, known[name].load())


def changed_settings(cls: type[Settings], changes: Mapping[str, Any]) -> Settings:
    """The default settings of a study with some fields changed, by dotted names.

    Raises
    ------
    InputErrors
        For what is no field, or no value of it.
    """
    data: dict[str, Any] = {}
    for key, value in changes.items():
        table, dot, name = key.partition(".")
        if dot:
            data.setdefault(table, {})[name] = value
        else:
            data[key] = value
    return validated(cls, data, "--set")
