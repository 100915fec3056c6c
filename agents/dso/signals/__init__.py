"""Signals by which the operator shapes what customers plan against: prices, demand charges, mixes of plans."""

from agents.dso.signals.registry import SIGNALS, make_signal, register_signal
from agents.dso.signals.rule import SignalRule

__all__ = ["SIGNALS", "SignalRule", "make_signal", "register_signal"]
