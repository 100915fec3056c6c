"""TOML out: the few shapes that a scenario has (tables, arrays of tables, plain values)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

__all__ = ["toml_text", "toml_value"]


def toml_text(data: Mapping[str, Any]) -> str:
    """`data` as TOML 1.0: values first, then tables, then arrays of tables, in the order given."""
    return "\n".join(_lines(data, prefix="")) + "\n"


def _lines(table: Mapping[str, Any], prefix: str) -> list[str]:
    lines = [f"{key} = {toml_value(value)}" for key, value in table.items() if not _is_nested(value)]
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *_lines(value, f"{name}.")]
        elif _is_nested(value):
            for item in value:
                lines += ["", f"[[{name}]]", *_lines(item, f"{name}.")]
    return lines


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and len(value) > 0 and isinstance(value[0], Mapping)
    )


def toml_value(value: Any) -> str:
    """One value, or list of values, as TOML."""
    if type(value) in (int, float):
        return repr(value)  # a scenario of many prosumers is made of these
    if isinstance(value, date):  # or a datetime
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    # A JSON scalar is TOML too, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
