"""What stays the same from picture to picture is drawn once: frames of axes, and a line of text and signs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.text import Text

__all__ = ["SMALL", "TEXT", "Panel", "Still", "Strip", "dress"]

TEXT, SMALL = 9, 8  # font sizes; 9 points are 12 px at 100 dots per inch


def dress(ax: Axes) -> None:
    """The style of all panels: open to the right and the top, short ticks, small figures."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=SMALL, length=2, pad=2)


class Still:
    """A picture of artists, drawn anew only where what they say has changed.

    Text takes most of the time that a small figure takes to draw. Vector formats get the artists themselves.
    """

    def __init__(self) -> None:
        self._says: Any = None
        self._pixels, self._x, self._y = np.zeros((0, 0, 4), dtype=np.uint8), 0, 0

    def draw(self, renderer: RendererBase, artists: Sequence[Artist], says: Any) -> None:
        """Draw the artists, which say `says`."""
        if not isinstance(renderer, RendererAgg):
            _draw(artists, renderer)
            return
        says = says, renderer.width, renderer.height, renderer.dpi
        if self._says != says:
            self._take(renderer, artists)
            self._says = says
        if self._pixels.size:
            graphics = renderer.new_gc()
            renderer.draw_image(graphics, self._x, self._y, self._pixels)
            graphics.restore()

    def _take(self, like: RendererAgg, artists: Sequence[Artist]) -> None:
        own = RendererAgg(like.width, like.height, like.dpi)  # type: ignore[no-untyped-call]
        _draw(artists, own)
        pixels = np.asarray(own.buffer_rgba())  # type: ignore[no-untyped-call]
        rows, columns = (np.flatnonzero(pixels[:, :, 3].any(axis=axis)) for axis in (1, 0))
        self._pixels = pixels[:0]
        if len(rows):
            top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
            self._pixels = pixels[top:bottom, left:right][::-1].copy()  # `draw_image` takes rows from the bottom up
            self._x, self._y = left, len(pixels) - bottom


def _draw(artists: Sequence[Artist], renderer: RendererBase) -> None:
    for artist in sorted(artists, key=lambda artist: artist.get_zorder()):
        artist.draw(renderer)


class Panel(Axes):
    """Axes in the style of all panels, which keep a picture of their frame for as long as it stays the same."""

    def clear(self) -> None:
        """Empty the axes and give them their style."""
        super().clear()
        self._still = Still()
        dress(self)

    def draw(self, renderer: RendererBase) -> None:
        """Draw what is in the axes, then their frame over it."""
        if not self.axison or not self.get_visible():
            super().draw(renderer)
            return
        titles = [artist for artist in self.get_children() if isinstance(artist, Text) and artist not in self.texts]
        self._show(titles, False)
        try:
            super().draw(renderer)
        finally:
            self._show(titles, True)
        spines = list(self.spines.values())
        says = (
            [_axis_says(axis) for axis in (self.xaxis, self.yaxis)],
            [(title.get_text(), title.get_color()) for title in titles],
            [spine.get_visible() for spine in spines],
            self.get_position().bounds,
        )
        self._still.draw(renderer, [*spines, self.xaxis, self.yaxis, *titles], says)

    def _show(self, titles: Sequence[Artist], shown: bool) -> None:
        self.axison = shown
        for title in titles:
            title.set_visible(shown)


def _axis_says(axis: Any) -> Any:
    """What is seen of an axis: its label, ends, ticks and their names, and how they look."""
    names = getattr(axis.get_major_formatter(), "seq", None)
    ends, ticks = axis.get_view_interval().tolist(), np.asarray(axis.get_ticklocs()).tolist()
    return axis.get_label_text(), ends, ticks, names, dict(axis.get_tick_params())


class Strip(Artist):
    """Texts and samples of lines, drawn as one picture."""

    def __init__(self, says: Any, children: Sequence[Artist]) -> None:
        super().__init__()
        self.says, self._children, self._still = says, list(children), Still()

    def get_children(self) -> list[Artist]:
        """The texts and samples."""
        return self._children

    def draw(self, renderer: RendererBase) -> None:
        """Draw them."""
        self._still.draw(renderer, self._children, self.says)
