"""Hosting capacity: how much solar, storage, heat pumps and cars a feeder takes, alone and coordinated."""

from cosim.hosting.capacity import Capacity, Der, Method, Mode, Stop
from cosim.hosting.case import HostingCase, hosting_case
from cosim.hosting.day import Day
from cosim.hosting.definition import Definition, Penetration
from cosim.hosting.devices import Devices
from cosim.hosting.find import find

__all__ = [
    "Capacity",
    "Day",
    "Definition",
    "Der",
    "Devices",
    "HostingCase",
    "Method",
    "Mode",
    "Penetration",
    "Stop",
    "find",
    "hosting_case",
]
