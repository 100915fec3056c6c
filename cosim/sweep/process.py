"""A child process as its supervisor has it: started, asked, listened to, measured, ended."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import cast

import psutil

import cosim

__all__ = ["Child", "death"]

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "BLIS_NUM_THREADS")
_TAIL_BYTES = 16_384  # of what a child wrote to its standard error
_GOODBYE_S = 2.0  # for an idle child to see the end of its input


def _deaf() -> None:
    """Block what a terminal or a batch system sends to a whole group of processes, from the child's first moment on."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})


# One thread starts all children. They inherit its mask of signals; and the kernel kills them when this thread ends,
# which is when the whole process does, while the threads that supervise may come and go.
_starter = ThreadPoolExecutor(1, "cosim-starter", initializer=_deaf)


class Child:
    """One process of `cosim.sweep.child`.

    Parameters
    ----------
    serves : object
        What its tasks must share, e.g. the version of the code; see `Supervisor`.

    Attributes
    ----------
    serves : object
        As given.
    runs : int
        Tasks it has answered.
    """

    def __init__(self, serves: object) -> None:
        self.serves, self.runs = serves, 0
        self._process = _starter.submit(_started).result()
        self._memory = psutil.Process(self._process.pid) if self._process.poll() is None else None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._tail = b""
        self._readers = [threading.Thread(target=work, daemon=True) for work in (self._listen, self._keep_tail)]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether its process has not ended."""
        return self._process.poll() is None

    def send(self, line: str) -> None:
        """Give it a task; never waits, however long the line and whatever state the process is in."""
        threading.Thread(target=self._write, args=(line.encode() + b"\n",), daemon=True).start()

    def line(self, timeout_s: float) -> str | None:
        """The next line that it says, None where there is none in time.

        Raises
        ------
        EOFError
            When it says nothing any more.
        """
        try:
            line = self._lines.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if line is None:
            raise EOFError
        return line

    def memory_mb(self) -> float:
        """Resident memory of its process [MB], 0 where there is none any more."""
        with suppress(psutil.Error):
            if self._memory is not None:
                return float(self._memory.memory_info().rss) / 1e6
        return 0.0

    def forget_tail(self) -> None:
        """Begin to keep its standard error anew."""
        self._tail = b""

    def tail(self) -> str:
        """The end of what it wrote to its standard error."""
        return self._tail.decode("utf-8", "replace").strip()

    def kill(self) -> int:
        """End it now, and whatever it has started; returns how its process ended, as of `subprocess`."""
        started: list[psutil.Process] = []
        with suppress(psutil.Error):
            started = [] if self._memory is None else self._memory.children(recursive=True)
        self._process.kill()
        for process in started:
            with suppress(psutil.Error):
                process.kill()
        return self._reaped()

    def close(self) -> None:
        """End it, and be sure of it."""
        self._hang_up()
        try:
            self._process.wait(_GOODBYE_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._reaped()

    def _reaped(self) -> int:
        code = self._process.wait()
        self._hang_up()
        for reader in self._readers:
            reader.join(1.0)  # not for ever: something that it has started may still hold the pipes
        return code

    def _hang_up(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        with suppress(OSError, ValueError):  # that the process has ended is heard elsewhere
            while left and self._process.stdin is not None:
                left = left[self._process.stdin.write(left) :]

    def _listen(self) -> None:
        if self._process.stdout is not None:
            with BufferedReader(cast(RawIOBase, self._process.stdout)) as pipe:
                for line in pipe:
                    self._lines.put(line.decode("utf-8", "replace").strip())
        self._lines.put(None)

    def _keep_tail(self) -> None:
        if self._process.stderr is not None:
            with self._process.stderr as pipe:
                while block := pipe.read(_TAIL_BYTES):
                    self._tail = (self._tail + block)[-_TAIL_BYTES:]


def death(code: int) -> str:
    """How a process ended, in words: the name of the signal, or its exit code."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _started() -> subprocess.Popen[bytes]:
    packages = str(Path(cosim.__file__).absolute().parents[1])  # the child's code is this one's, wherever it is started
    path = os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, **dict.fromkeys(_THREADS, "1"), "PYTHONPATH": path}
    cradle = str(Path(__file__).with_name("cradle.py"))
    command = [sys.executable, "-P", cradle, "cosim.sweep.child", str(os.getpid())]  # -P: no modules from beside it
    pipe = subprocess.PIPE
    return subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
