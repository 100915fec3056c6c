"""Electric cars: when they come and go, how far they drive, and what they charge at home."""

from agents.mobility.sessions import Sessions

__all__ = ["Sessions"]
