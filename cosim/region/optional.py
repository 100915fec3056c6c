"""Packages of the extra ``region``, imported where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from feeders.errors import InputError

__all__ = ["optional_package"]


def optional_package(name: str, what: str) -> Any:
    """The module of that name.

    Raises
    ------
    InputError
        Where it is missing; the message names the extra, and `what` would be computed with it.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        allowed = "with the extra alone: pip install 'cosim-prosumers[region]'"
        raise InputError("region case", what, f"without {name.split('.')[0]}", allowed) from None
