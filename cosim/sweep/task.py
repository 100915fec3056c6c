"""What passes between a sweep's driver and its workers: a task, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Failure", "Outcome", "Reason", "Task"]


class Reason(StrEnum):
    """Why a run of a sweep has no result."""

    DIVERGED = "diverged"  # a power flow had no usable solution
    INFEASIBLE = "infeasible"  # a plan that nobody can make
    BAD_INPUT = "bad-input"  # a scenario, or a file it reads, that cannot be simulated
    MISSING_FILE = "missing-file"  # a file it reads is not there
    EXCEPTION = "exception"  # an error in code, a user's rule among it
    KILLED = "worker-killed"  # its process died each time it was tried
    TIMEOUT = "timeout"  # longer than the sweep's limit
    MEMORY = "out-of-memory"  # more than the sweep's limit
    UNWRITABLE = "unwritable"  # its folder cannot be written
    DISK_FULL = "disk-full"  # no room for its results; this one ends the whole sweep

    @property
    def own(self) -> bool:
        """Whether it lies in the run itself, so that another try would end alike; the others are tried on resume."""
        return self in (Reason.DIVERGED, Reason.INFEASIBLE, Reason.BAD_INPUT, Reason.EXCEPTION)


@dataclass(frozen=True)
class Task:
    """One run, as a worker is asked for it: plain data, the same for a thread, a process or another machine.

    Attributes
    ----------
    number : int
        Place in the sweep's plan, from 0.
    id : str
        Hash of the scenario, the code and the contents of its input files: the name of its folder.
    scenario : str
        The scenario as TOML, prosumers not drawn yet; or what else a run of its kind is made of.
    folder : str
        The sweep's folder, absolute; seen by driver and worker under this name.
    code : str
        Version of the code that the driver runs; a worker with another one refuses.
    plugins : tuple of str
        Python files to import first, absolute: rules of a user's own.
    references : bool
        Whether to run it also without rules and without optimisation, which LCG and gain kept compare with.
    timeout_s : float
        Wall-clock time after which it is given up.
    memory_mb : float
        Resident memory of its process [MB] above which it is given up.
    attempts : int
        How often it is tried when its process dies.
    kind : str
        Name of the `cosim.sweep.kinds.Kind` of runs that it is of.
    """

    number: int
    id: str
    scenario: str
    folder: str
    code: str
    plugins: tuple[str, ...] = ()
    references: bool = True
    timeout_s: float = 3600.0
    memory_mb: float = 4096.0
    attempts: int = 2
    kind: str = "scenario"


@dataclass(frozen=True)
class Failure:
    """Why a run has no result.

    Attributes
    ----------
    reason : Reason
        One of a few, to count and filter by.
    message : str
        One line: what, where, which value.
    detail : str
        A traceback where there is one, or the end of what the process wrote to its standard error.
    """

    reason: Reason
    message: str
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes
    ----------
    id : str
        The task's.
    failure : Failure or None
        None where its folder is there.
    seconds : float
        Wall-clock time of the last try.
    peak_mb : float
        Most resident memory of its process seen [MB].
    size_bytes : int
        Of the files of its folder.
    attempts : int
        Tries that it took.
    worker : str
        Host and process that did it.
    skipped : bool
        Not tried at all, since the sweep was asked to stop.
    """

    id: str
    failure: Failure | None = None
    seconds: float = 0.0
    peak_mb: float = 0.0
    size_bytes: int = 0
    attempts: int = 1
    worker: str = ""
    skipped: bool = False
