"""One browser's page: its player, what it shows, and the handlers of what its people do.

What comes from a browser is not to be trusted: everything goes through the board and the player, which check it; what
they refuse is shown, and the controls go back to where they stood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import solara

from cosim.page.controls import Board
from cosim.page.frame import Frame
from cosim.page.live import Live
from cosim.page.player import PACES, TABS, Player
from cosim.page.views import Views
from feeders.errors import InputError

if TYPE_CHECKING:
    from cosim.page.controls import Settings
    from cosim.scenario import Scenario

__all__ = ["Session", "Shown"]

_MOST_PER_INCH = 10_000


@dataclass(frozen=True)
class Shown:
    """What the page shows at once, without waiting for the player.

    Attributes
    ----------
    settings : Settings
        Where the controls stand.
    moves : mapping of str to int
        By control the last move that was taken in or refused, as the browser counts them.
    tab, pace : str
    refused : str
        What the last handler refused; empty when nothing.
    again : int
        Counts refusals, so that a control that was refused is put back.
    closed : str
        The player's error that has been read and closed.
    """

    settings: Settings
    moves: Mapping[str, int] = field(default_factory=dict)
    tab: str = TABS[0]
    pace: str = next(iter(PACES))
    refused: str = ""
    again: int = 0
    closed: str = ""


class Session:
    """The player of a page, and its handlers.

    Parameters
    ----------
    base : Scenario
        Where the controls begin.

    Attributes
    ----------
    frame : Reactive of Frame
        Of the player's thread.
    shown : Reactive of Shown
        Of the handlers.
    """

    def __init__(self, base: Scenario) -> None:
        self.board = Board(base)
        self.frame: solara.Reactive[Frame] = solara.Reactive(Frame(0, self.board.initial))
        self.shown: solara.Reactive[Shown] = solara.Reactive(Shown(self.board.initial))
        self.player = Player(self.board, self.frame.set, Live, Views())

    def live(self) -> Callable[[], None]:
        """Start the player; what is returned ends it."""
        self.player.start()
        return self.player.close

    def on_change(self, sent: Any) -> None:
        """A control was moved: ``{"name": name, "value": value, "move": which of its moves}``."""
        asked = sent if isinstance(sent, dict) else {}
        name, move, moves = asked.get("name"), asked.get("move"), self.shown.peek().moves
        if isinstance(name, str) and name in self.board.controls and isinstance(move, int) and 0 < move < 2**31:
            moves = {**moves, name: move}
        if self._try(lambda: self.player.change(name, asked.get("value")), moves=moves):
            self._show(settings=self.player.settings, moves=moves)

    def on_choose(self, name: Any) -> None:
        """A prosumer was clicked on the map or chosen in the list."""
        self._try(lambda: self.player.choose(name))

    def on_tab(self, index: Any) -> None:
        """A tab was clicked."""
        tab = TABS[index] if isinstance(index, int) and 0 <= index < len(TABS) else str(index)
        if self._try(lambda: self.player.show(tab)):
            self._show(tab=tab)

    def on_pace(self, name: Any) -> None:
        """Another speed was chosen."""
        if self._try(lambda: self.player.pace(name)):
            self._show(pace=name)

    def on_size(self, sent: Any) -> None:
        """The first map has got another size: ``{"per_inch": pixels}``."""
        per_inch = sent.get("per_inch") if isinstance(sent, dict) else None
        if isinstance(per_inch, int | float) and 0 < per_inch < _MOST_PER_INCH:
            self.player.fit(float(per_inch))

    def on_close(self) -> None:
        """A message has been read."""
        self._show(refused="", closed=self.frame.peek().error)

    def message(self, frame: Frame, shown: Shown) -> str:
        """What the page has to say: the last refusal, else what went wrong in the run."""
        return shown.refused or ("" if frame.error == shown.closed else frame.error)

    def _try(self, act: Callable[[], None], **shown_too: Any) -> bool:
        """Do what was asked; what is refused is shown, with other changes of `Shown`. Whether it was done."""
        try:
            act()
        except InputError as error:
            shown = self.shown.peek()
            self.shown.set(replace(shown, refused=str(error), again=shown.again + 1, **shown_too))
            return False
        return True

    def _show(self, **changes: Any) -> None:
        self.shown.set(replace(self.shown.peek(), **{"refused": "", **changes}))
