"""Comparing the runs of a sweep: who bears what a rule costs, and what is had for it."""

from cosim.compare.comparison import Comparison, Question, compare
from cosim.compare.disparity import MEASURES, measures

__all__ = ["MEASURES", "Comparison", "Question", "compare", "measures"]
