"""One sampled day of a Monte-Carlo of hosting capacity, made by a worker of a sweep, as a folder."""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from cosim.hosting.capacity import Capacity
from cosim.hosting.case import HostingCase
from cosim.hosting.definition import Definition
from cosim.hosting.find import ANY_CONFIRMED, find
from cosim.hosting.hosting_file import HostingFile
from cosim.hosting.search import Search
from cosim.hosting.written import sites_table
from cosim.results import library_versions
from cosim.sweep.checksums import checked_bytes
from cosim.sweep.kinds import HOSTING
from cosim.sweep.places import Places
from cosim.sweep.task import Task
from cosim.sweep.write_run import require_free, write_whole

__all__ = ["capacities_table", "make_sampled"]


def make_sampled(task: Task) -> int:
    """Find the capacities that a task asks for and write its folder; what that takes on disk [bytes].

    ``capacities.parquet`` has a row per mode, ``steps.parquet`` the levels that were looked at, ``sites.parquet`` the
    devices at the confirmed level. Equal tasks give equal bytes: times are in the sweep's journal.

    Raises
    ------
    InputErrors, InputError
        When the case cannot be asked.
    OSError
        When the folder cannot be written.
    """
    target = Places(Path(task.folder)).run(task.id)
    kept = checked_bytes(target, HOSTING.needed)
    if kept is not None:
        return kept
    require_free(target)
    file = HostingFile.from_dict(tomllib.loads(task.scenario), HOSTING.text)
    found = _found(file)

    def fill(folder: Path) -> None:
        (folder / HOSTING.text).write_text(task.scenario, encoding="utf-8")
        (folder / "manifest.json").write_text(json.dumps(_manifest(task), indent=2) + "\n", encoding="utf-8")
        capacities_table(found).to_parquet(folder / HOSTING.table, index=False)
        _steps(found).to_parquet(folder / "steps.parquet", index=False)
        _sites(found).to_parquet(folder / "sites.parquet", index=False)

    return write_whole(task, fill, HOSTING.needed)


def capacities_table(found: list[Capacity]) -> pd.DataFrame:
    """A row per capacity, with the columns of `cosim.sweep.kinds.HOSTING`."""
    return pd.DataFrame([_row(capacity) for capacity in found], columns=list(HOSTING.columns))


def _found(file: HostingFile) -> list[Capacity]:
    """Capacities of the file's day in each mode that it asks for."""
    search = file.search or Search()
    usual = file.model_copy(update={"noise": None, "hosting": Definition()})  # what is asked is no part of the case
    case = _expected(usual.to_toml())
    if file.noise is not None:
        case = file.noise.on(case)
    return [find(case, file.hosting, mode, search.method, settings=ANY_CONFIRMED) for mode in search.modes]


@lru_cache(maxsize=1)
def _expected(text: str) -> HostingCase:
    """The case of a file without noise, which the runs of a process share."""
    return HostingFile.from_dict(tomllib.loads(text), HOSTING.text).case()


def _row(capacity: Capacity) -> dict[str, Any]:
    stop = capacity.stop
    return {
        "der": capacity.der,
        "mode": capacity.mode,
        "method": capacity.method,
        "level": capacity.level,
        "kw": capacity.kw,
        "stop": stop.kind,
        "stop_element": stop.element,
        "stop_hour": stop.hour,
        "stop_value": stop.value,
        "stop_allowed": stop.allowed,
        "margin": capacity.margin,
    }


def _steps(found: list[Capacity]) -> pd.DataFrame:
    return pd.concat([capacity.steps.assign(mode=capacity.mode) for capacity in found], ignore_index=True)


def _sites(found: list[Capacity]) -> pd.DataFrame:
    """Where the devices are at the confirmed level; nothing where there is none."""
    tables = [sites_table(each.fleet).assign(mode=each.mode) for each in found if each.fleet is not None]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _manifest(task: Task) -> dict[str, Any]:
    made = {"run_id": task.id, "code": task.code, "references": task.references}
    return {**made, "status": "finished", "versions": library_versions()}
