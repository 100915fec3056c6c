"""Electric cars: when they come and go, how far they drive, and what they charge at home."""

from agents.mobility.habits import Habits, Purpose
from agents.mobility.mobility import Mobility, drive, simulate
from agents.mobility.sessions import Sessions
from agents.mobility.wishes import Driver

__all__ = ["Driver", "Habits", "Mobility", "Purpose", "Sessions", "drive", "simulate"]
