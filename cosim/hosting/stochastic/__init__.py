"""Stochastic siting and sizing: few scenarios for many, one program of all of them, checks in each."""

from cosim.hosting.stochastic.first_stage import TwoStagePlan
from cosim.hosting.stochastic.planned import TwoStage
from cosim.hosting.stochastic.reduction import Reduction, reduced
from cosim.hosting.stochastic.region import feasible_region, volume, volume_ratio
from cosim.hosting.stochastic.static_plan import StaticPlan, static_plan
from cosim.hosting.stochastic.two_stage import two_stage

__all__ = [
    "Reduction",
    "StaticPlan",
    "TwoStage",
    "TwoStagePlan",
    "feasible_region",
    "reduced",
    "static_plan",
    "two_stage",
    "volume",
    "volume_ratio",
]
