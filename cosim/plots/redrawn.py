"""Figures of which only a part changes: the rest, mostly text, is drawn once."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

__all__ = ["Redrawn"]


class Redrawn:
    """The pixels of a figure, frame by frame.

    Parameters
    ----------
    figure : Figure
        Drawn by Agg from now on; its size stays.
    """

    def __init__(self, figure: Figure) -> None:
        self._canvas: Any = FigureCanvasAgg(figure)
        self._still: Hashable = None
        self._background: object = None

    def pixels(self, moving: Sequence[Artist], still: Hashable = "still") -> npt.NDArray[np.uint8]:
        """RGBA values, shape (height, width, 4); valid until the next call.

        Parameters
        ----------
        moving : sequence of Artist
            What may have changed since the last frame; drawn above all else, in the order of zorder.
        still : hashable
            All else is drawn again when this differs from the last frame's: what it depends on, e.g. limits of axes.
        """
        if self._background is None or still != self._still:
            shown = [artist for artist in moving if artist.get_visible()]
            for artist in shown:
                artist.set_visible(False)
            self._canvas.draw()
            self._background, self._still = self._canvas.copy_from_bbox(self._canvas.figure.bbox), still
            for artist in shown:
                artist.set_visible(True)
        self._canvas.restore_region(self._background)
        for artist in sorted(moving, key=lambda artist: artist.get_zorder()):
            artist.draw(self._canvas.get_renderer())
        return np.asarray(self._canvas.buffer_rgba())
