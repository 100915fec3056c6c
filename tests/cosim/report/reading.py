"""Reading a report as a browser would: tags in order, tables by their captions, words without markup."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from html.parser import HTMLParser
from xml.etree import ElementTree

__all__ = ["Reading", "number", "read"]

VOID = {"meta", "img", "br", "link", "hr", "input"}
LINKS = ("src", "href", "srcset", "action", "data", "poster", "background", "cite", "formaction", "xlink:href")


@dataclass
class Reading(HTMLParser):
    """What is in a page."""

    problems: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._cell = self._caption = ""
        self._rows: list[list[str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if len(given) != len(attrs):
            self.problems.append(f"an attribute twice: {tag} {attrs}")
        self.tags.append((tag, given))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._rows = []
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th", "caption"):
            self._cell = ""

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()}")
        if tag in ("td", "th"):
            self._rows[-1].append(self._cell)
        if tag == "caption":
            self._caption = self._cell
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        self._cell += data
        if "style" not in self._open:
            self.words += data

    def of(self, tag: str) -> list[dict[str, str]]:
        """Attributes of all elements of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]

    def table(self, start: str) -> list[dict[str, str]]:
        """Rows, by column, of the table whose caption begins so."""
        (rows,) = (rows for caption, rows in self.tables.items() if caption.startswith(start))
        return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]

    def assert_sound(self) -> None:
        """Tags are balanced, nothing is asked of anybody, nothing is run, places are there once, pictures are whole."""
        assert not self.problems and not self._open
        assert not self.of("script") and not self.of("link") and not self.of("iframe") and not self.of("base")
        ids = [given["id"] for _, given in self.tags if "id" in given]
        assert len(set(ids)) == len(ids)
        for tag, given in self.tags:
            assert not [name for name in given if name.startswith("on")], (tag, given)
            for name in LINKS:
                if name in given:
                    assert given[name].startswith(("#", "data:image/")), (tag, given[name][:80])
            if given.get("href", "").startswith("#"):
                assert given["href"][1:] in ids
        policy = [given["content"] for given in self.of("meta") if given.get("http-equiv") == "Content-Security-Policy"]
        assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]
        assert self.of("html") == [{"lang": "en"}]
        assert [tag for tag, _ in self.tags if tag == "h1"] == ["h1"]
        for given in self.of("th"):
            assert given["scope"] in ("col", "row")
        for given in self.of("img"):
            assert given["alt"].strip()
            kind, _, content = given["src"].partition(";base64,")
            image = base64.b64decode(content, validate=True)
            if kind == "data:image/svg+xml":
                assert ElementTree.fromstring(image).tag.endswith("svg")
            else:
                assert kind == "data:image/png" and image.startswith(b"\x89PNG")


def read(page: str) -> Reading:
    """Read a page to its end."""
    found = Reading()
    found.feed(page)
    found.close()
    return found


def number(cell: str) -> float:
    """A number of a table."""
    return float(cell.replace("\N{MINUS SIGN}", "-").replace(",", ""))
