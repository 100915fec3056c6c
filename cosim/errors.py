"""From pydantic's findings to the project's one-line errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from feeders.errors import InputError, InputErrors

__all__ = ["input_errors", "known_key", "validated"]

Model = TypeVar("Model", bound=BaseModel)

_WORDS = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number below 2**63",
    "int_type": "a whole number",
    "list_type": "an array of values, e.g. [2, 3]",
    "model_attributes_type": "a table",
    "model_type": "a table",
    "string_pattern_mismatch": "letters, digits, '_', '.' and '-', first a letter or digit, at most 64",  # of names
    "string_too_short": "text that is not empty",
    "string_type": "text",
    "tuple_type": "an array of values, e.g. [2, 3]",
}
_TABLES = "an array of tables, each headed by the name in double brackets"
_DATETIME = "a date and time with offset, without quotes, e.g. 2016-06-07T22:00:00Z or 2016-06-08T00:00:00+02:00"
_COMPARISONS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def validated(cls: type[Model], data: Mapping[str, Any], where: str) -> Model:
    """A model of plain data; all errors at once, each with its field, value and what is allowed.

    Raises
    ------
    InputErrors
    """
    try:
        return cls.model_validate(data)
    except ValidationError as error:
        raise InputErrors(input_errors(error, data, where, cls)) from None


def input_errors(
    error: ValidationError, data: Mapping[str, Any], where: str, model: type[BaseModel]
) -> list[InputError]:
    """One `InputError` for each finding: field by its dotted name (prosumers by id), value, what is allowed.

    Parameters
    ----------
    error : ValidationError
        What pydantic found.
    data : mapping
        The plain data in which it was found.
    where : str
        The file or option that the data are from.
    model : type of BaseModel
        What the data should have been.
    """
    found: dict[tuple[int | str, ...], InputError] = {}
    for item in error.errors(include_url=False):
        path = _path_in(data, item["loc"], missing=item["type"] == "missing")
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, InputError):
            found[*path, cause.field] = InputError(where, _dotted(path, data, cause.field), cause.value, cause.allowed)
            continue
        if item["type"].startswith("union_tag"):
            path = (*path, "kind")
        allowed = _allowed(item, model)
        if path in found:  # a value that fits no member of a union is found once for each
            allowed = f"{found[path].allowed} or {allowed}"
        found[path] = InputError(where, _dotted(path, data), _given(item), allowed)
    return list(found.values())


def known_key(key: str, known: Sequence[str]) -> str:
    """What is allowed in place of an unknown key: the nearest known ones, or all where none is near."""
    near = get_close_matches(key, known, n=3, cutoff=0.5)
    return f"a known key; nearest: {', '.join(near)}" if near else f"a known key: {', '.join(known)}"


def _path_in(data: Any, loc: tuple[int | str, ...], *, missing: bool) -> tuple[int | str, ...]:
    """`loc` without the members of unions that pydantic puts between the keys of the data."""
    path: list[int | str] = []
    for index, part in enumerate(loc):
        if isinstance(data, Mapping) and (part in data or (missing and index == len(loc) - 1)):
            data = data.get(part)
        elif isinstance(data, Sequence) and isinstance(part, int):
            data = data[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _dotted(path: tuple[int | str, ...], data: Mapping[str, Any], last: str = "") -> str:
    text = ""
    for index, part in enumerate(path):
        name = _prosumer_name(data, int(part)) if index and path[index - 1] == "prosumers" else None
        text += f".{part if name is None else name}" if isinstance(part, str) or name is not None else f"[{part}]"
    return f"{text}.{last}".strip(".")


def _prosumer_name(data: Mapping[str, Any], index: int) -> str | None:
    entry = data["prosumers"][index]
    name = entry.get("id") if isinstance(entry, Mapping) else None
    return name if isinstance(name, str) else None


def _given(item: Mapping[str, Any]) -> object:
    """The value found, as TOML has it; None where there is none."""
    value = item["ctx"]["tag"] if item["type"] == "union_tag_invalid" else item["input"]
    if item["type"] in ("missing", "union_tag_not_found"):
        return None
    return value.isoformat() if isinstance(value, date) else value


def _allowed(item: Mapping[str, Any], model: type[BaseModel]) -> str:
    """What would be accepted in place of a finding, in words."""
    kind, loc = item["type"], item["loc"]
    if kind == "extra_forbidden":
        return known_key(str(loc[-1]), [key for m in _models(model, loc[:-1]) for key in m.model_fields])
    if kind.startswith("union_tag"):
        return ", ".join(str(m.model_fields["kind"].default) for m in _models(model, loc))
    if kind == "missing":
        return "a value: this field has no default"
    if kind.startswith(("datetime", "timezone")):
        return _DATETIME
    if kind == "tuple_type" and _models(model, loc):
        return _TABLES
    if kind == "too_short":
        return f"an array of at least {item['ctx']['min_length']}"
    if kind == "float_type" and loc[-1] == "number":  # tag of the plain member of `cosim.distributions.Quantity`
        return "a number, or a table with the kind of a distribution"
    if _COMPARISONS.keys() & item.get("ctx", {}).keys():
        fields = [m.model_fields[loc[-1]] for m in _models(model, loc[:-1]) if loc[-1] in m.model_fields]
        return _range(item["ctx"], fields[0] if fields else FieldInfo())
    return _WORDS.get(kind) or str(item["msg"]).removeprefix("Input should be ")


def _range(passed: Mapping[str, Any], field: FieldInfo) -> str:
    """All the limits of a field, not just the one that was passed, and what the field is."""
    limits = dict(passed)
    for part in field.metadata:
        if is_dataclass(part) and not isinstance(part, type):
            limits |= asdict(part)
    words = " and ".join(f"{sign} {_plain(limits[name])}" for name, sign in _COMPARISONS.items() if name in limits)
    return f"a number {words}" + (f" ({field.description})" if field.description else "")


def _plain(limit: float) -> float:
    """Without a fraction where there is none."""
    return int(limit) if limit == int(limit) else limit


def _models(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The models that may stand at a place; several where a union has not been told apart yet."""
    found, is_key = [model], False
    for part in loc:
        if isinstance(part, int) or is_key:  # a place in an array, or a name that the user gave
            is_key = False
            continue
        chosen = [m for m in found if "kind" in m.model_fields and m.model_fields["kind"].default == part]
        fields = [m.model_fields[part].annotation for m in found if part in m.model_fields]
        found = chosen or [m for annotation in fields for m in _models_in(annotation)]
        is_key = any(get_origin(annotation) is dict for annotation in fields)
    return found


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for member in get_args(annotation) for m in _models_in(member)]
