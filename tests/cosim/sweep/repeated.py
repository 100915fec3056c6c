"""What the command of a failed run comes to when it is typed in."""

from __future__ import annotations

import shlex
import subprocess
import time
from pathlib import Path

import psutil

from tests.cosim.command_line import COSIM
from tests.cosim.sweep.monkey import ROOT

__all__ = ["repeated"]

_START_S = 60.0  # beyond the limit of a run: for Python to load what it needs, on a busy machine


def repeated(command: str, target: Path, timeout_s: float, memory_mb: float) -> str:
    """Run ``cosim run ... --out NEW_DIR`` to `target`: how it ended, and the last that it said.

    Where it takes longer, or more memory, than a run of the sweep might, it is ended, and that is said.
    """
    words = shlex.split(command.replace("NEW_DIR", shlex.quote(str(target))))
    if words[:2] != ["cosim", "run"]:
        return f"not a command of cosim: {command}"
    log = target.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen([*COSIM, *words[1:]], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        ended = _watched(process, timeout_s + _START_S, memory_mb)
    finally:
        process.kill()
        process.wait()
    return f"{ended}: {log.read_text(errors='replace')[-1500:]}"


def _watched(process: subprocess.Popen[bytes], patience_s: float, memory_mb: float) -> str:
    end, memory = time.monotonic() + patience_s, psutil.Process(process.pid)
    while (code := process.poll()) is None:
        if time.monotonic() > end:
            return f"no end after {patience_s:g} s"
        try:
            if memory.memory_info().rss > 1e6 * memory_mb:
                return f"more than {memory_mb:g} MB"
        except psutil.Error:
            pass
        time.sleep(0.05)
    return f"exit {code}"
