"""Figures inside a page: as vectors where these are small, which print best, as pixels where there is too much in them.

Each is an image of its own, so that names within one cannot meet those of another, and nothing in it is ever run.
"""

from __future__ import annotations

import base64
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.figure import Figure

from cosim.report.html import Child, Html, clean, figure

__all__ = ["MOST_SVG_BYTES", "PNG_DPI", "drawing", "picture"]

MOST_SVG_BYTES = 250_000
PNG_DPI = 170
_PX_PER_INCH = 115  # on a screen, where figures are a little larger than on paper


@contextmanager
def drawing() -> Iterator[None]:
    """Draw so that equal data give equal bytes, and that names are drawn as they are: a dollar begins no formula."""
    with mpl.rc_context(), warnings.catch_warnings():
        mpl.rcParams.update({"svg.hashsalt": "cosim report", "svg.fonttype": "path", "text.parse_math": False})
        warnings.simplefilter("ignore", UserWarning)  # a box stands for what the font lacks; long names take room
        yield


def picture(drawn: Figure, alt: str, caption: Child) -> Html:
    """A figure with its caption; `alt` says in words what it shows."""
    with drawing():
        kind, content = _encoded(drawn)
    width, height = (round(inches * _PX_PER_INCH) for inches in drawn.get_size_inches())
    uri = f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
    return figure(uri, (width, height), alt, caption)


def _encoded(drawn: Figure) -> tuple[str, bytes]:
    svg = io.BytesIO()
    drawn.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
    if svg.tell() <= MOST_SVG_BYTES:
        return "image/svg+xml", clean(svg.getvalue().decode()).encode()  # names are in it, as comments
    png = io.BytesIO()
    drawn.savefig(png, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return "image/png", png.getvalue()
