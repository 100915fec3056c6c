"""The coupling: clock, scenario, model, record, indices, results, command line."""

from cosim.model import CoSimulation
from cosim.run import Run, run, run_ensemble
from cosim.scenario import FeederSpec, ForecastSpec, ProsumerSpec, Scenario, VoltageSpec

__all__ = [
    "CoSimulation",
    "FeederSpec",
    "ForecastSpec",
    "ProsumerSpec",
    "Run",
    "Scenario",
    "VoltageSpec",
    "run",
    "run_ensemble",
]
