"""TOML out: the few shapes that scenarios and sweeps have (tables, arrays of tables, plain values)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

__all__ = ["toml_text", "toml_value"]

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


def toml_text(data: Mapping[str, Any]) -> str:
    """`data` as TOML 1.0: values first, then tables, then arrays of tables, in the order given."""
    return "\n".join(_lines(data, prefix="")) + "\n"


def _lines(table: Mapping[str, Any], prefix: str) -> list[str]:
    lines = [f"{_key(key)} = {toml_value(value)}" for key, value in table.items() if not _is_nested(value)]
    for key, value in table.items():
        name = f"{prefix}{_key(key)}"
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *_lines(value, f"{name}.")]
        elif _is_nested(value):
            for item in value:
                lines += ["", f"[[{name}]]", *_lines(item, f"{name}.")]
    return lines


def _is_nested(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list | tuple) and len(value) > 0 and all(isinstance(item, Mapping) for item in value)
    )


@lru_cache(maxsize=4096)
def _key(key: str) -> str:
    """A key, in quotes where it needs them: a dotted name is one key."""
    return key if _BARE.fullmatch(key) else toml_value(key)


def toml_value(value: Any) -> str:
    """One value, or list of values, as TOML."""
    if type(value) in (int, float):
        return repr(value)  # a scenario of many prosumers is made of these
    if isinstance(value, date):  # or a datetime
        return value.isoformat()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):  # among other values: a table in one line
        pairs = (f"{_key(key)} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {', '.join(pairs)} }}"
    # A JSON scalar is TOML too, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
