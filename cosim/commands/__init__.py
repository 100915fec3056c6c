"""The command line: ``cosim run | check | study | feeders | rules | bench``."""

from cosim.commands.main import main

__all__ = ["main"]
