"""``cosim feeders`` and ``cosim rules``: what there is by name."""

from __future__ import annotations

import pandas as pd
import typer

from agents.prosumer import RULES
from cosim.commands.show import show_table
from feeders import describe

__all__ = ["feeders_command", "rules_command"]


def feeders_command() -> None:
    """List the feeders of the library, with their sizes and sources."""
    table = pd.DataFrame(describe())
    show_table(table[["name", "buses", "connection buses", "voltage level", "description"]], "feeders")
    for source, group in table.groupby("source", sort=False):
        typer.echo(f"{', '.join(group['name'])}: {source} ({group['licence'].iloc[0]})")
    typer.echo("Any pandapower net of your own: feeder.file in the scenario, saved with pandapower.to_json.")


def rules_command() -> None:
    """List the inverter rules, with what each demands."""
    rows = [(name, (rule.__doc__ or "").strip().splitlines()[0]) for name, rule in RULES.items()]
    show_table(pd.DataFrame(rows, columns=["rule", "what it demands"]), "inverter rules")
