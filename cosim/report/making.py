"""How it was made and how it is made again: files as they are, commands, versions, hashes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from cosim.report.html import Child, Column, Html, element, listing, section, table

__all__ = ["MOST_LINES", "again_section", "file_section", "run_command", "versions_table"]

MOST_LINES = 500
"""Lines of a file that are shown."""


def file_section(name: str, title: str, file: str, text: str) -> Html:
    """A file of the folder as it is; of a long one the beginning."""
    lines = text.splitlines()
    shown, rest = lines[:MOST_LINES], len(lines) - MOST_LINES
    more = element("p", f"{rest:,} more lines are in {file}.", class_="note") if rest > 0 else None
    about = element("p", f"{file}, every default written out:", class_="note")
    return section(name, title, about, listing("\n".join(shown), file), more)


def again_section(where: str, command: str, manifest: Mapping[str, Any], *tables: Child) -> Html:
    """The command that makes it again, and what it depends on."""
    said = element("p", f"{where}:")
    inputs = _inputs(manifest.get("inputs", {}))
    return section("again", "Make it again", said, listing(command, "command"), *tables, inputs)


def run_command(scenario: str, plugins: Sequence[str] = (), *, references: bool = True) -> str:
    """What to type, in the folder that `scenario` is relative to."""
    words = ["cosim", "run", scenario]
    for plugin in plugins:
        words += ["--plugin", plugin]
    return f"{shlex.join([*words, *([] if references else ['--no-references'])])} --out NEW_DIR"


def versions_table(facts: Sequence[tuple[str, object]], versions: Mapping[str, Any]) -> Html:
    """What is known of the making, then the version of each library."""
    columns = [Column("what", numeric=False), Column("value", numeric=False)]
    rows = [
        [name, element("code", str(value))] for name, value in (*facts, *versions.items()) if value not in (None, "")
    ]
    return table("Code, libraries and when", columns, rows)


def _inputs(inputs: object) -> Html:
    if not isinstance(inputs, Mapping) or not inputs:
        return element("p", "It reads no files beside its own: all data are of the package.", class_="note")
    columns = [Column("file", numeric=False), Column("SHA-256", numeric=False)]
    rows = [[str(name), element("code", str(digest))] for name, digest in sorted(inputs.items())]
    return table("Input files, by what was in them", columns, rows)
