"""A run as a folder: scenario.toml, manifest.json, series, indices, bills as Parquet, and what an operator said."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import pandas as pd

from cosim.dso_spec import DsoSpec
from cosim.folder import check_target, write_folder
from cosim.input_files import input_hashes
from cosim.layout import Layout
from cosim.outcome import Run
from cosim.prosumers_file import DRAWN, with_drawn, write_drawn
from cosim.recorded import SeriesInFiles, write_series
from cosim.rehearsed import PUBLISHED_FILE, REHEARSALS_FILE, Evenings
from cosim.scenario import Scenario
from cosim.tally import TOTALS
from feeders.errors import InputError

__all__ = [
    "SERIES",
    "Draw",
    "about",
    "check_target",
    "fill_run",
    "input_hashes",
    "library_versions",
    "load_run",
    "repeat_command",
    "run_id",
    "save_run",
    "write_folder",
]

Draw = Callable[[Run, Path], None]
"""Draws the figures of a run into a folder."""

_LIBRARIES = (
    "cosim-prosumers",
    "mesa",
    "pandapower",
    "power-grid-model",
    "highspy",
    "holidays",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
)
SERIES = "timeseries.parquet"
"""In the folder of a run, its series; of a sweep's run that records nothing there is no such file."""


COMFORT = "comfort.parquet"
"""In the folder of a run in which somebody has charger, heat pump or hot-water storage: who waited for energy."""


def run_id(scenario: Scenario) -> str:
    """What makes a run itself: a hash of the scenario, the contents of its input files and the code version."""
    parts = [scenario.to_toml(), version("cosim-prosumers"), *(sorted(input_hashes(scenario).values()))]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def library_versions() -> dict[str, str]:
    """Versions of Python, of this package and of the libraries that its numbers come from."""
    return dict(_library_versions())


@cache
def _library_versions() -> dict[str, str]:
    return {"python": python_version(), **{name: version(name) for name in _LIBRARIES}}


def save_run(run: Run, folder: Path, *, seconds: float, draw: Draw | None = None) -> None:
    """Write a run to `folder`; `draw` adds its figures.

    Equal scenarios, inputs and versions give an equal ``timeseries.parquet``, byte for byte.

    Raises
    ------
    InputError
        When the folder cannot be written or holds something else than this run.
    """

    def fill(target: Path) -> None:
        fill_run(run, target, _manifest(run, folder, seconds))
        write_series(run.series, target / SERIES)
        if draw is not None and run.failure is None:
            draw(run, target)

    write_folder(folder, run_id(run.scenario), fill)


def fill_run(run: Run, folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write all files of a run but its series into an empty folder; equal runs and manifests give equal bytes."""
    (folder / "scenario.toml").write_text(run.scenario.to_toml(), encoding="utf-8")
    write_drawn(folder / DRAWN, run.scenario)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    run.indices.to_parquet(folder / "prosumers.parquet", index=False)
    run.bills.to_parquet(folder / "bills.parquet", index=False)
    if run.comfort is not None:
        run.comfort.to_parquet(folder / COMFORT, index=False)
    if run.evenings is not None:
        run.evenings.write(folder)


def repeat_command(folder: Path) -> str:
    """What to type to run again what a folder holds."""
    return f"cosim run {shlex.quote(str(folder / 'scenario.toml'))} --out NEW_DIR"


def load_run(folder: Path) -> Run:
    """Read a run back: its indices now, its series when they are asked for.

    Raises
    ------
    InputError
        When the folder holds no run.
    """
    _require(folder, "manifest.json", "scenario.toml", "prosumers.parquet", "bills.parquet")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    scenario = with_drawn(folder / DRAWN, Scenario.from_toml(folder / "scenario.toml"))
    if scenario.record:
        _require(folder, SERIES)
    table = pd.read_parquet(folder / "prosumers.parquet")
    layout = Layout(scenario, table["prosumer"].tolist(), table["bus"].tolist())
    control_steps = int(manifest["control_steps"])
    n_samples = -(-control_steps // scenario.record_every) if scenario.record else 0
    made = {
        name: None if table[name].isna().all() else table[name].to_numpy()
        for name in ("cost_without_rule", "cost_without_optimisation")
    }
    return Run(
        scenario,
        table[["prosumer", "bus", "distance_ohm"]],
        table[list(TOTALS)],
        manifest["step_status"],
        control_steps,
        pd.read_parquet(folder / "bills.parquet"),
        SeriesInFiles(layout, (folder / SERIES,) if scenario.record else (), n_samples),
        manifest["engine"],
        failure=manifest["failure"],
        evenings=_evenings(folder, scenario),
        comfort=pd.read_parquet(folder / COMFORT) if (folder / COMFORT).is_file() else None,
        **made,
    )


def _require(folder: Path, *names: str) -> None:
    for name in names:
        if not (folder / name).is_file():
            raise InputError(str(folder), name, None, "the folder of a run, with this file in it")


def _evenings(folder: Path, scenario: Scenario) -> Evenings | None:
    return None if scenario.dso is None else Evenings([(folder / REHEARSALS_FILE, folder / PUBLISHED_FILE)])


def _published(dso: DsoSpec) -> dict[str, Any]:
    """What a manifest says of an operator."""
    return {"signal": dso.signal, "rehearsals": REHEARSALS_FILE, "published": PUBLISHED_FILE}


def about(run: Run) -> dict[str, Any]:
    """What a manifest says of a run, wherever and whenever it was made: equal runs give equal values."""
    return {
        "name": run.scenario.name,
        "status": "finished" if run.failure is None else "failed",
        "failure": run.failure,
        "seed": run.scenario.seed,
        "engine": run.engine,
        "control_steps": run.control_steps,
        "recorded": list(run.scenario.record),
        "step_status": dict(run.step_status),
        **({} if run.scenario.dso is None else {"dso": _published(run.scenario.dso)}),
        "inputs": input_hashes(run.scenario),
        "versions": library_versions(),
    }


def _manifest(run: Run, folder: Path, seconds: float) -> dict[str, Any]:
    return {
        "run_id": run_id(run.scenario),
        "repeat": repeat_command(folder),
        **about(run),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 3),
    }
