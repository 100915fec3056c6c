"""The process that a sweep's runs live in, one after the other: ``python -m cosim.sweep.child``.

It reads a task per line on its standard input and answers an outcome per line on the pipe that was its standard
output; whatever a run prints goes to its standard error, whose end its supervisor keeps.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from cosim.run import run
from cosim.scenario import Scenario
from cosim.sweep.one_run import carry_out
from cosim.sweep.wire import IDLE_S, READY, outcome_line, task_from

__all__ = ["main"]

_COLLECT_S = 5.0  # from one search for garbage to the next: models hold themselves, and go on being held until then
_FIRST_TO_GO = "500"  # out of -1000 (never) to 1000 (always): before the driver, which is at 0


def main() -> None:
    """Carry out tasks until there is nobody left to ask."""
    answers = _private_output()
    for ignored in (signal.SIGINT, signal.SIGTERM):  # the driver decides, and kills
        signal.signal(ignored, signal.SIG_IGN)
    faulthandler.enable()
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(tasks,), daemon=True).start()
    _warm_up()
    gc.freeze()  # what is loaded stays: it need not be looked through for garbage again and again
    _say(answers, READY)
    collected = time.monotonic()
    while True:
        try:
            line = tasks.get(timeout=IDLE_S)
        except queue.Empty:
            os._exit(0)
        _say(answers, outcome_line(carry_out(task_from(line))))
        if time.monotonic() - collected > _COLLECT_S:
            gc.collect()
            collected = time.monotonic()


def _private_output() -> TextIO:
    """The pipe for answers, out of reach of whoever prints."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _read(tasks: queue.SimpleQueue[str]) -> None:
    """Hand on tasks; the end of the input is the end of the supervisor, whatever is being done."""
    for line in sys.stdin:
        tasks.put(line)
    os._exit(0)


def _warm_up() -> None:
    """Load what is compiled, so that neither time nor memory of the first run is that of a compiler."""
    with suppress(Exception):  # the first task will tell
        run(Scenario(market_step_min=60, control_step_min=60), references=False)


def _say(answers: TextIO, line: str) -> None:
    try:
        answers.write(f"\n{line}\n")  # on a line of its own, whatever was printed before there was a `_private_output`
        answers.flush()
    except OSError:  # nobody listens
        os._exit(1)


if __name__ == "__main__":
    main()
