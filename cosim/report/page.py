"""The page as a whole: it stands alone, asks nothing of anybody and runs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from cosim.report.html import Html, anchor, element

__all__ = ["MARK", "Part", "page"]

MARK = b'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="generator" content="cosim report">'
"""How every report begins: by this a later one knows that it may take its place."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

Part = tuple[str, str, Html]
"""Name, short title for the list of contents, and the section itself."""


def page(kind: str, name: str, lead: Html, parts: Sequence[Part]) -> str:
    """The page.

    Parameters
    ----------
    kind, name : str
        What it is about, and its name: both are in the title.
    lead : Html
        What stands above all.
    parts : sequence
        What follows, and is in the list of contents.
    """
    contents = element("ul", *(element("li", anchor(place, title)) for place, title, _ in parts))
    head = [
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="referrer", content="no-referrer"),
        element("title", f"{name}: {kind}"),
        element("style", Html(_style())),
    ]
    body = element(
        "body",
        element("a", "Skip to the results", href="#top", class_="skip"),
        element("nav", element("p", name, class_="name"), contents, aria_label="contents"),
        element(
            "main",
            element("header", element("p", kind, class_="kind"), element("h1", name), lead),
            *(part for _, _, part in parts),
            id="top",
        ),
    )
    return "\n".join([MARK.decode(), *head, f"</head>{body}</html>", ""])


@cache
def _style() -> str:
    return files("cosim.report").joinpath("report.css").read_text(encoding="utf-8")
