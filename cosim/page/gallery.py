"""What a player needs of whoever draws its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cosim.page.live import Live
    from cosim.page.pictures import Picture

__all__ = ["Gallery"]


class Gallery(Protocol):
    """Draws the pictures of a run; see `cosim.page.views.Views`."""

    def fit(self, pixels_per_inch: float) -> bool:
        """Take the resolution of the screen; whether that changes anything."""

    def seen(self, live: Live, tab: str) -> list[str]:
        """Names of the pictures that can be seen."""

    def key(self, name: str, live: Live, chosen: str) -> object:
        """What a picture depends on: it is drawn anew when this changes."""

    def draw(self, name: str, live: Live, chosen: str) -> Picture:
        """Draw one."""

    def close(self) -> None:
        """Let go of all figures."""
