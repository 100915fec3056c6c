"""What the page shows at one moment: plain values, made by the player's thread and never changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cosim.page.pictures import Picture
from feeders.errors import CosimError

if TYPE_CHECKING:
    import pandas as pd

    from cosim.page.controls import Settings
    from cosim.page.live import LogEntry

__all__ = ["Frame", "plain_message"]

_MOST = 600  # characters of a message; more than that nobody reads in a banner
_FOLDERS = re.compile(r"(?:[A-Za-z]:)?(?:[\\/][\w.+~-]+){2,}")


@dataclass(frozen=True)
class Frame:
    """The page at one moment.

    Attributes
    ----------
    number : int
        Counts frames.
    settings : Settings
        What the run shown was made with, and what has been changed in it since.
    labels : tuple of str
        The rules side by side, one or two; empty while nothing has been built.
    step, n_steps : int
        Market steps lived and in all.
    clock : str
        Local time.
    playing, finished : bool
    busy : str
        What takes a while just now; empty when nothing does.
    pictures : mapping of str to Picture
        Those drawn so far, by name; only those that can be seen are kept up to date.
    summary : DataFrame or None
        Key figures, a row for each side.
    log : tuple of LogEntry
    prosumers : tuple of str
        From the source to the end of the feeder.
    chosen : str
        The prosumer looked at.
    error : str
        What went wrong last; empty when nothing did.
    pending : tuple of str
        Labels of changed settings that wait for a reset.
    """

    number: int
    settings: Settings
    labels: tuple[str, ...] = ()
    step: int = 0
    n_steps: int = 0
    clock: str = ""
    playing: bool = False
    finished: bool = False
    busy: str = ""
    pictures: Mapping[str, Picture] = field(default_factory=dict)
    summary: pd.DataFrame | None = field(default=None, compare=False)
    log: tuple[LogEntry, ...] = ()
    prosumers: tuple[str, ...] = ()
    chosen: str = ""
    error: str = ""
    pending: tuple[str, ...] = ()


def plain_message(error: BaseException) -> str:
    """What a user is told of an error: its message, the kind where that is no sentence of ours, and no folders."""
    text = str(error) if isinstance(error, CosimError) else f"{type(error).__name__}: {error}"
    text = _FOLDERS.sub(lambda found: re.split(r"[\\/]", found.group())[-1], text)
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"
