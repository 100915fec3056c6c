"""A sweep on a disk that becomes full: ``python -m tests.cosim.sweep.full_disk WORK``; mounts a small one in WORK.

Prints what happened as JSON; the test says what should have. Needs the right to mount, e.g. under ``unshare -Urm``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cosim.sweep.judge import Judge, differences, tree
from tests.cosim.sweep.monkey import Session
from tests.cosim.sweep.subjects import sweep_subject

__all__ = ["RUNS", "Happened", "filled_and_enlarged", "way_to_mount"]

RUNS = 8
Happened = dict[str, Any]

_MOUNT = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs"]


def way_to_mount(folder: Path) -> list[str] | None:
    """What to put in front of a command that is to mount a disk: nothing for root; None where it cannot be done."""
    folder.mkdir()
    for way in ([], ["unshare", "-Urm"]):
        if shutil.which((way or _MOUNT)[0]) is None:
            continue
        both = f"{' '.join(_MOUNT)} {folder} && umount {folder}"
        if subprocess.run([*way, "sh", "-c", both], capture_output=True, check=False).returncode == 0:
            return way
    return None


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[None]:
    """A disk of this size, mounted at a folder."""
    folder.mkdir()
    subprocess.run([*_MOUNT[:-2], f"size={size_bytes}", "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def enlarge(folder: Path, size_bytes: int) -> None:
    """Give a disk more room, with what is on it."""
    subprocess.run(["mount", "-o", f"remount,size={size_bytes}", str(folder)], check=True)


def space_of(folder: Path) -> int:
    """What the files of a folder take on a disk of pages of 4 KiB [bytes]."""
    return sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*"))


def filled_and_enlarged(work: Path) -> Happened:
    """Run a sweep undisturbed, again on a disk of half the size, and on once that is large enough."""
    subject = sweep_subject(work, RUNS)

    def swept(folder: Path, resume: bool, log: str) -> tuple[int | None, str]:
        session = Session(subject.command(folder, resume), subject.worker, work / log)
        try:
            return session.code(), session.said()
        finally:
            session.end()

    code, said = swept(work / "undisturbed", False, "first.log")
    if code != 0:
        raise RuntimeError(f"exit {code}: {said}")
    space = space_of(work / "undisturbed")
    disk = work / "disk"
    with small_disk(disk, space // 2):
        folder = disk / "sweep"
        judge = Judge(folder)
        code, said = swept(folder, False, "full.log")
        finished = judge.look("full")
        happened: Happened = {"code": code, "said": said, "finished": finished, "left": judge.unfinished()}
        happened["free_bytes"] = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        enlarge(disk, 4 * space)
        happened["code_after"], happened["said_after"] = swept(folder, True, "resumed.log")
        judge.look("resumed")
        happened["violations"] = judge.violations
        happened["differences"] = differences(tree(folder), tree(work / "undisturbed"))
    return {**happened, "space_bytes": space}


def main(argv: Sequence[str]) -> None:
    """The command."""
    print(json.dumps(filled_and_enlarged(Path(argv[0]).absolute())))


if __name__ == "__main__":
    main(sys.argv[1:])
