"""Designs: the axes of a sweep, and all points of them crossed.

The axes are, outermost first: the list of cases; the samples of a random design; each axis of named levels, in the
order of the file; each field of the grid, likewise; and the replications. The last one varies fastest.

A point changes the base scenario, after ``[set]``, by all its levels at once. No field is in two axes, so that nothing
depends on their order but this: a table as a whole (``tariff``) is set before a field in it (``tariff.kappa``), and all
prosumers (``prosumers.*.pv_kwp``) before one (``prosumers.home-3.pv_kwp``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from cosim.scenario import FILE_FIELDS, Scenario
from cosim.sweep.columns import CASE, REPLICATION, SAMPLE
from cosim.sweep.random_design import samples
from cosim.sweep.seeds import replication_seeds
from cosim.sweep.spec import SweepSpec

__all__ = ["Axis", "Level", "Point", "axes_of", "points"]


@dataclass(frozen=True)
class Level:
    """One level of an axis: what tables say of it, and how it changes the scenario."""

    fields: Mapping[str, Any]
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Axis:
    """One dimension of a design."""

    name: str
    levels: Sequence[Level]


@dataclass(frozen=True)
class Point:
    """One point of a design: the place of its level in each axis, what tables say of it, and its changes."""

    places: tuple[int, ...]
    fields: Mapping[str, Any]
    changes: Mapping[str, Any]


def axes_of(spec: SweepSpec, base: Scenario) -> list[Axis]:
    """The axes of a sweep; `base` is its base scenario after ``[set]``."""
    axes = [Axis(CASE, _cases(spec.cases, base))] if spec.cases else []
    if spec.random is not None:
        axes.append(_random(spec))
    for name, levels in spec.levels.items():
        axes.append(Axis(name, [Level({name: level}, changes) for level, changes in levels.items()]))
    for name, values in spec.grid.items():
        pairs = zip(_labels(name, values), values, strict=True)
        axes.append(Axis(name, [Level({name: label}, {name: value}) for label, value in pairs]))
    if spec.replications is not None:
        seeds = replication_seeds(spec.seed, spec.replications)
        axes.append(Axis(REPLICATION, [Level({REPLICATION: r}, {"seed": seed}) for r, seed in enumerate(seeds)]))
    return axes


def points(axes: Sequence[Axis]) -> Iterator[Point]:
    """All points, the last axis fastest; one without axes."""
    for chosen in product(*(enumerate(axis.levels) for axis in axes)):
        fields = {name: value for _, level in chosen for name, value in level.fields.items()}
        changes = {name: value for _, level in chosen for name, value in level.changes.items()}
        yield Point(tuple(place for place, _ in chosen), fields, _whole_first(changes))


def _whole_first(changes: Mapping[str, Any]) -> dict[str, Any]:
    def rank(name: str) -> tuple[int, bool]:
        parts = name.split(".")
        return len(parts), "*" not in parts

    return {name: changes[name] for name in sorted(changes, key=rank)}


def _cases(cases: Sequence[Mapping[str, Any]], base: Scenario) -> list[Level]:
    """Levels of a list design; a case that leaves alone what another changes has the base's value in tables."""
    changes = [{name: value for name, value in case.items() if name != "name"} for case in cases]
    columns = {}
    for name in dict.fromkeys(name for case in changes for name in case):
        columns[name] = _labels(name, [case.get(name, _value_in(base, name)) for case in changes])
    return [
        Level({CASE: case.get("name", f"{CASE}-{row + 1}"), **{name: columns[name][row] for name in columns}}, own)
        for row, (case, own) in enumerate(zip(cases, changes, strict=True))
    ]


def _random(spec: SweepSpec) -> Axis:
    if spec.random is None:
        raise AssertionError("a sweep without a random design")
    drawn = samples(spec.random, spec.seed)
    labels = {name: _labels(name, values) for name, values in drawn.items()}
    return Axis(
        SAMPLE,
        [
            Level(
                {SAMPLE: row, **{name: several[row] for name, several in labels.items()}},
                {name: values[row] for name, values in drawn.items()},
            )
            for row in range(spec.random.samples)
        ],
    )


def _value_in(scenario: Scenario, name: str) -> Any:
    """A field of a scenario by its dotted name; None where it has none of this name."""
    value: Any = scenario
    for part in name.split("."):
        if part not in getattr(type(value), "model_fields", {}):
            return None
        value = getattr(value, part)
    return value


def _labels(name: str, values: Sequence[Any]) -> list[Any]:
    """Values as cells of a table: of files no more of the path than tells them apart, of arrays and tables JSON."""
    if name in FILE_FIELDS and all(isinstance(value, str | None) for value in values):
        return _tails(values)
    return [_cell(value) for value in values]


def _tails(files: Sequence[str | None]) -> list[str | None]:
    """Ends of paths, so many parts of each that different paths differ."""
    paths = [None if file is None else Path(file).parts for file in files]
    for n in range(1, max(len(parts) for parts in paths if parts) + 1):
        tails = [None if parts is None else Path(*parts[-n:]).as_posix() for parts in paths]
        if len(set(tails)) == len(set(paths)):
            break
    return tails


def _cell(value: Any) -> bool | int | float | str | None:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, BaseModel):
        value = value.model_dump(exclude_none=True)
    return json.dumps(value, ensure_ascii=False, default=str)
