"""Writing a file that is new, whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from feeders.errors import InputError

__all__ = ["write_new"]


def write_new(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; one that holds something else is left as it is.

    Raises
    ------
    InputError
        When the file cannot be written, or is there already with other content.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if path.exists() and path.read_bytes() != content:
            raise InputError("--out", "file", str(path), "a new file: this one holds something else")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            "--out", "file", str(path), f"a file that can be written ({error.strerror or error})"
        ) from None
    finally:
        with suppress(OSError):  # it never came to be
            temporary.unlink()
