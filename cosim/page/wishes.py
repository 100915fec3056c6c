"""What is wanted of a page and not done yet: noted at once by its handlers, taken by its player's thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cosim.page.controls import Settings

__all__ = ["Wanted", "Wishes"]


@dataclass
class Wanted:
    """All that is wanted at a time.

    Attributes
    ----------
    settings : Settings
        As last changed, whether they have taken effect or not.
    reset : bool
        Begin anew with them.
    steps : int
        Market steps that were asked for one by one.
    playing : bool
        Step until the end.
    pace : float
        Steps per second while playing; 0 for no pause at all.
    chosen, tab : str
        Prosumer to look at, and tab in front; empty for the first.
    pixels_per_inch : float
        Resolution of the screen; 0 while it is not known.
    news : bool
        Whether any of it has changed since it was taken last.
    closed : bool
        Nothing more is wanted.
    """

    settings: Settings
    reset: bool = True
    steps: int = 0
    playing: bool = False
    pace: float = 0.0
    chosen: str = ""
    tab: str = ""
    pixels_per_inch: float = 0.0
    news: bool = True
    closed: bool = False


class Wishes:
    """`Wanted`, shared by the threads of handlers and the one that fulfils it.

    A hundred moves of a slider between two looks are one change.
    """

    def __init__(self, settings: Settings) -> None:
        self._wanted = Wanted(settings)
        self._lock = threading.Condition()
        self._next = 0.0

    @property
    def settings(self) -> Settings:
        """As last changed."""
        with self._lock:
            return self._wanted.settings

    @property
    def playing(self) -> bool:
        """Whether steps shall go on."""
        with self._lock:
            return self._wanted.playing

    @property
    def closed(self) -> bool:
        """Whether nothing more is wanted."""
        with self._lock:
            return self._wanted.closed

    def note(self, **wanted: Any) -> None:
        """Want something else; fields of `Wanted`."""
        with self._lock:
            for name, value in wanted.items():
                setattr(self._wanted, name, value)
            self._notice()

    def note_step(self) -> None:
        """One market step more."""
        with self._lock:
            self._wanted.steps += 1
            self._notice()

    def note_change(self, changed: Callable[[Settings], Settings]) -> None:
        """Other settings, made of those as last changed; what it raises leaves all as it is."""
        with self._lock:
            self._wanted.settings = changed(self._wanted.settings)
            self._notice()

    def stop_playing(self) -> None:
        """No more steps, as they have come to an end."""
        with self._lock:
            self._wanted.playing = False

    def wait_for_pace(self, pace: float) -> None:
        """While playing, no step before its time, counted from now."""
        self._next = monotonic() + 1 / pace

    def due(self) -> bool:
        """Whether it is time for the next step of playing."""
        return monotonic() >= self._next

    def take(self) -> Wanted | None:
        """What is wanted, once there is something to do; None at the end."""
        with self._lock:
            wanted = self._wanted
            while not (wanted.closed or wanted.news):
                pause_s = None
                if wanted.playing or wanted.steps:
                    pause_s = 0.0 if wanted.steps or not wanted.pace else self._next - monotonic()
                if pause_s is not None and pause_s <= 0:
                    break
                self._lock.wait(pause_s)
            if wanted.closed:
                return None
            taken = replace(wanted)
            wanted.reset = wanted.news = False
            wanted.steps = 0
            return taken

    def _notice(self) -> None:
        self._wanted.news = True
        self._lock.notify()
