"""Who decides: prosumers and the grid, each with its mathematics beside it."""

from agents.grid import Grid
from agents.prosumer import Population, Prosumer

__all__ = ["Grid", "Population", "Prosumer"]
