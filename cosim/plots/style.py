"""What all figures share: colours, line styles, sizes."""

from __future__ import annotations

from matplotlib.typing import LineStyleType

__all__ = ["COLOURS", "GREY", "LABEL_SIZE", "LINE_WIDTH", "MARKERS", "SCREEN_SIZE", "SMALL_SIZE", "STYLES"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
"""Of Okabe and Ito; in this order also apart in grey, two by two."""
STYLES: tuple[LineStyleType, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), "-")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#666666"
LINE_WIDTH = 0.9  # thin enough that what swings from minute to minute stays apart from its neighbours
LABEL_SIZE, SMALL_SIZE = 9, 7.5  # font sizes for print
SCREEN_SIZE = 9.5  # for pictures of a page, which may be on a projector
