"""Hosting capacity: how much solar, storage, heat pumps and cars a feeder takes, alone and coordinated."""

from cosim.hosting.capacity import Capacity, Der, Method, Mode, Stop
from cosim.hosting.definition import Definition, Penetration

__all__ = ["Capacity", "Definition", "Der", "Method", "Mode", "Penetration", "Stop"]
