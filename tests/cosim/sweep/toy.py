"""A toy of a sweep, to try monkey and judge on: a driver, workers, a folder for each run.

``python -m tests.cosim.sweep.toy MODE FOLDER RUNS WORKERS``; of its modes only ``careful`` is to pass:

- ``careful``: temporary name, flushed, renamed; workers end with their driver.
- ``naive``: files are written in place.
- ``forgetful``: a new try begins by removing what is there.
- ``deaf``: workers do not notice that their driver is gone.
- ``fresh``: what is finished is made again, a little different.
"""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.cosim.sweep.plugins.trace import count

__all__ = ["CALLS", "MODES", "WORKER", "command"]

MODES = ("careful", "naive", "forgetful", "deaf", "fresh")
CALLS = 20
"""Of the rule, per run."""

WORKER = "--toy-worker"
_STEP_S = 0.001


def command(mode: str, folder: Path, runs: int, workers: int = 2) -> list[str]:
    """What starts a toy."""
    return [sys.executable, "-m", "tests.cosim.sweep.toy", mode, str(folder), str(runs), str(workers)]


def drive(mode: str, folder: Path, runs: int, workers: int) -> None:
    """Have all runs done that are not there yet."""
    if mode == "forgetful":
        shutil.rmtree(folder, ignore_errors=True)
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    clear(folder)
    pending: queue.SimpleQueue[str] = queue.SimpleQueue()
    for number in range(runs):
        name = hashlib.sha256(str(number).encode()).hexdigest()[:16]
        if mode == "fresh" or not (folder / "runs" / name / "checksums.json").exists():
            pending.put(name)
    threads = [threading.Thread(target=supervise, args=(mode, folder, pending)) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    clear(folder)
    whole(folder / "results.json", json.dumps(sorted(path.name for path in (folder / "runs").iterdir())))


def clear(folder: Path) -> None:
    """Remove what killed workers have left."""
    for left in (folder / "runs").glob(".*"):
        shutil.rmtree(left)


def supervise(mode: str, folder: Path, pending: queue.SimpleQueue[str]) -> None:
    """Give one worker run after run, a new one when it dies."""
    worker: subprocess.Popen[str] | None = None
    while True:
        try:
            name = pending.get_nowait()
        except queue.Empty:
            break
        done = False
        while not done:
            if worker is None or worker.poll() is not None:
                start = [sys.executable, "-m", "tests.cosim.sweep.toy", WORKER, mode, str(folder)]
                worker = subprocess.Popen(start, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert worker.stdin is not None and worker.stdout is not None
            try:
                print(name, file=worker.stdin, flush=True)
                done = worker.stdout.readline() != ""
            except BrokenPipeError:
                done = False
            if not done:
                worker.wait()
    if worker is not None:
        worker.kill()
        worker.wait()


def work(mode: str, folder: Path) -> None:
    """Do the runs that are asked for; a thread waits for the end of the driver."""
    names: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            names.put(line.strip())
        if mode != "deaf":
            os._exit(1)

    threading.Thread(target=listen, daemon=True).start()
    while True:
        name = names.get()
        for _ in range(CALLS):
            count()
            time.sleep(_STEP_S)
        write(mode, folder / "runs" / name)
        try:
            print("done", flush=True)
        except BrokenPipeError:
            if mode != "deaf":
                raise


def write(mode: str, folder: Path) -> None:
    """Put down the files of a run; slow enough that a kill in their midst is likely."""
    target = folder if mode == "naive" else folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    salt = str(time.monotonic_ns()) if mode == "fresh" else ""
    hashes = {}
    for name in ("scenario.toml", "manifest.json", "bills.json"):
        text = f'"{name}" = "{folder.name}{salt}"\n' if name.endswith("toml") else json.dumps([folder.name, salt] * 99)
        with (target / name).open("w") as file:
            for part in (text[: len(text) // 2], text[len(text) // 2 :]):
                file.write(part)
                file.flush()
                time.sleep(4 * _STEP_S)
        hashes[name] = hashlib.sha256(text.encode()).hexdigest()
    (target / "checksums.json").write_text(json.dumps(hashes))
    if target != folder:
        if mode == "fresh":
            shutil.rmtree(folder, ignore_errors=True)
        target.rename(folder)


def whole(path: Path, text: str) -> None:
    """Write a file under another name first."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text)
    temporary.replace(path)


if __name__ == "__main__":
    if sys.argv[1] == WORKER:
        work(sys.argv[2], Path(sys.argv[3]))
    else:
        drive(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
