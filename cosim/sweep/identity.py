"""What makes a run of a sweep itself: scenario, contents of its files, code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cosim.input_files import file_hash, input_files
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import Scenario

__all__ = ["MISSING", "Identities", "code_version"]

MISSING = "missing"
"""In the place of the hash of a file that cannot be read."""

_PACKAGES = ("agents", "cosim", "feeders")
_DATA = (".py", ".parquet", ".csv", ".json")


def code_version(plugins: Sequence[Path | str] = ()) -> str:
    """Version of the code that runs go through: of the package, and a hash of sources, embedded data and plugins.

    What plugins import in turn is not in it.

    Raises
    ------
    OSError
        When a plugin's file cannot be read.
    """
    digest = hashlib.sha256()
    for name in _PACKAGES:
        spec = find_spec(name)
        for place in (spec.submodule_search_locations or ()) if spec else ():
            for path in sorted(path for path in Path(place).rglob("*") if path.suffix in _DATA and path.is_file()):
                digest.update(f"{name}/{path.relative_to(place).as_posix()}\0{file_hash(path)}\n".encode())
    for plugin in plugins:
        digest.update(f"plugin\0{file_hash(Path(plugin))}\n".encode())
    return f"{version('cosim-prosumers')}+{digest.hexdigest()[:12]}"


class Identities:
    """Ids of many runs; every file is hashed once.

    Attributes
    ----------
    hashes : dict of str to str
        SHA-256 of every file met so far, by name; `MISSING` for one that cannot be read.
    """

    def __init__(self, code: str, *, references: bool) -> None:
        self.hashes: dict[str, str] = {}
        self._rest = (code, references)
        self._people: dict[tuple[int, ...], tuple[tuple[ProsumerSpec, ...], str]] = {}

    def id_of(self, scenario: Scenario) -> str:
        """Twenty hexadecimal digits: the scenario with the contents of its files in place of their names, and the code.

        It is the same wherever the files lie. A file that is missing counts by its name.
        """
        data = scenario.model_dump(mode="json", exclude_none=True, exclude={"prosumers"})
        for field, name in input_files(scenario).items():
            found = self._hash(name)
            _put(data, field, f"{MISSING} {name}" if found == MISSING else found)
        people = () if scenario.has_source else scenario.prosumers
        text = json.dumps([data, self._digest(people), *self._rest], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:20]

    def _digest(self, people: tuple[ProsumerSpec, ...]) -> str:
        """Hash of prosumers; most runs of a sweep share theirs."""
        key = tuple(map(id, people))
        if key not in self._people:  # kept with its prosumers, so that no others take their places in memory
            digest = hashlib.sha256("\n".join(person.model_dump_json() for person in people).encode()).hexdigest()
            self._people[key] = people, digest
        return self._people[key][1]

    def _hash(self, name: str) -> str:
        if name not in self.hashes:
            try:
                self.hashes[name] = file_hash(Path(name))
            except OSError:
                self.hashes[name] = MISSING
        return self.hashes[name]


def _put(data: dict[str, Any], field: str, value: str) -> None:
    *tables, key = field.split(".")
    for table in tables:
        data = data[table]
    data[key] = value
