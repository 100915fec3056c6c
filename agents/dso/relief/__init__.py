"""How an operator relieves congestion with what homes have behind their meters."""

from agents.dso.relief.congestion import LEVELS, onset, threshold_kw, violations
from agents.dso.relief.cur_a import CurA
from agents.dso.relief.cur_b import CurB
from agents.dso.relief.directives import Directives
from agents.dso.relief.forecasts import DayAhead, NoisyDayAhead, PerfectDayAhead, PersistenceDayAhead
from agents.dso.relief.outlook import Measure, Outlook
from agents.dso.relief.pro_a import ProA
from agents.dso.relief.pro_b import ProB
from agents.dso.relief.relieve import in_passes, makeup_h, relieve

__all__ = [
    "LEVELS",
    "CurA",
    "CurB",
    "DayAhead",
    "Directives",
    "Measure",
    "NoisyDayAhead",
    "Outlook",
    "PerfectDayAhead",
    "PersistenceDayAhead",
    "ProA",
    "ProB",
    "in_passes",
    "makeup_h",
    "onset",
    "relieve",
    "threshold_kw",
    "violations",
]
