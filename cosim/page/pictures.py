"""Pictures for the browser: figures that are kept and redrawn, as PNG, with the places that tell more when pointed at.

No pyplot and no window: each picture is a `Figure` of its own on an Agg canvas, its axes at fixed places, so that
nothing jumps from one step to the next.
"""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from scipy.spatial import cKDTree

__all__ = ["DPI_RANGE", "Picture", "Size", "Spot", "Studio", "encoded", "spots_at"]

Array = npt.NDArray[np.float64]
Size = tuple[float, float]

DPI_RANGE = (80, 200)
_DPI_STEP, _DPI_SLACK = 20, 4  # rounded up, so that a window that is dragged does not redraw at every pixel
_OF_THE_WAY = 0.48  # radius of a spot, of the way to the nearest other one
_LEAST = 0.2  # radius where several are at one place, of the usual one
_ONE_AT_A_TIME = threading.Lock()
"""Matplotlib shares fonts, caches and settings between figures, and is not made for several threads."""


@dataclass(frozen=True)
class Spot:
    """A place in a picture that tells more: centre and radius as shares of the width and height, from the top left.

    Attributes
    ----------
    x, y : float
        Centre, 0 to 1 from the left and from the top.
    r : float
        Radius as a share of the width.
    name : str
        Whose it is.
    text : str
        What it tells; lines are separated by line breaks.
    """

    x: float
    y: float
    r: float
    name: str
    text: str


@dataclass(frozen=True)
class Picture:
    """What the browser shows: a PNG, its size in pixels, what it tells those who do not see it, and its spots.

    `step` is how many market steps of the run are in it; its box carries that as ``data-step`` once it is decoded.
    """

    png: bytes = field(repr=False)
    width: int
    height: int
    alt: str
    spots: tuple[Spot, ...] = ()
    step: int = 0

    @cached_property
    def url(self) -> str:
        """The PNG as a data URL."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode("ascii")


class Studio:
    """Keeps the figures of a page, one for each name.

    Attributes
    ----------
    dpi : int
        Resolution [pixel/inch] of all that is drawn from now on.
    """

    def __init__(self, dpi: int = 100) -> None:
        self.dpi = dpi
        self._figures: dict[str, Figure] = {}

    def fit(self, pixels_per_inch: float) -> bool:
        """Take the resolution of the screen, within `DPI_RANGE`; whether that changes anything."""
        if not np.isfinite(pixels_per_inch):
            return False
        asked = int(np.ceil((pixels_per_inch - _DPI_SLACK) / _DPI_STEP) * _DPI_STEP)
        dpi = min(max(asked, DPI_RANGE[0]), DPI_RANGE[1])
        changed, self.dpi = dpi != self.dpi, dpi
        return changed

    def draw(self, name: str, size_in: Size, alt: str, fill: Callable[[Figure], Sequence[Spot]]) -> Picture:
        """Draw a picture on its kept figure, which is a new one when size or resolution have changed.

        Parameters
        ----------
        name : str
            Which one.
        size_in : (width, height)
            [inch]; with the resolution it gives the pixels.
        alt : str
            What it tells those who do not see it.
        fill : callable
            Called with the figure as it was left last time, or with an empty one; gives the places that tell more.
        """
        with _ONE_AT_A_TIME:
            figure = self._figures.get(name)
            if figure is None or figure.dpi != self.dpi or tuple(figure.get_size_inches()) != size_in:
                figure = self._figures[name] = Figure(figsize=size_in, dpi=self.dpi)
            spots = tuple(fill(figure))
            canvas = FigureCanvasAgg(figure) if not isinstance(figure.canvas, FigureCanvasAgg) else figure.canvas
            canvas.draw()  # type: ignore[no-untyped-call]
            pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
            return Picture(encoded(pixels), pixels.shape[1], pixels.shape[0], alt, spots)

    def close(self) -> None:
        """Let go of all figures."""
        self._figures.clear()


def encoded(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A PNG of an opaque picture; packed quickly rather than tightly, since it goes a few metres, not around the world.

    Parameters
    ----------
    pixels : array of uint8, shape (height, width, 4)
        Red, green, blue, opacity; the last is left out.
    """
    target = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[:, :, :3])).save(target, "PNG", compress_level=1)
    return target.getvalue()


def spots_at(ax: Axes, xy: Array, radius_in: float, names: Sequence[str], texts: Sequence[str]) -> tuple[Spot, ...]:
    """Spots at data positions of an axes whose limits are settled; those outside of the figure are left out.

    Where two would overlap they are smaller.

    Parameters
    ----------
    ax : Axes
    xy : array, shape (n, 2)
        Data coordinates.
    radius_in : float
        [inch].
    names, texts : sequence of str, n each
        Whose spots these are, and what they tell.
    """
    figure = ax.get_figure(root=True)
    assert figure is not None
    width, height = figure.get_size_inches() * figure.dpi
    pixels = ax.transData.transform(np.reshape(xy, (-1, 2)))
    at = pixels / (width, height)
    rows = np.flatnonzero(np.isfinite(at).all(axis=1) & (at >= 0).all(axis=1) & (at <= 1).all(axis=1))
    radius = _radii(pixels[rows], radius_in * figure.dpi) / width
    return tuple(
        Spot(round(x, 4), round(1 - y, 4), round(r, 5), names[row], texts[row])
        for row, (x, y), r in zip(rows.tolist(), at[rows].tolist(), radius.tolist(), strict=True)
    )


def _radii(pixels: Array, wanted: float) -> Array:
    """Radii of places, shape (n, 2): smaller than wanted where the nearest other one is near."""
    if len(pixels) < 2:
        return np.full(len(pixels), wanted)
    nearest: Array = cKDTree(pixels).query(pixels, k=2)[0][:, 1]
    return np.clip(_OF_THE_WAY * nearest, _LEAST * wanted, wanted)
