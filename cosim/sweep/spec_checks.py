"""What a sweep must be beyond types: reads as a list of checks, all findings at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cosim.outcome import INDEX_COLUMNS
from cosim.sweep.columns import CASE, REPLICATION, RESERVED, SAMPLE
from feeders.errors import InputError

if TYPE_CHECKING:
    from cosim.sweep.spec import SweepSpec

__all__ = ["findings", "given_fields"]


def findings(spec: SweepSpec, where: str) -> list[InputError]:
    """All that is wrong with a sweep whose values are of the right types."""
    return [InputError(where, field, value, allowed) for check in _CHECKS for field, value, allowed in check(spec)]


def given_fields(spec: SweepSpec) -> Iterator[tuple[str, str]]:
    """Every field that the design changes, with the part of the file that does; each once for each part."""
    yield from ((name, "[grid]") for name in spec.grid)
    for axis, levels in spec.levels.items():
        yield from ((name, f"[levels.{axis}]") for name in _names(levels.values()))
    yield from ((name, "[[cases]]") for name in _names(spec.cases) if name != "name")
    yield from ((name, "[random]") for name in (spec.random.fields if spec.random else ()))


Finding = tuple[str, Any, str]


def _empty(spec: SweepSpec) -> Iterator[Finding]:
    yield from ((f"grid.{name}", [], "at least one value") for name, values in spec.grid.items() if not values)
    for axis, levels in spec.levels.items():
        if not levels:
            yield f"levels.{axis}", {}, "at least one level: a table of changes, [levels.AXIS.LEVEL]"
    if "cases" in spec.model_fields_set and not spec.cases:
        yield "cases", [], "at least one case: a table of changes, [[cases]]"
    if spec.random is not None and not spec.random.fields:
        yield "random.fields", {}, "at least one field"


def _repeated(spec: SweepSpec) -> Iterator[Finding]:
    listed = {f"grid.{name}": values for name, values in spec.grid.items()}
    if spec.random is not None:
        choices = {f"random.fields.{name}.choices": field.choices or [] for name, field in spec.random.fields.items()}
        listed |= choices
    for name, values in listed.items():
        yield from ((name, value, "each value once") for value in _twice(values))
    yield from (("cases.name", name, "a name of its own for each case") for name in _twice(_case_names(spec)))


def _names_of_cases(spec: SweepSpec) -> Iterator[Finding]:
    for name in _case_names(spec):
        if not isinstance(name, str) or not name:
            yield "cases.name", name, "text that is not empty"


def _in_two_places(spec: SweepSpec) -> Iterator[Finding]:
    places: dict[str, list[str]] = {}
    for name, part in given_fields(spec):
        places.setdefault(name, []).append(part)
    for axis in spec.levels:
        if axis in places:
            places[axis].append(f"[levels.{axis}]")
    for name, parts in places.items():
        if len(parts) > 1:
            yield name, " and ".join(dict.fromkeys(parts)), "one part of the design: another would have no effect"


def _taken(spec: SweepSpec) -> Iterator[Finding]:
    for axis in spec.levels:
        if axis in RESERVED:
            yield f"levels.{axis}", axis, "a name that is no column of the sweep's tables"
    for name, part in given_fields(spec):
        if name in INDEX_COLUMNS or name in (CASE, SAMPLE, REPLICATION):
            yield name, part, "the field of a scenario by its dotted name; this is a column of the sweep's tables"


def _seeds(spec: SweepSpec) -> Iterator[Finding]:
    parts = [part for name, part in (*given_fields(spec), *((name, "[set]") for name in spec.set)) if name == "seed"]
    if spec.replications is not None and parts:
        yield "seed", parts[0], "either replications, which have seeds of their own, or seeds by hand"
    if "seed" in spec.model_fields_set and spec.replications is None and spec.random is None:
        allowed = "none without replications or [random], whose seeds come of it; that of the scenario is seed in [set]"
        yield "seed", spec.seed, allowed


_CHECKS = (_empty, _repeated, _names_of_cases, _in_two_places, _taken, _seeds)


def _names(tables: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for table in tables for name in table))


def _case_names(spec: SweepSpec) -> list[Any]:
    return [case["name"] for case in spec.cases if "name" in case]


def _twice(values: Iterable[Any]) -> list[Any]:
    """Those that are there more than once; 1 and 1.0 are the same number, 1 and true are not the same value."""
    texts = {}
    counts: Counter[str] = Counter()
    for value in values:
        text = json.dumps(_alike(value), sort_keys=True, default=str)
        counts[text] += 1
        texts[text] = value
    return [texts[text] for text, count in counts.items() if count > 1]


def _alike(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_alike(item) for item in value]
    if isinstance(value, dict):
        return {key: _alike(item) for key, item in value.items()}
    return float(value) if type(value) is int else value
