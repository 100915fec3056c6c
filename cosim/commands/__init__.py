"""The command line: ``cosim run | check | population | report | study | feeders | rules | bench``."""

from cosim.commands.main import main

__all__ = ["main"]
