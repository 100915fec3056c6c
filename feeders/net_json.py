"""Reading pandapower's JSON as data alone.

``pandapower.from_json`` imports the modules that a file names before it checks them, and returns any function
that a file asks for. Here the text is read first, and only the classes that a net is made of go through.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pandapower as pp
from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError

__all__ = ["read_net"]

_FRAMES = {("pandas.core.frame", "DataFrame"), ("pandas.core.series", "Series")}
_NET = ("pandapower.auxiliary", "pandapowerNet")
_ALLOWED = {
    *_FRAMES,
    _NET,
    ("networkx", "MultiGraph"),
    ("numpy", "array"),
    *(("numpy", name) for name in ("bool", "float32", "float64", "int32", "int64")),
    *(("builtins", name) for name in ("complex", "frozenset", "set", "tuple")),
}
# What to_json writes beside a table; the rest would go to pandas.read_json as arguments.
_FRAME_KEYS = {
    "_class",
    "_module",
    "_object",
    "column_name",
    "column_names",
    "dtype",
    "index_name",
    "index_names",
    "is_multicolumn",
    "is_multiindex",
    "orient",
    "typ",
}
_BYTES_MAX = 200_000_000
_DATA_ONLY = "a net as pandapower's to_json writes it, made of tables alone (controllers hold code)"


def read_net(path: Path) -> pandapowerNet:
    """The net in a JSON file of pandapower.

    Raises
    ------
    InputError
        If the file cannot be read, is above 200 MB, is not such a net, or names a class beyond the tables,
        numbers and graphs that nets are made of. Nothing that the file names has been imported then.
    """
    try:
        if path.stat().st_size > _BYTES_MAX:
            raise InputError(str(path), "size", path.stat().st_size, f"at most {_BYTES_MAX} bytes")
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), "file", str(error), "a readable file in UTF-8") from None
    try:
        content = _parse(text)
        _check(content, str(path))
    except (json.JSONDecodeError, RecursionError, _DuplicateKeyError) as error:
        raise InputError(str(path), "JSON", str(error), _DATA_ONLY) from None
    if not isinstance(content, dict) or _class_of(content) != _NET or not isinstance(content.get("_object"), dict):
        raise InputError(str(path), "JSON", "another kind of content", _DATA_ONLY)
    return _to_net(text, path)


class _DuplicateKeyError(Exception):
    """The same key twice: two parsers could read two different things."""


def _to_net(text: str, path: Path) -> pandapowerNet:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # files of older formats are converted, then checked
        try:
            net = pp.from_json_string(text, convert=True)
        except Exception as error:  # pandapower raises whatever its conversion meets
            reason = f"{type(error).__name__}: {error}"
            raise InputError(str(path), "net", reason, "a net that pandapower can load") from error
    if not isinstance(net, pandapowerNet):
        raise InputError(str(path), "net", type(net).__name__, "a net that pandapower can load")
    return net


def _parse(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise _DuplicateKeyError("duplicate key")
    return content


def _check(content: Any, where: str) -> None:
    """Refuse any class that is not allowed, also in JSON inside strings, as tables are stored."""
    if isinstance(content, dict):
        if "_module" in content or "_class" in content:
            _check_class(content, where)
        for value in content.values():
            _check(value, where)
    elif isinstance(content, list):
        for value in content:
            _check(value, where)
    elif isinstance(content, str) and content.lstrip()[:1] in ("{", "["):
        try:
            inner = _parse(content)
        except json.JSONDecodeError:
            return  # plain text that starts with a bracket
        _check(inner, where)


def _check_class(content: dict[str, Any], where: str) -> None:
    named = _class_of(content)
    if named not in _ALLOWED:
        raise InputError(where, "_module, _class", ".".join(map(str, named)), _DATA_ONLY)
    if named in _FRAMES:
        table = content.get("_object")
        # a path would be opened
        if not isinstance(table, str) or table.lstrip()[:1] not in ("{", "["):
            raise InputError(where, f"{named[1]}._object", table, "a table as JSON text")
        _parse(table)
        if not set(content) <= _FRAME_KEYS:
            raise InputError(where, named[1], sorted(set(content) - _FRAME_KEYS), "no other keys")


def _class_of(content: dict[str, Any]) -> tuple[str, str]:
    return (str(content.get("_module")), str(content.get("_class")))
