"""How inner loops are compiled, said once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

__all__ = ["compiled"]

Loop = TypeVar("Loop", bound=Callable[..., Any])


def _sources() -> str:
    """A digest of this package's code."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


_SOURCES = _sources()


def compiled(loop: Loop) -> Loop:
    """Compile a function at its first call: without the interpreter's lock, kept on disk for the next process.

    Division by zero gives what IEEE 754 says instead of an error, and no sum is reordered. The environment's
    ``NUMBA_DISABLE_JIT=1`` leaves the function as it is: slower by some hundred times, with the same results.
    """
    name = loop.__qualname__
    # Numba would load a loop from disk although a function or constant that it took from another file has changed
    # since: it looks at the loop's own file alone. It names what it keeps after the function, once, in `njit`.
    loop.__qualname__ = f"{name}-{_SOURCES}"
    result: Loop = numba.njit(nogil=True, cache=True, error_model="numpy")(loop)
    loop.__qualname__ = name
    return result
