"""Where the runs of a sweep go: threads of this process, or those of any Dask scheduler's workers, each with a child.

Dask only distributes. What comes back through it is an `Outcome`; results are files.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cosim.sweep.halt import FolderHalt
from cosim.sweep.identity import code_version
from cosim.sweep.supervisor import close_supervisors, supervisor_here
from cosim.sweep.task import Failure, Outcome, Reason, Task
from feeders.errors import CosimError, InputError

__all__ = ["Pool", "SchedulerLostError", "connected", "embedded", "local"]

_CONNECT_S = 5.0
_LOOK_S = 2.0  # from one look at who works for a scheduler to the next
_PER_THREAD = 3  # tasks under way: one that runs, and enough that none waits for the driver
_AT_LEAST = 8  # with few threads or none: enough for a scheduler that starts workers by what there is to do


class SchedulerLostError(CosimError):
    """The scheduler that a sweep was given to does not answer any more."""


class _Flight(NamedTuple):
    """A task that was handed out, and how often."""

    task: Task
    future: Any
    tries: int


class Pool:
    """Threads that do tasks, here or elsewhere; for one thread.

    Attributes
    ----------
    dashboard : str
        Address of Dask's dashboard; empty where there is none.
    """

    def __init__(self, client: Any, halt: FolderHalt, threads: int | None, dashboard: str) -> None:
        self.dashboard = dashboard
        self._client, self._halt, self._fixed = client, halt, threads
        self._flying: dict[str, _Flight] = {}
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._count = count()
        self._plugins: tuple[str, ...] = ()
        self._code = ""
        self._known: dict[str, int] = {}  # threads by worker
        self._looked = 0.0

    @property
    def threads(self) -> int:
        """How many tasks can be done at once, now."""
        return sum(self._known.values()) if self._fixed is None else self._fixed

    @property
    def under_way(self) -> int:
        """Tasks handed out and not answered."""
        return len(self._flying)

    @property
    def has_room(self) -> bool:
        """Whether one more should be handed out, so that no thread waits."""
        return self.under_way < max(_AT_LEAST, _PER_THREAD * self.threads)

    def submit(self, task: Task, tries: int = 1) -> None:
        """Hand out a task."""
        key = f"cosim-run-{self._halt.token}-{next(self._count)}"
        future = self._client.submit(_attempt, task, self._halt, key=key, pure=False, retries=0)
        self._flying[key] = _Flight(task, future, tries)
        future.add_done_callback(self._done.put)

    def answered(self, timeout_s: float) -> tuple[Task, Outcome] | None:
        """A task and what became of it, or None where nothing comes in time.

        Raises
        ------
        SchedulerLostError
            When nothing will come any more.
        CosimError
            When a worker cannot do tasks of this sweep.
        """
        self.look()
        try:
            future = self._done.get(timeout=timeout_s)
        except queue.Empty:
            self._require_scheduler()
            return None
        flight = self._flying.pop(future.key)
        if future.status == "finished":
            return flight.task, future.result()
        if future.status == "error":
            from distributed import KilledWorker

            error = future.exception()
            if not isinstance(error, KilledWorker):
                raise CosimError(f"a Dask worker cannot do runs: {type(error).__name__}: {error}")
        self._require_scheduler()
        if flight.tries < flight.task.attempts and not self._halt.asked():
            self.submit(flight.task, flight.tries + 1)
            return None
        message = f"the Dask worker that had it was lost, {flight.tries} times"
        skipped = self._halt.asked()
        failure = None if skipped else Failure(Reason.KILLED, message)
        return flight.task, Outcome(flight.task.id, failure, attempts=flight.tries, skipped=skipped)

    def admit(self, code: str, plugins: tuple[str, ...]) -> None:
        """Look at the workers of a scheduler, now and as they come, for code and folder being the driver's.

        Raises
        ------
        InputError
            When they are not.
        """
        self._code, self._plugins = code, plugins
        self.look()

    def look(self) -> None:
        """Take note of workers that came or went."""
        if self._fixed is not None or time.monotonic() - self._looked < _LOOK_S:
            return
        try:
            found: dict[str, int] = dict(self._client.nthreads())
        except (OSError, TypeError, ValueError):
            self._require_scheduler()
            return
        new = [address for address in found if address not in self._known]
        if new:
            self._examine(new)
        self._known, self._looked = found, time.monotonic()

    def _examine(self, workers: list[str]) -> None:
        sign = Path(self._halt.folder) / f".cosim-seen-{self._halt.token}"
        sign.write_text(self._halt.token, encoding="ascii")
        try:
            said: Mapping[str, Any] = self._client.run(
                _about, str(sign), self._plugins, workers=workers, on_error="return"
            )
        finally:
            sign.unlink(missing_ok=True)
        for address, answer in said.items():
            where = f"Dask worker {address}"
            if isinstance(answer, OSError):
                continue  # gone again
            if isinstance(answer, BaseException):
                text = f"{type(answer).__name__}: {answer}"
                raise InputError(where, "installation", text, "this package, as it is here")
            seen, code = answer
            if code != self._code:
                raise InputError(where, "code", code, f"the same package and plugins as here, {self._code}")
            if seen != self._halt.token:
                raise InputError(where, "folder", self._halt.folder, "a folder that workers see under the same name")

    def _require_scheduler(self) -> None:
        if self._client.status != "running":
            raise SchedulerLostError("the connection to the Dask scheduler is lost; what is finished is kept")


@contextmanager
def local(threads: int) -> Iterator[tuple[Any, Any]]:
    """A Dask cluster of threads of this process, heard by this machine alone, and a client of it."""
    import logging

    import dask
    from distributed import Client, LocalCluster

    settings = {
        "distributed.scheduler.worker-ttl": None,  # a machine that slept has lost nobody
        "distributed.admin.tick.limit": "1h",  # no word on slow ticks
        "distributed.admin.tick.interval": "1s",  # what watches the cluster would take a quarter of the driver's time
        "distributed.admin.system-monitor.interval": "5s",
        "distributed.worker.profile.enabled": False,
    }
    nowhere_else = "127.0.0.1:0"  # Dask would listen on all interfaces
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=1,
            threads_per_worker=threads,
            processes=False,
            memory_limit=0,
            dashboard_address=nowhere_else,
            worker_dashboard_address=nowhere_else,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield cluster, client


@contextmanager
def embedded(workers: int, halt: FolderHalt) -> Iterator[Pool]:
    """So many threads of this process."""
    with local(workers) as (cluster, client):
        port = urlsplit(cluster.dashboard_link).port
        dashboard = f"http://127.0.0.1:{port}/status" if find_spec("bokeh") is not None else ""
        try:
            yield Pool(client, halt, workers, dashboard)
        except BaseException:
            halt.tell(now=True)  # nobody is left to take what is under way
            raise
        finally:
            close_supervisors()


@contextmanager
def connected(address: str, halt: FolderHalt) -> Iterator[Pool]:
    """The threads of all workers of a scheduler.

    Raises
    ------
    InputError
        When it does not answer.
    """
    from distributed import Client
    from distributed.comm import resolve_address

    try:
        resolve_address(address)  # before there is a client, whose end would take its time
        client = Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        text = " ".join(str(error).split()) or type(error).__name__
        allowed = f"the address of a Dask scheduler that answers, e.g. tcp://host:8786 ({text})"
        raise InputError("--scheduler", "address", address, allowed) from None
    with client:
        try:
            yield Pool(client, halt, None, client.dashboard_link)
        except BaseException:
            halt.tell(now=True)
            raise
        finally:
            with suppress(Exception):  # they end by themselves when nobody asks them
                client.run(close_supervisors, 0.0)


def _attempt(task: Task, halt: FolderHalt) -> Outcome:
    """What a thread does with a task: an outcome in any case."""
    try:
        return supervisor_here().attempt(task, halt)
    except Exception as error:  # no process can be started, say
        message = f"its process could not be had: {type(error).__name__}: {error}"
        return Outcome(task.id, Failure(Reason.KILLED, " ".join(message.split())))


def _about(sign: str, plugins: tuple[str, ...]) -> tuple[str, str]:
    """What a worker sees of a file in the sweep's folder, and its code."""
    try:
        seen = Path(sign).read_text(encoding="ascii")
    except OSError:
        seen = ""
    try:
        return seen, code_version(plugins)
    except OSError as error:
        return seen, f"unknown ({error})"
