"""The distribution system operator: what it watches, and the signals by which it shapes what customers plan against."""

from agents.dso.monitor import Monitor, Observation

__all__ = ["Monitor", "Observation"]
