"""A picture in the browser: a box that keeps its shape, and spots that tell more when pointed at or reached by keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import solara

from cosim.page.pictures import Picture, Size

__all__ = ["PictureBox"]


@solara.component_vue("picture.vue")
def _PictureBox(  # noqa: N802 - components are named like what they show
    name: str = "",
    src: str = "",
    alt: str = "",
    ratio: float = 1.0,
    width_in: float = 1.0,
    spots: list[dict[str, Any]] = [],  # noqa: B006 - a trait's default
    chosen: str = "",
    waiting: str = "",
    step: int = 0,
    event_size: Callable[[Any], None] | None = None,
    event_choose_name: Callable[[Any], None] | None = None,
) -> None:
    """See picture.vue."""


@solara.component
def PictureBox(  # noqa: N802
    name: str,
    picture: Picture | None,
    size_in: Size,
    chosen: str = "",
    waiting: str = "",
    on_choose: Callable[[Any], None] | None = None,
    on_size: Callable[[Any], None] | None = None,
) -> None:
    """A picture under its name; before it has been drawn an empty box of the same shape.

    Parameters
    ----------
    name : str
        It carries the CSS class ``cosim-picture-NAME``.
    picture : Picture or None
    size_in : (width, height)
        Of the picture [inch]; the box has its shape.
    chosen : str
        Name of the spot that is marked.
    waiting : str
        What an empty box says.
    on_choose : callable, optional
        Called with the name of a spot that was clicked: from the browser, and not to be trusted.
    on_size : callable, optional
        Called with ``{"per_inch": pixels}`` when the box has got another size, likewise.
    """
    spots = () if picture is None else picture.spots
    as_plain = solara.use_memo(
        lambda: [{"name": s.name, "x": s.x, "y": s.y, "r": s.r, "text": s.text} for s in spots], [spots]
    )
    _PictureBox(
        name=name,
        src="" if picture is None else picture.url,
        alt="" if picture is None else picture.alt,
        ratio=size_in[0] / size_in[1],
        width_in=size_in[0],
        spots=as_plain,
        chosen=chosen,
        waiting=waiting,
        step=0 if picture is None else picture.step,
        event_size=on_size or _nothing,
        event_choose_name=on_choose or _nothing,
    )


def _nothing(_: Any) -> None:
    """Nobody listens."""
