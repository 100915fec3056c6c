"""Coordinated dispatch of a feeder's devices over many steps, judged by the AC power flow."""

from agents.dso.dispatch.capacity import most
from agents.dso.dispatch.dispatched import Dispatch, SolveStatus
from agents.dso.dispatch.dispatching import dispatch
from agents.dso.dispatch.settings import DispatchSettings, Weights
from agents.dso.dispatch.sizing import Sizing

__all__ = ["Dispatch", "DispatchSettings", "Sizing", "SolveStatus", "Weights", "dispatch", "most"]
