"""From a folder to its report: what is in it, and where the report may be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa

from cosim.checkpoint import DamagedError
from cosim.folder import unwritable, write_file
from cosim.report.page import MARK
from cosim.report.run_page import run_page
from cosim.report.sweep_page import sweep_page
from cosim.results import load_run
from cosim.sweep import Sweep
from cosim.sweep.checksums import CHECKSUMS
from cosim.sweep.kinds import SCENARIO
from cosim.sweep.places import REPORT
from feeders.errors import CosimError, InputError

__all__ = ["report_of", "target_of", "write_report"]

_WHERE = "cosim report"
_ALLOWED = "the folder of a run (cosim run) or of a sweep (cosim sweep)"


def report_of(folder: Path | str) -> str:
    """The report of a run's or a sweep's folder, as HTML that stands alone; equal folders give equal text.

    A sweep is reported as far as it is, a failed run up to where it came.

    Raises
    ------
    InputError
        When the folder holds neither, or a file of it is missing.
    DamagedError
        When a file of it cannot be read.
    """
    folder = Path(folder)
    manifest = _manifest(folder)
    try:
        if manifest.get("kind") == "sweep":
            sweep = Sweep.load(folder)
            sweep.require(SCENARIO)
            return sweep_page(sweep)
        return run_page(load_run(folder), manifest, folder)
    except CosimError:
        raise
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise DamagedError(folder, f"it cannot be read as it is ({type(error).__name__}: {error})") from error


def write_report(folder: Path | str, out: Path | str | None = None) -> Path:
    """Write the report of a folder; where it is then.

    Parameters
    ----------
    folder : Path
        Of a run or of a sweep.
    out : Path, optional
        The file, by default ``report.html`` in the folder. An earlier report is replaced, in one step; nothing else is.

    Raises
    ------
    InputError
        As of `report_of`; and when the file cannot be written, is no report, or would spoil the folder that it is in.
    DamagedError
    """
    folder = Path(folder)
    _manifest(folder)  # a folder without anything to report is the first thing to say
    target = target_of(folder, out)
    text = report_of(folder)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_file(target, text.encode("utf-8"))
    except OSError as error:
        raise unwritable(target, error) from error
    return target


def target_of(folder: Path, out: Path | str | None) -> Path:
    """Where a report goes; refused where it would take the place of something else, or spoil a folder.

    Raises
    ------
    InputError
    """
    target = folder / REPORT if out is None else Path(out)
    home = target.absolute().parent
    given = None if out is None else str(out)
    if (home / CHECKSUMS).exists():  # a file more, and the run would count as damaged
        raise InputError(_WHERE, "--out", given, "a file outside of this folder, which a sweep keeps as it was written")
    if target.name != REPORT and _kind(home) == "sweep":
        raise InputError(_WHERE, "--out", given, f"{REPORT}, or a file outside of the sweep, which takes no other")
    if target.is_dir():
        raise InputError(_WHERE, "--out", str(target), "a file: this is a folder")
    if target.exists() and not _ours(target):
        raise InputError(_WHERE, "--out", str(target), "a new file, or an earlier report: this is something else")
    return target


def _manifest(folder: Path) -> dict[str, Any]:
    """What the folder says it holds."""
    try:
        found = json.loads((folder / "manifest.json").read_bytes())
    except FileNotFoundError:
        raise InputError(_WHERE, "DIR", str(folder), _ALLOWED) from None
    except (OSError, ValueError) as error:
        if not folder.is_dir():
            raise InputError(_WHERE, "DIR", str(folder), _ALLOWED) from None
        raise DamagedError(folder / "manifest.json", str(error)) from None
    if not isinstance(found, dict) or not (found.get("kind") == "sweep" or "step_status" in found):
        what = "a comparison, whose sweep is the folder above" if _is_comparison(found) else "something else"
        raise InputError(_WHERE, "DIR", str(folder), f"{_ALLOWED}: this holds {what}")
    return found


def _is_comparison(manifest: object) -> bool:
    return isinstance(manifest, dict) and manifest.get("run_id") == "comparison"


def _kind(folder: Path) -> object:
    try:
        found = json.loads((folder / "manifest.json").read_bytes())
    except (OSError, ValueError):
        return None
    return found.get("kind") if isinstance(found, dict) else None


def _ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MARK)) == MARK
    except OSError as error:
        raise unwritable(path, error) from error
