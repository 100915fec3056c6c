"""From pydantic's findings to the project's one-line errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from feeders.errors import InputError

__all__ = ["input_errors"]


def input_errors(error: ValidationError, data: Mapping[str, Any], where: str) -> list[InputError]:
    """One `InputError` for each finding: field by its dotted name (prosumers by id), value, what is allowed."""
    found = []
    for item in error.errors(include_url=False):
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, InputError):
            found.append(InputError(where, _dotted(item["loc"], data, cause.field), cause.value, cause.allowed))
            continue
        field = _dotted(item["loc"], data)
        if item["type"] == "extra_forbidden":
            found.append(InputError(where, field, item["loc"][-1], "a known key (is it misspelt?)"))
        elif item["type"] == "missing":
            found.append(InputError(where, field, None, "a value: this field is required"))
        else:
            found.append(InputError(where, field, item["input"], _plain(item["msg"])))
    return found


def _dotted(loc: tuple[int | str, ...], data: Mapping[str, Any], last: str = "") -> str:
    parts: list[str] = []
    for index, part in enumerate(loc):
        if isinstance(part, int) and loc[index - 1] == "prosumers":
            parts.append(_prosumer_name(data, part))
        else:
            parts.append(str(part))
    return ".".join([*parts, last] if last else parts)


def _prosumer_name(data: Mapping[str, Any], index: int) -> str:
    entry = data["prosumers"][index]
    name = entry.get("id") if isinstance(entry, Mapping) else None
    return name if isinstance(name, str) else f"[{index}]"


def _plain(message: str) -> str:
    """Pydantic's words as the end of 'allowed: ...'."""
    text = message.removeprefix("Input should be ").removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
