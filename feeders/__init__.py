"""Distribution feeders: nets, limits, electrical distances and power-flow engines."""

from __future__ import annotations

from feeders.engines import ENGINE_NAMES, ENGINES, Engine, make_engine
from feeders.feeder import Feeder
from feeders.library import FEEDERS, describe, feeder_from_json, load_feeder, require_feeder_name

__all__ = [
    "ENGINES",
    "ENGINE_NAMES",
    "FEEDERS",
    "Engine",
    "Feeder",
    "describe",
    "feeder_from_json",
    "load_feeder",
    "make_engine",
    "require_feeder_name",
]
