"""The distribution system operator: what it watches, and the signals by which it shapes what customers plan against."""

from agents.dso.feeder_monitor import FeederMonitor, worst_buses
from agents.dso.monitor import Monitor, Observation
from agents.dso.watch import Watch

__all__ = ["FeederMonitor", "Monitor", "Observation", "Watch", "worst_buses"]
