"""How inner loops are compiled, said once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba

__all__ = ["compiled"]

Loop = TypeVar("Loop", bound=Callable[..., Any])


def compiled(loop: Loop) -> Loop:
    """Compile a function at its first call: without the interpreter's lock, kept on disk for the next process.

    Division by zero gives what IEEE 754 says instead of an error, and no sum is reordered. The environment's
    ``NUMBA_DISABLE_JIT=1`` leaves the function as it is: slower by a hundred times, with the same results.

    What is kept is made anew when any source file has changed. Numba itself looks at the function's own file alone, and
    would go on with old copies of the functions and constants that it took from others.
    """
    kept = numba.njit(nogil=True, cache=True, error_model="numpy")(loop)
    file = getattr(getattr(kept, "_cache", None), "_cache_file", None)
    if file is not None and hasattr(file, "_source_stamp"):
        file._source_stamp = (file._source_stamp, _sources())
        return kept  # type: ignore[no-any-return]
    return numba.njit(nogil=True, error_model="numpy")(loop)  # type: ignore[no-any-return]


@cache
def _sources() -> str:
    """A hash of all source files of the packages beside this one: constants too are copied into what is compiled."""
    root = Path(__file__).parent.parent
    paths = [path for part in ("agents", "cosim", "feeders") for path in sorted((root / part).rglob("*.py"))]
    return sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()
