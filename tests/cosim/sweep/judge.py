"""The judge of sweeps that are killed: looks at their folders after every kill, and says all that should not be."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

__all__ = ["Judge", "differences", "is_temporary", "is_volatile", "tree"]

CHECKSUMS = "checksums.json"
_READERS: dict[str, Callable[[bytes, Path], object]] = {
    ".json": lambda content, path: json.loads(content),
    ".toml": lambda content, path: tomllib.loads(content.decode()),
    ".parquet": lambda content, path: pq.read_table(path),
}


def is_temporary(path: Path, root: Path) -> bool:
    """Whether a file is in a place that says that it is not finished."""
    parts = path.relative_to(root).parts
    return parts[0] == "working" or any(part.startswith(".") or part.endswith((".tmp", ".new")) for part in parts)


def is_volatile(path: Path, root: Path) -> bool:
    """Whether a file may differ from one try to another: journals and locks."""
    return path.relative_to(root).parts[0].startswith(("journal", "lock"))


def tree(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of a folder that should be the same every time, by name; empty folders as such."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if is_volatile(path, folder):
            continue
        if path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        elif not any(path.iterdir()):
            found[name] = "empty folder"
    return found


def differences(found: dict[str, str], expected: dict[str, str]) -> list[str]:
    """What is missing, what is too much, what is not the same."""
    return [
        f"{name}: {'missing' if name not in found else 'too much' if name not in expected else 'differs'}"
        for name in sorted(found.keys() | expected.keys())
        if found.get(name) != expected.get(name)
    ]


class Judge:
    """Looks at the folder of one sweep again and again.

    Parameters
    ----------
    folder : Path
        The sweep's; it need not be there yet.

    Attributes
    ----------
    violations : list of str
        All that was seen so far and should not be.
    seen : dict of str to dict
        Hashes of the files of each run that was finished when it was looked at.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.violations: list[str] = []
        self.seen: dict[str, dict[str, str]] = {}
        self._plan = ""

    def look(self, when: str) -> int:
        """Judge what is there now; how many runs are finished."""
        found = [*self._runs(), *self._others()] if self.folder.is_dir() else self._lost()
        self.violations += [f"{when}: {line}" for line in found]
        return len(self.seen)

    def unfinished(self) -> list[str]:
        """What is under a temporary name now."""
        if not self.folder.is_dir():
            return []
        found = (path for path in _files(self.folder) if is_temporary(path, self.folder))
        return sorted({path.relative_to(self.folder).as_posix() for path in found})

    def writing(self) -> bool:
        """Whether a run is being written now, under whatever name."""
        runs = self.folder / "runs"
        there = runs.iterdir() if runs.is_dir() else ()
        return bool(self.unfinished()) or any(path.is_dir() and not (path / CHECKSUMS).exists() for path in there)

    def finish(self, expected: dict[str, str], when: str) -> None:
        """Judge the folder of a sweep that came to its end: the same as the undisturbed one, and nothing besides."""
        self.look(when)
        self.violations += [f"{when}: {line}" for line in differences(tree(self.folder), expected)]

    def _lost(self) -> list[str]:
        return ["the whole folder is gone"] if self.seen or self._plan else []

    def _runs(self) -> Iterator[str]:
        runs = self.folder / "runs"
        there = {path.name: path for path in runs.iterdir()} if runs.is_dir() else {}
        for name, path in sorted(there.items()):
            if is_temporary(path, self.folder):
                continue
            try:
                hashes = {} if not path.is_dir() else {file.name: _hash(file) for file in path.iterdir()}
            except OSError as error:
                yield f"run {name}: {error}"
                continue
            if name in self.seen:
                yield from (f"run {name}: finished before, now {line}" for line in differences(hashes, self.seen[name]))
            else:
                torn = list(_torn(path, hashes))
                yield from (f"run {name}: torn: {line}" for line in torn)
                if not torn:
                    self.seen[name] = hashes
        yield from (f"run {name}: finished before, now gone" for name in self.seen.keys() - there.keys())

    def _others(self) -> Iterator[str]:
        """Files that are not of a run: each must be readable, and the plan stays as it is."""
        for path in _files(self.folder):
            parts = path.relative_to(self.folder).parts
            if parts[0] in ("runs", "quarantine", "stale") or is_volatile(path, self.folder):
                continue
            if not is_temporary(path, self.folder) and (fault := _unreadable(path)):
                yield f"{'/'.join(parts)}: torn: {fault}"
        plan = self.folder / "plan.parquet"
        now = _hash(plan) if plan.is_file() else ""
        if self._plan and now != self._plan:
            yield f"plan.parquet: {'differs' if now else 'gone'}"
        self._plan = self._plan or now


def _torn(folder: Path, hashes: dict[str, str]) -> Iterator[str]:
    """What is wrong with the folder of a run that should be whole."""
    if CHECKSUMS not in hashes:
        yield f"no {CHECKSUMS}, but {', '.join(hashes) or 'nothing'}"
        return
    if fault := _unreadable(folder / CHECKSUMS):
        yield f"{CHECKSUMS}: {fault}"
        return
    stated = json.loads((folder / CHECKSUMS).read_bytes())
    stated = stated.get("files", stated)
    yield from differences({name: digest for name, digest in hashes.items() if name != CHECKSUMS}, stated)
    yield from (f"{name}: {fault}" for name in hashes if (fault := _unreadable(folder / name)))


def _unreadable(path: Path) -> str:
    """Why a file cannot be read as what its name says; empty where it can, or is gone by now."""
    try:
        content = path.read_bytes()
        _READERS.get(path.suffix, lambda content, path: None)(content, path)
    except FileNotFoundError:
        return ""
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    return ""


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    """All files below, though some may vanish meanwhile."""
    pending = [folder]
    while pending:
        try:
            inside = list(pending.pop().iterdir())
        except FileNotFoundError:
            continue
        for path in inside:
            if path.is_dir():
                pending.append(path)
            elif path.is_file():
                yield path
