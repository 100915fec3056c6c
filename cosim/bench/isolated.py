"""Measuring in a process of its own, whose memory is nobody else's."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["in_own_process", "peak_memory_mb", "resident_memory_mb"]


_CODE = "import json, sys, {module} as m; print(json.dumps(m.{name}(*json.loads(sys.argv[1]))))"


def in_own_process(measure: Callable[..., dict[str, Any]], *args: float | str) -> dict[str, Any]:
    """What a function of a module gives, called in a new process; ``{"failed": why}`` where it does not end well.

    The process is not of the terminal's group, so that Ctrl-C reaches this one alone, which then ends it.
    """
    code = _CODE.format(module=measure.__module__, name=measure.__name__)
    command = [sys.executable, "-c", code, json.dumps(args)]
    options: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}
    search = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, encoding="utf-8", env=search, check=False, **options)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        return {"failed": f"ended by signal {-done.returncode}" if done.returncode < 0 else last}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def peak_memory_mb() -> float | None:
    """Most memory that this process has had [MB]; None where the system does not say.

    On Linux not from ``getrusage``, which counts what the parent had when it started this process.
    """
    try:
        return _status_mb("VmHWM")
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def resident_memory_mb() -> float | None:
    """Memory of this process now [MB], once what is unused is freed; None where the system does not say."""
    gc.collect()
    try:
        return _status_mb("VmRSS")
    except OSError:
        return None


def _status_mb(field: str) -> float:
    """A field of ``/proc/self/status`` [MB], given there in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = (line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) * 1024 / 1e6
