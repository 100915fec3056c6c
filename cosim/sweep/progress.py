"""How far a sweep is: a live line on a terminal, a plain one now and then elsewhere."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.live import Live
from rich.text import Text

__all__ = ["Pace", "Report", "State", "progress_line", "shown"]

_PLAIN_S = 10.0  # at least, from one plain line to the next
_PLAIN_SHARE = 0.1  # of all runs, that is worth one too
_RECENT = 200  # runs that the rate is taken over


@dataclass(frozen=True)
class State:
    """How far a sweep is.

    Attributes
    ----------
    total : int
        Its runs, or those of its shard.
    finished, failed : int
        Those that have a result, or a reason; from before too.
    rate_per_s : float
        Runs per second, lately; 0 before the first.
    left_s : float or None
        Seconds to the end at that rate, None where that is not known.
    threads : int
        Runs that can be made at once.
    dashboard : str
        Address of Dask's dashboard; empty where there is none.
    """

    total: int
    finished: int
    failed: int
    rate_per_s: float = 0.0
    left_s: float | None = None
    threads: int = 0
    dashboard: str = ""


Report = Callable[[State], None]


class Pace:
    """How fast it goes, from how far it is when."""

    def __init__(self, total: int, done: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._seen = deque([(clock(), done)], maxlen=_RECENT)

    def state(self, finished: int, failed: int, threads: int, dashboard: str) -> State:
        """As of now."""
        now, done = self._clock(), finished + failed
        if done > self._seen[-1][1]:
            self._seen.append((now, done))
        (since, before), (_, last) = self._seen[0], self._seen[-1]
        rate = (last - before) / (now - since) if last > before and now > since else 0.0
        left = (self._total - done) / rate if rate else None
        return State(self._total, finished, failed, rate, left, threads, dashboard)


def progress_line(state: State) -> str:
    """A state in words."""
    failed = f", {state.failed} failed" if state.failed else ""
    words = [f"{state.finished + state.failed} of {state.total} runs{failed}"]
    if state.rate_per_s:
        slow = state.rate_per_s < 0.1
        words.append(f"{state.rate_per_s * 60:.2g} per min" if slow else f"{state.rate_per_s:.2g} per s")
    if state.left_s is not None:
        words.append(f"{_duration(state.left_s)} left")
    return "; ".join([*words, *([state.dashboard] if state.dashboard else [])])


@contextmanager
def shown(title: str, console: Console | None = None) -> Iterator[tuple[Report, Callable[[str], None]]]:
    """Shows states and lines, on the terminal's error stream."""
    console = console or Console(stderr=True, soft_wrap=True, highlight=False)

    def say(line: str) -> None:
        console.print(line, markup=False)

    if not console.is_terminal:
        yield _plain(title, say), say
        return
    with Live(Text(f"{title}: starting"), console=console, transient=True, auto_refresh=False) as live:
        last = [0.0]

        def report(state: State) -> None:
            if time.monotonic() - last[0] > 0.1:  # a terminal is slower than many runs
                last[0] = time.monotonic()
                live.update(Text(f"{title}: {progress_line(state)}"), refresh=True)

        yield report, say


def _plain(title: str, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Report:
    """Says a line after so much time and when so much more is done, whichever is later."""
    last: list[float] = []

    def report(state: State) -> None:
        now, done = clock(), state.finished + state.failed
        if not last:
            last[:] = [now, done]
        elif now - last[0] >= _PLAIN_S and (done - last[1] >= _PLAIN_SHARE * state.total or now - last[0] >= 60):
            last[:] = [now, done]
            say(f"{title}: {progress_line(state)}")

    return report


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
