"""``cosim study``: a question, its table, its figures."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Annotated

import pandas as pd
import typer

from cosim.commands.options import Out, Set, Threads, parse_changes, progress_bar
from cosim.commands.show import show_table
from cosim.planners import available_cores
from cosim.results import check_target, write_folder
from cosim.study import StudyOptions, load_study, studies

__all__ = ["study_command"]


def study_command(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="The study; without it, a list.")] = None,
    out: Out = None,
    change: Set = None,
    threads: Threads = None,
) -> None:
    """Run a study by its name, or list the studies there are."""
    if name is None:
        show_table(_listing(), "studies (run one with: cosim study NAME)")
        return
    study = load_study(name)
    changes = parse_changes(change)
    target = out or Path("results") / name
    key = json.dumps([name, version("cosim-prosumers"), changes], default=str, sort_keys=True)
    identity = hashlib.sha256(key.encode()).hexdigest()[:16]
    check_target(target, identity)
    began = perf_counter()
    with progress_bar(f"study {name}") as progress:
        result = study(StudyOptions(changes, threads or available_cores(), progress))
    seconds = perf_counter() - began

    def fill(folder: Path) -> None:
        result.write(folder)
        manifest = {"run_id": identity, "study": name, "changes": changes, "seconds": round(seconds, 3)}
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, default=str) + "\n", encoding="utf-8")

    write_folder(target, identity, fill)
    show_table(result.table, result.title)
    typer.echo(result.text)
    typer.echo(f"{seconds:.1f} s; written to {target}")


def _listing() -> pd.DataFrame:
    rows = []
    for name, point in studies().items():
        question = (point.load().__doc__ or "").strip().splitlines()
        rows.append((name, question[0] if question else "", point.value.split(":")[0]))
    return pd.DataFrame(rows, columns=["name", "question", "module"])
