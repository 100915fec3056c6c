"""Changes to a scenario by dotted names, applied to its plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from cosim.errors import known_key
from feeders.errors import InputError, InputErrors

__all__ = ["apply_changes", "touches"]


def touches(changes: Mapping[str, Any], name: str) -> bool:
    """Whether a field, or any field inside it, is among what is changed."""
    return any(f"{key}.".startswith(f"{name}.") for key in changes)


def apply_changes(data: dict[str, Any], changes: Mapping[str, Any], where: str, prosumer: type[BaseModel]) -> None:
    """Set fields in the plain data of a scenario, whose ``prosumers`` may be data or models of class `prosumer`.

    Raises
    ------
    InputErrors
        When a name leads nowhere.
    """
    if "population.placement" in changes and "population.buses" not in changes:
        data.get("population", {}).pop("buses", None)
    for key, value in changes.items():
        head, *rest = key.split(".")
        if head == "prosumers":
            name, field = ".".join(rest[:-1]), "".join(rest[-1:])
            _assign_prosumers(data["prosumers"], name, field, value, where, key, prosumer)
        else:
            _assign(data, [head, *rest], value, where, key)


def _assign(data: dict[str, Any], path: list[str], value: Any, where: str, key: str) -> None:
    """Set one field of plain data; `path` are the parts of its dotted name `key`."""
    head, *rest = path
    if not rest:
        data[head] = value
    elif isinstance(data.setdefault(head, {}), dict):
        _assign(data[head], rest, value, where, key)
    elif len(rest) > 1 and _are_named(data[head]):
        _assign_named(data[head], ".".join(rest[:-1]), rest[-1], value, where, key)
    else:
        raise InputErrors(
            [InputError(where, key, value, f"{key.removesuffix('.' + '.'.join(rest))} alone: it has no fields")]
        )


def _are_named(value: Any) -> bool:
    """Whether it is an array of tables that have names."""
    return isinstance(value, list | tuple) and all(isinstance(row, dict) and "name" in row for row in value)


def _assign_named(rows: Sequence[dict[str, Any]], name: str, field: str, value: Any, where: str, key: str) -> None:
    """Set a field of the tables of that name in an array of them, or of all with ``*``."""
    chosen = [row for row in rows if name in ("*", row["name"])]
    if not chosen:
        near = get_close_matches(name, [row["name"] for row in rows], n=3, cutoff=0.0)
        allowed = (
            f"the name of one of them, or * for all; nearest: {', '.join(near)}" if near else "none: there are none"
        )
        raise InputErrors([InputError(where, key, name, allowed)])
    for row in chosen:
        row[field] = value


def _assign_prosumers(
    people: list[Any], name: str, field: str, value: Any, where: str, key: str, prosumer: type[BaseModel]
) -> None:
    ids = [p["id"] if isinstance(p, dict) else p.id for p in people]
    chosen = [row for row, known in enumerate(ids) if name in ("*", known)]
    if not name:
        problem = InputError(where, key, value, "prosumers.NAME.FIELD for one prosumer, or prosumers.*.FIELD for all")
    elif not chosen and name != "*":
        near = get_close_matches(name, ids, n=3, cutoff=0.0)
        problem = InputError(where, key, name, f"the id of a prosumer, or * for all; nearest: {', '.join(near)}")
    elif field not in prosumer.model_fields:
        problem = InputError(where, key, value, known_key(field, list(prosumer.model_fields)))
    else:
        for row in chosen:
            if not isinstance(people[row], dict):  # only those that change are checked again
                people[row] = dict(people[row])
            people[row][field] = value
        return
    raise InputErrors([problem])
