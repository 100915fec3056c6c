"""A run as a folder: scenario.toml, manifest.json, timeseries.parquet, prosumers.parquet.

A folder appears whole or not at all: it is written under a temporary name, flushed to disk, and renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from agents.prosumer import RECORDED, Status
from cosim.prosumers_file import DRAWN, with_drawn, write_drawn
from cosim.run import Run
from cosim.scenario import Scenario
from feeders.errors import InputError

__all__ = ["check_target", "load_run", "repeat_command", "run_id", "save_run", "write_folder"]

_LIBRARIES = (
    "cosim-prosumers",
    "mesa",
    "pandapower",
    "power-grid-model",
    "highspy",
    "numpy",
    "pandas",
    "pyarrow",
)


def run_id(scenario: Scenario) -> str:
    """What makes a run itself: a hash of the scenario, the contents of its input files and the code version."""
    parts = [scenario.to_toml(), version("cosim-prosumers"), *(sorted(input_hashes(scenario).values()))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def input_hashes(scenario: Scenario) -> dict[str, str]:
    """SHA-256 of every file that the scenario reads, by name."""
    named = [
        scenario.feeder.file,
        scenario.profiles_file,
        scenario.prosumers_file,
        scenario.tariff.model_dump().get("file"),
    ]
    return {name: hashlib.sha256(Path(name).read_bytes()).hexdigest() for name in named if name}


def check_target(folder: Path, identity: str) -> None:
    """Refuse a folder that cannot be written, or that holds something else than an earlier `identity`.

    Raises
    ------
    InputError
    """
    if folder.exists() and not folder.is_dir():
        raise InputError("--out", "folder", str(folder), "a folder: this is a file")
    if folder.exists() and any(folder.iterdir()) and _identity(folder) != identity:
        raise InputError("--out", "folder", str(folder), "a new or empty folder: this one holds something else")
    parent = folder.absolute().parent
    while not parent.exists():
        parent = parent.parent
    try:  # whether it can be written shows only when it is: permissions say nothing to root or of a full disk
        Path(tempfile.mkdtemp(prefix=".cosim-", dir=parent)).rmdir()
    except OSError as error:
        raise _unwritable(folder, error) from None


def write_folder(folder: Path, identity: str, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary folder, flush it to disk, and rename it to `folder`.

    An earlier folder of the same `identity` is replaced.

    Raises
    ------
    InputError
        When `folder` cannot be written or holds something else.
    """
    check_target(folder, identity)
    folder = folder.absolute()
    temporary, earlier = (folder.with_name(f".{folder.name}.{os.getpid()}.{end}") for end in ("tmp", "old"))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        fill(temporary)
        for path in [*temporary.rglob("*"), temporary]:
            _flush(path)
        if folder.exists():
            folder.rename(earlier)
        temporary.rename(folder)
        _flush(folder.parent)
    except OSError as error:
        raise _unwritable(folder, error) from error
    finally:
        if earlier.exists() and not folder.exists():  # the new one did not come: the earlier one is still the run
            earlier.rename(folder)
        shutil.rmtree(temporary, ignore_errors=True)
        shutil.rmtree(earlier, ignore_errors=True)


def _unwritable(folder: Path, error: OSError) -> InputError:
    return InputError("--out", "folder", str(folder), f"a folder that can be written ({error.strerror or error})")


def save_run(run: Run, folder: Path, *, seconds: float, draw: Callable[[Run, Path], None] | None = None) -> None:
    """Write a run to `folder`; `draw` adds its figures.

    Equal scenarios, inputs and versions give an equal ``timeseries.parquet``, byte for byte.

    Raises
    ------
    InputError
        When the folder cannot be written or holds something else than this run.
    """

    def fill(target: Path) -> None:
        (target / "scenario.toml").write_text(run.scenario.to_toml(), encoding="utf-8")
        write_drawn(target / DRAWN, run.scenario)
        manifest = json.dumps(_manifest(run, folder, seconds), indent=2)
        (target / "manifest.json").write_text(manifest + "\n", encoding="utf-8")
        pq.write_table(_timeseries_table(run), target / "timeseries.parquet", compression="zstd")
        run.indices.to_parquet(target / "prosumers.parquet", index=False)
        if draw is not None and run.failure is None:
            draw(run, target)

    write_folder(folder, run_id(run.scenario), fill)


def repeat_command(folder: Path) -> str:
    """What to type to run again what a folder holds."""
    return f"cosim run {shlex.quote(str(folder / 'scenario.toml'))} --out NEW_DIR"


def load_run(folder: Path) -> Run:
    """Read a run back; its series and indices equal those that were saved.

    Raises
    ------
    InputError
        When the folder holds no run.
    """
    for name in ("manifest.json", "scenario.toml", "timeseries.parquet", "prosumers.parquet"):
        if not (folder / name).is_file():
            raise InputError(str(folder), name, None, "the folder of a run, with this file in it")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    table = pd.read_parquet(folder / "prosumers.parquet")
    series = pd.read_parquet(folder / "timeseries.parquet", columns=list(RECORDED))
    series["status"] = series["status"].map(_status_code).astype(float)
    frames = (
        series.to_numpy(dtype=np.float64)
        .reshape(manifest["control_steps"], len(table), len(RECORDED))
        .transpose(0, 2, 1)
    )
    made = {
        name: None if table[name].isna().all() else table[name].to_numpy()
        for name in ("cost_without_rule", "cost_without_optimisation")
    }
    return Run(
        with_drawn(folder / DRAWN, Scenario.from_toml(folder / "scenario.toml")),
        np.ascontiguousarray(frames),
        table[["prosumer", "bus", "distance_ohm"]],
        failure=manifest["failure"],
        **made,
    )


def _timeseries_table(run: Run) -> pa.Table:
    # Without pandas' own metadata, which names library versions and would change the bytes.
    return pa.Table.from_pandas(run.timeseries, preserve_index=False).replace_schema_metadata()


def _manifest(run: Run, folder: Path, seconds: float) -> dict[str, Any]:
    words = run.timeseries["status"].value_counts()
    return {
        "run_id": run_id(run.scenario),
        "name": run.scenario.name,
        "status": "finished" if run.failure is None else "failed",
        "failure": run.failure,
        "repeat": repeat_command(folder),
        "seed": run.scenario.seed,
        "control_steps": len(run.frames),
        "step_status": {str(word): int(count) for word, count in words.items() if count},
        "inputs": input_hashes(run.scenario),
        "versions": {"python": python_version(), **{name: version(name) for name in _LIBRARIES}},
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }


def _identity(folder: Path) -> str | None:
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    found = manifest.get("run_id") if isinstance(manifest, dict) else None
    return found if isinstance(found, str) else None


def _flush(path: Path) -> None:
    """Make sure that a file, or a folder's list of names, is on disk."""
    if os.name != "posix" and path.is_dir():
        return  # only POSIX systems can flush a folder
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _status_code(word: str) -> int:
    if word == "ok":
        return 0
    return sum(int(Status[name.upper().replace("-", "_")]) for name in word.split("|"))
