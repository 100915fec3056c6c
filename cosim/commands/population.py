"""``cosim population``: the prosumers of a scenario as a table to look at, edit and pass back in."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from cosim.build import build_feeder
from cosim.commands.options import ScenarioFile, Set, read_scenario
from cosim.commands.show import show_table
from cosim.prosumer_spec import ProsumerSpec
from cosim.prosumers_file import write_prosumers

__all__ = ["population_command"]

_SIZES = ("load_annual_mwh", "pv_kwp", "battery_kwh", "inverter_kva")
_DEVICES = ("ev_charger_kw", "hp_kw", "tes_kwh")  # told where anybody has one


def population_command(
    scenario_file: ScenarioFile,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FILE.csv", help="The table to write; a new file, or one with this content."),
    ] = Path("prosumers.csv"),
    change: Set = None,
) -> None:
    """Draw the prosumers of a scenario and write them as a table, one row each, for prosumers_file."""
    scenario = read_scenario(scenario_file, change)
    feeder = build_feeder(scenario.feeder)
    people = scenario.prosumers
    write_prosumers(out, people)
    show_table(_summary(people), f"{scenario.name}: {len(people)} prosumers on {feeder.name}")
    n_buses = len({feeder.bus_by_name(p.bus) for p in people})
    n_optimise = sum(p.optimise for p in people)
    typer.echo(f"at {n_buses} buses; {n_optimise} optimise, {sum(p.rule == 'none' for p in people)} obey no rule")
    typer.echo(f"written to {out}; to run them, edited or not: --set {shlex.quote(f'prosumers_file={out}')}")


def _summary(people: tuple[ProsumerSpec, ...]) -> pd.DataFrame:
    """Of each size: how many have any, and its mean, least and largest among those."""
    rows: list[tuple[str, int, float | None, float | None, float | None]] = []
    for name in (*_SIZES, *(name for name in _DEVICES if any(getattr(p, name) for p in people))):
        sizes = [value for p in people if (value := float(getattr(p, name))) > 0]
        found = (sum(sizes) / len(sizes), min(sizes), max(sizes)) if sizes else (None, None, None)
        rows.append((name, len(sizes), *found))
    return pd.DataFrame(rows, columns=["size", "prosumers", "mean", "least", "largest"])
