"""The coupling: clock, scenario, model, record, indices, results, command line."""

from cosim.model import CoSimulation
from cosim.prosumer_spec import ProsumerSpec
from cosim.run import Run, run, run_ensemble
from cosim.scenario import FeederSpec, ForecastSpec, Scenario, VoltageSpec

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
