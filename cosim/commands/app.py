"""``cosim app``: the page in a browser."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from cosim.build import build_feeder
from cosim.commands.options import Plugins, Set, read_scenario
from cosim.page.address import checked_token, take_address
from cosim.page.given import default_scenario
from feeders.engines import make_engine
from feeders.errors import CosimError

__all__ = ["PAGE", "app_command"]

PAGE = "cosim.page.entry:Page"
_NEEDED = ("ipyvuetify", "mesa", "solara", "starlette", "uvicorn")


def app_command(
    scenario_file: Annotated[
        Path | None, typer.Argument(metavar="[SCENARIO.toml]", help="What to begin with; a village in June by default.")
    ] = None,
    change: Set = None,
    plugin: Plugins = None,
    host: Annotated[
        str, typer.Option(help="Where to listen. Beyond this machine only together with --token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 8765,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="COSIM_TOKEN",
            metavar="TOKEN",
            help="What visitors must know, 16 characters or more; auto makes one.",
        ),
    ] = None,
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
) -> None:
    """Watch a scenario in the browser: play, change rules and prices, compare two rules side by side.

    Served to this machine alone until Ctrl-C. Each browser tab has a run of its own, which ends when it is closed.
    """
    secret = checked_token(token)
    _require_extra()
    with take_address(host, port, secret) as address:
        scenario = read_scenario(scenario_file, change, plugin, default_scenario())
        make_engine(build_feeder(scenario.feeder), scenario.feeder.engine)
        from cosim.page.serve import serve  # heavy, and not there without the extra

        serve(PAGE, scenario, address, open_browser=open_browser, say=_say)
    typer.echo("stopped", err=True)


def _say(line: str) -> None:
    typer.echo(line)


def _require_extra() -> None:
    """Refuse where the page's libraries are not installed, or one draws a blank page."""
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        raise CosimError("the page needs libraries that are not installed: pip install 'cosim-prosumers[page]'")
    found = importlib.metadata.version("ipyvuetify")
    if int(found.partition(".")[0]) >= 3:
        raise CosimError(f"the page stays blank with ipyvuetify {found}: pip install 'ipyvuetify<3'")
