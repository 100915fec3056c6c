"""Plays a run for one page: a thread that steps, draws what can be seen, and publishes frames.

The page's handlers only note what is wanted and return at once; the thread looks at what is wanted last.
"""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cosim.page.frame import Frame, plain_message
from cosim.page.gallery import Gallery
from cosim.page.pictures import Picture
from cosim.page.wishes import Wanted, Wishes
from feeders.errors import InputError

if TYPE_CHECKING:
    from cosim.page.controls import Board, Settings
    from cosim.page.live import Live

__all__ = ["PACES", "TABS", "Player"]

_log = logging.getLogger(__name__)

TABS = ("profile", "home", "wallets", "log")
PACES: dict[str, float] = {"fastest": 0.0, "8 steps/s": 8.0, "4 steps/s": 4.0, "2 steps/s": 2.0, "1 step/s": 1.0}
"""How fast to play, by name: market steps per second, 0 for no pause at all."""


class Player:
    """One page's run.

    Parameters
    ----------
    board : Board
        The controls and what they allow.
    publish : callable
        Called with each new `Frame`, in the player's thread and never under its lock.
    make : callable
        Makes the run of some settings.
    gallery : Gallery
        Draws it.

    Attributes
    ----------
    frame : Frame
        The last one.
    """

    def __init__(
        self,
        board: Board,
        publish: Callable[[Frame], None],
        make: Callable[[Board, Settings], Live],
        gallery: Gallery,
    ) -> None:
        self.board = board
        self.frame = Frame(0, board.initial)
        self._publish, self._make, self._gallery = publish, make, gallery
        self._wishes = Wishes(board.initial)
        self._live: Live | None = None
        self._drawn: dict[str, object] = {}
        self._thread = threading.Thread(target=self._work, name="page player", daemon=True)

    @property
    def settings(self) -> Settings:
        """The settings as last changed, whether they have taken effect or not."""
        return self._wishes.settings

    def start(self) -> Player:
        """Build the first run and wait for orders."""
        self._thread.start()
        return self

    def play(self) -> None:
        """Step until the end, or until told to pause."""
        self._wishes.note(playing=True)

    def pause(self) -> None:
        """Stop after the step that is being lived."""
        self._wishes.note(playing=False, steps=0)

    def step(self) -> None:
        """One market step more."""
        self._wishes.note_step()

    def reset(self, settings: Settings | None = None) -> None:
        """Begin anew with these settings, or with those as last changed."""
        self._wishes.note(reset=True, playing=False, steps=0, **({} if settings is None else {"settings": settings}))

    def change(self, name: Any, value: Any) -> None:
        """Change one setting; live ones apply from the next step on, others on reset.

        Raises
        ------
        InputError
            When it is not allowed; nothing has changed then.
        """
        self._wishes.note_change(lambda settings: self.board.changed(settings, name, value))

    def choose(self, prosumer: object) -> None:
        """Look at a prosumer.

        Raises
        ------
        InputError
            When there is none of that name.
        """
        if not isinstance(prosumer, str) or prosumer not in self.frame.prosumers:
            raise InputError("page", "prosumer", prosumer, "one of the feeder's prosumers")
        self._wishes.note(chosen=prosumer)

    def show(self, tab: object) -> None:
        """Bring a tab to the front.

        Raises
        ------
        InputError
            When there is none of that name.
        """
        if tab not in TABS:
            raise InputError("page", "tab", tab, ", ".join(TABS))
        self._wishes.note(tab=tab)

    def pace(self, name: object) -> None:
        """Play as fast as one of `PACES` says.

        Raises
        ------
        InputError
            When there is none of that name.
        """
        if not isinstance(name, str) or name not in PACES:
            raise InputError("page", "speed", name, ", ".join(PACES))
        self._wishes.note(pace=PACES[name])

    def fit(self, pixels_per_inch: float) -> None:
        """Draw for a screen of this resolution."""
        self._wishes.note(pixels_per_inch=pixels_per_inch)

    def close(self) -> None:
        """Stop after what is being done, and drop the run; returns at once."""
        self._wishes.note(closed=True, playing=False, steps=0)

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread to end after `close`; whether it has."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while (wanted := self._wishes.take()) is not None:
                self._turn(wanted)
        finally:
            live, self._live = self._live, None
            self._gallery.close()
            self._drawn.clear()
            if live is not None:
                live.close()

    def _turn(self, wanted: Wanted) -> None:
        """Reset, change, step, draw, publish, as far as each is wanted."""
        error = self.frame.error
        try:
            if wanted.reset:
                error = ""
                self._begin(wanted.settings)
            if wanted.pixels_per_inch:
                self._gallery.fit(wanted.pixels_per_inch)
            if self._live is not None:
                self._live.change(wanted.settings)
                if self._step(self._live, wanted):
                    error = ""
        except Exception as problem:
            error = self._failed(problem)
        pictures = dict(self.frame.pictures)
        try:
            self._draw(wanted, pictures)
        except Exception as problem:
            error = self._failed(problem)
        self._tell(self._framed(wanted, pictures, error))

    def _begin(self, settings: Settings) -> None:
        """A new run; the one before lives on when that fails."""
        self._tell(replace(self.frame, number=self.frame.number + 1, busy="preparing the run", playing=False, error=""))
        live = self._make(self.board, settings)
        before, self._live = self._live, live
        if before is not None:
            before.close()
            del before
            gc.collect()  # nets and models refer to themselves: without it they pile up until the next full collection

    def _step(self, live: Live, wanted: Wanted) -> bool:
        """As many steps as wanted; whether there were any."""
        steps = wanted.steps
        if wanted.playing and not steps and (not wanted.pace or self._wishes.due()):
            steps = 1
        done = 0
        while done < steps and not live.finished and not self._wishes.closed:
            if wanted.pace:
                self._wishes.wait_for_pace(wanted.pace)
            live.step()
            done += 1
        if live.finished:
            self._wishes.stop_playing()
        return done > 0

    def _draw(self, wanted: Wanted, pictures: dict[str, Picture]) -> None:
        """The pictures that can be seen, those drawn anew of which something has changed."""
        live = self._live
        if live is None:
            return
        chosen = _chosen(live, wanted)
        for name in self._gallery.seen(live, wanted.tab or TABS[0]):
            key = self._gallery.key(name, live, chosen)
            if self._drawn.get(name) != key and not self._wishes.closed:
                self._drawn.pop(name, None)  # where drawing fails it is tried again
                pictures[name] = replace(self._gallery.draw(name, live, chosen), step=live.step_number)
                self._drawn[name] = key

    def _framed(self, wanted: Wanted, pictures: dict[str, Picture], error: str) -> Frame:
        live, number = self._live, self.frame.number + 1
        latest, playing = self._wishes.settings, self._wishes.playing
        if live is None:
            return Frame(number, wanted.settings, error=error)
        return Frame(
            number=number,
            settings=live.settings,
            labels=live.labels,
            step=live.step_number,
            n_steps=live.n_steps,
            clock=live.clock_text,
            playing=playing and not live.finished,
            finished=live.finished,
            pictures=pictures,
            summary=live.summary(),
            log=tuple(live.log),
            prosumers=tuple(live.names),
            chosen=_chosen(live, wanted),
            error=error or live.failed or "",
            pending=tuple(self.board.needs_reset(live.settings, latest)),
        )

    def _failed(self, problem: Exception) -> str:
        self._wishes.stop_playing()
        _log.warning("the page's run failed", exc_info=problem)
        return plain_message(problem)

    def _tell(self, frame: Frame) -> None:
        self.frame = frame
        if self._wishes.closed:
            return
        try:
            self._publish(frame)
        except Exception:  # a page that goes away while it is told
            _log.debug("a frame could not be shown", exc_info=True)


def _chosen(live: Live, wanted: Wanted) -> str:
    """Who is looked at; the one at the far end where nobody has been chosen, or someone this run does not have."""
    names = live.names
    return wanted.chosen if wanted.chosen in names else names[-1] if names else ""
