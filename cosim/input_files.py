"""The files that a scenario reads, and hashes of their contents."""

from __future__ import annotations

import hashlib
from pathlib import Path

from cosim.scenario import FILE_FIELDS, Scenario

__all__ = ["file_hash", "input_files", "input_hashes"]


def input_files(scenario: Scenario) -> dict[str, str]:
    """Names of the files that the scenario reads, absolute, by the fields of `FILE_FIELDS` that name them."""
    found: dict[str, str] = {}
    for field in FILE_FIELDS:
        value: object = scenario
        for part in field.split("."):
            value = getattr(value, part, None)  # not every tariff has a file
        if isinstance(value, str):
            found[field] = value
    return found


def input_hashes(scenario: Scenario) -> dict[str, str]:
    """SHA-256 of every file that the scenario reads, by name."""
    return {name: file_hash(Path(name)) for name in input_files(scenario).values()}


def file_hash(path: Path) -> str:
    """SHA-256 of a file's contents."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
