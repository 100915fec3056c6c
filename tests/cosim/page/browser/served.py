"""``cosim app`` in a process of its own, as a user starts it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from tests.cosim.command_line import COSIM

__all__ = ["PATIENCE_S", "Served", "serving"]

PATIENCE_S = 300.0
"""For the start on a busy machine, where functions are compiled first."""

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+\S*")


@dataclass(frozen=True)
class Served:
    """A running server.

    Attributes
    ----------
    address : str
        What it printed.
    process : psutil.Process
    log : Path
        All that it prints, warnings and tracebacks too.
    start_s : float
        From its start to its printed address [s].
    """

    address: str
    process: psutil.Process
    log: Path
    start_s: float

    @property
    def host(self) -> str:
        """Address and port."""
        return urlsplit(self.address).netloc

    def tracebacks(self, begin: int = 0) -> list[str]:
        """What it printed after so many characters, if that tells of an exception nobody caught."""
        text = self.log.read_text(encoding="utf-8")[begin:]
        return [text] if "Traceback (most recent call last)" in text else []

    def cpu_s(self) -> float:
        """CPU time so far [s]."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss_mb(self) -> float:
        """Resident memory [MB]."""
        return float(self.process.memory_info().rss / 1e6)


@contextmanager
def serving(folder: Path, *args: object, patience_s: float = PATIENCE_S) -> Iterator[Served]:
    """Start ``cosim app ARGS`` on a free port, wait for the address it prints, and end it at last."""
    log = folder / "server.txt"
    command = [*COSIM, "app", *map(str, args), "--port", "0", "--no-open"]
    begin = time.monotonic()
    with log.open("w", encoding="utf-8") as out:
        environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
        started = subprocess.Popen(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, env=environ)
    try:
        address = _printed(log, started, command, begin + patience_s)
        yield Served(address, psutil.Process(started.pid), log, time.monotonic() - begin)
    finally:
        started.terminate()
        try:
            started.wait(20)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def _printed(log: Path, started: subprocess.Popen[bytes], command: Sequence[str], until: float) -> str:
    while time.monotonic() < until and started.poll() is None:
        text = log.read_text(encoding="utf-8")
        if found := ADDRESS.search(text):
            return found.group()
        time.sleep(0.02)
    text = log.read_text(encoding="utf-8")
    raise AssertionError(f"{' '.join(command)} printed no address, ended with {started.poll()}:\n{text}")
