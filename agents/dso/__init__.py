"""The distribution system operator: what it watches, and the signals by which it shapes what customers plan against."""

from agents.dso.bound import Aim, Bound, BoundError, central_bound
from agents.dso.coordination import Coordination, Options, coordinate
from agents.dso.dso import DSO
from agents.dso.feeder_monitor import FeederMonitor, worst_buses, worst_off
from agents.dso.monitor import Monitor, Observation
from agents.dso.signals import SIGNALS, SignalRule, make_signal
from agents.dso.watch import Watch

__all__ = [
    "DSO",
    "SIGNALS",
    "Aim",
    "Bound",
    "BoundError",
    "Coordination",
    "FeederMonitor",
    "Monitor",
    "Observation",
    "Options",
    "SignalRule",
    "Watch",
    "central_bound",
    "coordinate",
    "make_signal",
    "worst_buses",
    "worst_off",
]
