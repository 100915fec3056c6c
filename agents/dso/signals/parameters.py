"""Parameters of signals: a default and a range each."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from feeders.errors import InputError, InputErrors

__all__ = ["Parameters", "within"]


def within(low: float, high: float, default: float) -> Any:
    """A parameter with a default, and the least and greatest value that are allowed."""
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class Parameters:
    """Base of all signals: refuses, in one error, all parameters outside their ranges.

    Raises
    ------
    InputErrors
        For numbers outside their ranges, NaN among them, or of another type than their default.
    """

    name: ClassVar[str]

    def __post_init__(self) -> None:
        faults = []
        for parameter in fields(self):
            value = getattr(self, parameter.name)
            wanted = bool if isinstance(parameter.default, bool) else (int, float)
            low, high = parameter.metadata.get("range", (False, True))
            if not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool) or not low <= value <= high:
                allowed = "true or false" if wanted is bool else f"a number from {low:g} to {high:g}"
                faults.append(InputError(f"signal {self.name!r}", parameter.name, value, allowed))
        if faults:
            raise InputErrors(faults)
