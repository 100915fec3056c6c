"""``cosim check``: everything that is wrong with a scenario, at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cosim.build import build_feeder
from cosim.commands.options import Plugins, Set, read_scenario
from cosim.notes import scenario_notes
from cosim.scenario import Scenario
from feeders.engines import make_engine

__all__ = ["check_command"]


def check_command(
    scenario_file: Annotated[
        Path | None, typer.Argument(metavar="SCENARIO.toml", help="The scenario to check.")
    ] = None,
    change: Set = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON schema of scenarios instead.")] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print the default scenario with all its fields, to begin with.")
    ] = False,
    plugin: Plugins = None,
) -> None:
    """Check a scenario without running it, and list all errors at once."""
    if schema:
        typer.echo(json.dumps(Scenario.model_json_schema(), indent=2))
        return
    if example:
        typer.echo(Scenario().to_toml(), nl=False)
        return
    if scenario_file is None:
        raise typer.BadParameter("give a SCENARIO.toml, --schema or --example", param_hint="SCENARIO.toml")
    scenario = read_scenario(scenario_file, change, plugin)
    engine = make_engine(build_feeder(scenario.feeder), scenario.feeder.engine)
    steps = scenario.days * 24 * 60 // scenario.control_step_min
    typer.echo(
        f"{scenario_file}: valid; {len(scenario.prosumers)} prosumers on {engine.feeder.name} "
        f"({engine.feeder.n_buses} buses), {steps} control steps from {scenario.start:%Y-%m-%d %H:%M} UTC"
    )
    for note in [*engine.feeder.notes, *engine.notes, *scenario_notes(scenario)]:
        typer.echo(f"note: {note}")
