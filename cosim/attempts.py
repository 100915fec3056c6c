"""What is refused when something is tried: errors of input as values, so that all are found in one pass."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TypeVar

from feeders.errors import InputError, InputErrors

__all__ = ["allowed_instead", "caught"]

T = TypeVar("T", bound=Hashable)


def allowed_instead(values: Iterable[T], attempt: Callable[[T], object]) -> dict[T, str]:
    """What is allowed in place of those values that an attempt refuses; each value is tried once."""
    found = {}
    for value in dict.fromkeys(values):
        try:
            attempt(value)
        except InputError as error:
            found[value] = error.allowed
    return found


def caught(attempt: Callable[[], object]) -> Iterator[InputError]:
    """The input error that an attempt ends in, if it does."""
    try:
        attempt()
    except InputErrors as several:
        yield from several.errors
    except InputError as error:
        yield error
