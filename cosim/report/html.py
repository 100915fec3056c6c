"""HTML from plain values: markup is a type of its own, and whatever is not markup is escaped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Column", "Html", "anchor", "clean", "element", "figure", "listing", "pairs", "section", "table"]

_VOID = frozenset({"br", "img", "meta"})
_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters
    "\u202a-\u202e\u2066-\u2069"  # which turn the order of what is read: a command must read as it is copied
    "\ud800-\udfff\ufffe\uffff]"  # halves of characters, and none
)


class Html(str):
    """Markup. A plain `str` is text, and is escaped wherever it goes in."""

    __slots__ = ()


Child = str | Sequence["Child"] | None
Attribute = str | int | bool | None


@dataclass(frozen=True)
class Column:
    """A column of a table: its title, its unit, and whether it holds numbers, which stand at the right."""

    title: str
    unit: str = ""
    numeric: bool = True


def clean(text: str) -> str:
    """Text without characters that no page, image or line of a command should have; a sign in place of each."""
    return _UNFIT.sub("\ufffd", text)


def element(tag: str, *children: Child, **attributes: Attribute) -> Html:
    """An element; text in it is escaped, `Html` is not.

    Underscores in names of attributes become hyphens, one at the end is dropped (``class_``); None and False are left
    out.
    """
    given = "".join(_attribute(name, value) for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{given}>")
    return Html(f"<{tag}{given}>{''.join(_pieces(children))}</{tag}>")


def anchor(name: str, text: str) -> Html:
    """A link to a place in the same page."""
    return element("a", text, href=f"#{name}")


def section(name: str, title: str, *children: Child, level: int = 2) -> Html:
    """A part of the page with its heading, to be linked to by its name."""
    heading = element(f"h{level}", title, id=name)
    return element("section", heading, *children, aria_labelledby=name, class_=f"of-{name}")


def table(caption: str, columns: Sequence[Column], rows: Sequence[Sequence[Child]]) -> Html:
    """A table whose first column names its rows."""
    head = [
        element(
            "th",
            column.title,
            element("span", f" {column.unit}", class_="unit") if column.unit else None,
            scope="col",
            class_="number" if column.numeric else None,
        )
        for column in columns
    ]
    body = []
    for first, *cells in rows:
        named = element("th", first, scope="row", class_="number" if columns[0].numeric else None)
        kinds = [column.numeric for column in columns[1:]]
        own = [
            element("td", cell, class_="number" if numeric else None)
            for cell, numeric in zip(cells, kinds, strict=True)
        ]
        body.append(element("tr", named, *own))
    whole = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head)),
        element("tbody", *body),
    )
    return element("div", whole, class_="wide", tabindex=0, role="region", aria_label=caption)


def figure(uri: str, size: tuple[int, int], alt: str, caption: Child) -> Html:
    """A picture with its caption."""
    image = element("img", src=uri, width=size[0], height=size[1], alt=alt)
    return element("figure", image, element("figcaption", caption))


def listing(text: str, label: str) -> Html:
    """Text as it is, in a box of its own."""
    return element("pre", element("code", text), class_="file", tabindex=0, role="region", aria_label=label)


def pairs(items: Sequence[tuple[Child, Child]], kind: str = "") -> Html:
    """Names, each with what is said of it."""
    return element(
        "dl",
        *(element("div", element("dt", name), element("dd", value)) for name, value in items),
        class_=kind or None,
    )


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    key = name.removesuffix("_").replace("_", "-")
    return f" {key}" if value is True else f' {key}="{escape(clean(str(value)), quote=True)}"'


def _pieces(children: Sequence[Child]) -> Iterator[str]:
    for child in children:
        if isinstance(child, Html):
            yield child
        elif isinstance(child, str):
            yield escape(clean(child), quote=False)
        elif child is not None:
            yield from _pieces(child)
