"""Plugins: Python files of a user's own, named by path, that register rules and signals when they are imported."""

from __future__ import annotations

import hashlib
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from feeders.errors import InputError

__all__ = ["load_plugin"]

_loaded: dict[Path, ModuleType | InputError] = {}  # a failed import may have registered half of its rules: not again


def load_plugin(path: Path) -> ModuleType:
    """Import a Python file by its path, once in a process.

    The file stands alone: its folder is not searched for others that it may import, since what a sweep keeps is named
    after the contents of the plugins themselves.

    Raises
    ------
    InputError
        When it is not there or cannot be imported, with the line where that ended; its ``__cause__`` is the error.
    """
    path = path.absolute().resolve()
    if path not in _loaded:
        try:
            _loaded[path] = _imported(path)
        except InputError as error:
            _loaded[path] = error
    found = _loaded[path]
    if isinstance(found, InputError):
        raise found
    return found


def _imported(path: Path) -> ModuleType:
    try:
        path.read_bytes()
    except OSError as error:
        raise InputError(str(path), "plugin", error.strerror or str(error), "a Python file that can be read") from error
    name = f"cosim_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputError(str(path), "plugin", path.name, "a Python file, NAME.py")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        del sys.modules[name]
        raise
    except BaseException as error:  # SystemExit too: a script is no plugin
        del sys.modules[name]
        text = " ".join(f"{type(error).__name__}: {error}".split())
        raise InputError(str(path), _line(error, path), text, "a Python file that can be imported") from error
    return module


def _line(error: BaseException, path: Path) -> str:
    """The last line of the file that was reached."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}"
    lines, traceback = [], error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            lines.append(traceback.tb_lineno)
        traceback = traceback.tb_next
    return f"line {lines[-1]}" if lines else "import"
