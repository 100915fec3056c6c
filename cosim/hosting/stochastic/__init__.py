"""Stochastic siting and sizing: few scenarios for many, one program of all of them, checks in each."""

from cosim.hosting.stochastic.first_stage import TwoStagePlan
from cosim.hosting.stochastic.reduction import Reduction, reduced
from cosim.hosting.stochastic.two_stage import TwoStage, two_stage

__all__ = ["Reduction", "TwoStage", "TwoStagePlan", "reduced", "two_stage"]
