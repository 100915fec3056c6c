"""How an operator relieves congestion with what homes have behind their meters."""

from agents.dso.relief.directives import Directives

__all__ = ["Directives"]
