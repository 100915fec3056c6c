"""What happened in a run, for people: the newest first, and no more than can be read."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

__all__ = ["MOST_ENTRIES", "LogEntry", "new_log"]

MOST_ENTRIES = 200


@dataclass(frozen=True)
class LogEntry:
    """One thing that happened.

    Attributes
    ----------
    step : int
        Market steps lived when it was noted.
    time : str
        Local time of the run at which it began.
    side : str
        Label of the side that it happened on; empty where it concerns all.
    kind : str
        ``"run"``, ``"change"``, ``"refused"``, or one of `cosim.incidents.KINDS`.
    text : str
    """

    step: int
    time: str
    side: str
    kind: str
    text: str


def new_log() -> deque[LogEntry]:
    """An empty log, to be filled from the left."""
    return deque(maxlen=MOST_ENTRIES)
