"""``cosim hosting``: how much solar, storage, heat pumps or cars a feeder takes, alone and coordinated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import typer
from rich.console import Console

from cosim.commands.hosting_scenarios import (
    DrawSites,
    NoiseSeed,
    Renew,
    Resume,
    Scenarios,
    Sigma,
    Workers,
    folder_of,
    require_no_scenarios,
    run_scenarios,
)
from cosim.commands.options import Set, parse_changes
from cosim.commands.show import show_table
from cosim.hosting.capacity import Capacity
from cosim.hosting.find import find
from cosim.hosting.hosting_file import HostingFile
from cosim.hosting.ladder import Progress
from cosim.hosting.level import LevelCheck
from cosim.hosting.monte_carlo import MonteCarlo
from cosim.hosting.nodal_prices import priced
from cosim.hosting.search import Search
from cosim.hosting.written import capacity_table, write_hosting
from cosim.plots.hosting_map import draw_capacities
from feeders.errors import InputError

__all__ = ["hosting_command"]


class Modes(StrEnum):
    """What ``--mode`` takes."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    BOTH = "both"


class Methods(StrEnum):
    """What ``--method`` takes."""

    ONE_SHOT = "one-shot"
    STEPPING = "stepping"


_MODES: dict[Modes, tuple[Literal["static", "dynamic"], ...]] = {
    Modes.STATIC: ("static",),
    Modes.DYNAMIC: ("dynamic",),
    Modes.BOTH: ("static", "dynamic"),
}


def hosting_command(
    hosting_file: Annotated[Path, typer.Argument(metavar="FEEDER.toml", help="The feeder, its day, what is asked.")],
    mode: Annotated[
        Modes | None, typer.Option(help="Own profiles, coordinated dispatch, or both; by default what the file says.")
    ] = None,
    method: Annotated[
        Methods | None, typer.Option(help="A guess that its neighbours prove, or level by level with all metrics.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for tables of capacities, levels and sites.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--map", metavar="FILE.png", help="A map of the sited devices: png, svg or pdf.")
    ] = None,
    change: Set = None,
    scenarios: Scenarios = None,
    sigma: Sigma = 0.1,
    noise_seed: NoiseSeed = 0,
    draw_sites: DrawSites = False,
    workers: Workers = None,
    resume: Resume = False,
    renew: Renew = False,
) -> None:
    """Find how much of one kind of device a radial feeder takes before something is outside its limits.

    Static: every device runs its own profile. Dynamic: all are coordinated. The AC power flow confirms what is
    reported, and finds the level one step higher outside. A base case that is outside already is an answer, not 0 %.

    With --scenarios for that many sampled days, each in a process of its own, into a folder that --resume goes on with.
    """
    if picture is not None and picture.suffix not in (".png", ".svg", ".pdf"):
        raise InputError("--map", "file", str(picture), "a name that ends in .png, .svg or .pdf")
    asked = HostingFile.from_toml(hosting_file, parse_changes(change))
    search = _search(asked, mode, method)
    if scenarios is not None:
        settings = MonteCarlo(
            scenarios=scenarios, seed=noise_seed, sigma=sigma, siting="drawn" if draw_sites else "fixed"
        )
        asked = asked.model_copy(update={"search": search})
        run_scenarios(asked, settings, folder_of(asked, out, picture), workers=workers, resume=resume, renew=renew)
        return
    require_no_scenarios(workers=workers, resume=resume, renew=renew, draw_sites=draw_sites)
    _answer(asked, search, out, picture)


def _answer(asked: HostingFile, search: Search, out: Path | None, picture: Path | None) -> None:
    """Search, say what was found, and write and draw it where that is asked for."""
    case = asked.case()
    found = []
    for each in search.modes:
        with _progress_line(f"{asked.name}, {each}") as progress:
            found.append(find(case, asked.hosting, each, search.method, progress))
    title = f"{asked.name}: {asked.hosting.der} on {case.feeder.name}, {case.peak_kva:,.0f} kVA, {case.n_homes} homes"
    show_table(_shown(found), title)
    for capacity in found:
        typer.echo(_sentence(capacity))
    if out is not None:
        coordinated = next((each.fleet for each in found if each.mode == "dynamic" and each.fleet is not None), None)
        worth = None if coordinated is None else priced(case, asked.hosting, coordinated)
        write_hosting(out, asked, found, worth)
        typer.echo(f"written to {out}")
    if picture is not None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw_capacities(case.feeder, found).savefig(picture, dpi=150)
        typer.echo(f"map: {picture}")


def _search(asked: HostingFile, mode: Modes | None, method: Methods | None) -> Search:
    """What the command says, or else the file."""
    usual = asked.search or Search()
    chosen: Literal["one-shot", "stepping"] = "one-shot" if method is Methods.ONE_SHOT else "stepping"
    modes = usual.modes if mode is None else _MODES[mode]
    return Search(modes=modes, method=usual.method if method is None else chosen)


def _shown(found: list[Capacity]) -> pd.DataFrame:
    return capacity_table(found).drop(columns=["der"])


def _sentence(found: Capacity) -> str:
    if not found.base_feasible:
        return f"{found.mode}: base case infeasible, before any {found.der} is added: {found.stop}"
    level, kw = f"{100 * found.level:.4g} %", f"{found.kw:,.0f} kW"
    if found.stop.kind in ("all", "most"):
        why = "all homes have one" if found.stop.kind == "all" else "no limit up to the most that was looked at"
        return f"{found.mode}: {level} ({kw}), {why}"
    return f"{found.mode}: {level} ({kw}); one step more is outside: {found.stop}"


@contextmanager
def _progress_line(title: str) -> Iterator[Progress]:
    """A line on the terminal's error stream that says which level was looked at, gone when the search ends."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _level, _check: None
        return

    with console.status(f"{title}: beginning") as status:

        def tell(level: float, check: LevelCheck) -> None:
            status.update(f"{title}: {100 * level:.4g} % {'inside' if check.feasible else 'outside'}")

        yield tell
