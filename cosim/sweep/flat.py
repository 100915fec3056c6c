"""A sweep's plain data made flat: nested tables as dotted names of fields, names of files absolute."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cosim.scenario import FILE_FIELDS, place_files
from cosim.sweep.random_design import RandomField

__all__ = ["flat"]


def flat(data: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The data of a sweep's file with dotted names in all its parts; files were relative to `folder`.

    In ``[grid]`` tables are nested down to lists, in ``[random.fields]`` down to ``low``, ``high`` or ``choices``. In
    changes they are nested down to values; a table with a ``kind`` inside a part of the scenario, such as the
    distribution of a population's size, is one. What is no table where one should be is left as it is.
    """
    parts: dict[str, Callable[[Any], Any]] = {
        "set": lambda part: _changes(part, folder),
        "grid": lambda part: _grid(part, folder),
        "levels": lambda part: _each(part, lambda axis: _each(axis, lambda level: _changes(level, folder))),
        "cases": lambda part: [_changes(case, folder) for case in part] if isinstance(part, list | tuple) else part,
        "random": lambda part: _random(part, folder),
    }
    return {key: parts[key](part) if key in parts else part for key, part in data.items()}


def _changes(part: Any, folder: Path) -> Any:
    if not isinstance(part, Mapping):
        return part
    found = _dotted(part, lambda name, table: "." in name and "kind" in table)
    return {name: _placed(name, value, folder) for name, value in found.items()}


def _grid(part: Any, folder: Path) -> Any:
    if not isinstance(part, Mapping):
        return part
    found = _dotted(part, lambda _name, _table: False)
    return {name: _all_placed(name, values, folder) for name, values in found.items()}


def _random(part: Any, folder: Path) -> Any:
    if not isinstance(part, Mapping) or not isinstance(part.get("fields"), Mapping):
        return part
    fields = _dotted(part["fields"], lambda _name, table: bool(RandomField.model_fields.keys() & table.keys()))
    for name, field in fields.items():
        if isinstance(field, Mapping) and "choices" in field:
            fields[name] = {**field, "choices": _all_placed(name, field["choices"], folder)}
    return {**part, "fields": fields}


def _each(tables: Any, convert: Callable[[Any], Any]) -> Any:
    return {key: convert(table) for key, table in tables.items()} if isinstance(tables, Mapping) else tables


def _dotted(table: Mapping[str, Any], is_value: Callable[[str, Mapping[str, Any]], bool], prefix: str = "") -> Any:
    """A nested table as values by dotted names; an empty table is a value."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value and not is_value(name, value):
            found |= _dotted(value, is_value, f"{name}.")
        else:
            found[name] = value
    return found


def _all_placed(name: str, values: Any, folder: Path) -> Any:
    return [_placed(name, value, folder) for value in values] if isinstance(values, list | tuple) else values


def _placed(name: str, value: Any, folder: Path) -> Any:
    """The value of a field with the names of files in it absolute."""
    if isinstance(value, Mapping):
        table = dict(value)
        place_files({name: table}, folder)
        return table
    return str(folder.resolve() / value) if name in FILE_FIELDS and isinstance(value, str) else value
