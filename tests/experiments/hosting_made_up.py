"""A made-up answer of the study of hosting capacity, with figures that can be told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from agents.prosumer.fleet import Fleet
from cosim.hosting import Capacity, Stop
from cosim.hosting.capacity import Der, Method
from experiments.hosting_answer import Answer, Found, Planned
from experiments.hosting_settings import HostingSettings
from experiments.verdicts import Timing
from feeders.feeder import Feeder
from feeders.library import load_feeder

NAN = float("nan")
SIZES = {
    ("pv", "static"): 0.48,
    ("pv", "static-rated"): 0.50,
    ("pv", "dynamic"): 0.90,
    ("hp", "static"): 0.40,
    ("hp", "static-rated"): 0.12,
    ("hp", "dynamic"): 1.0,
}
PAIRS = (("pv", "battery"), ("pv", "hp"), ("pv", "ev"), ("battery", "hp"), ("battery", "ev"), ("hp", "ev"))


def feeder() -> Feeder:
    return load_feeder("four-bus")


def fleet(at: Feeder, pv_kw: float) -> Fleet:
    """PV at each bus where people connect, the first with twice as much as the others; one heat pump."""
    n = len(at.connection_buses)
    share = np.array([2.0, *np.ones(n - 1)])
    names = [f"row-{i}" for i in range(n)]
    none = np.zeros(n)
    return Fleet(names, at.connection_buses, pv_kw * share / share.sum(), none, none, np.eye(n)[0] * 5.6)


def steps(level: float, dynamic: bool, step: float = 0.1) -> pd.DataFrame:
    """Levels from 0 on in steps of 10 %, and one more that is outside; coordination halves the mean loading."""
    levels = np.arange(round(level / step) + 2) * step
    levels[-2:] = level, level + step
    rise = 0.5 if dynamic else 1.0
    return pd.DataFrame(
        {
            "level": levels,
            "kw": 1000 * levels,
            "feasible": levels <= level,
            "vm_max_pu": 1.0 + rise * (0.01 + 0.05 * levels),
            "vm_mean_pu": 1.0 + 0.02 * rise * levels,
            "vm_median_pu": 1.0,
            "vm_min_pu": 0.97,
            "loading_max": 0.5 + 0.2 * levels,
            "loading_mean": rise * (0.2 + 0.1 * levels),
            "loading_median": 0.1 + 0.1 * levels,
            "curtailed_share": 0.0,
            "stop": "",
        }
    )


def capacity(at: Feeder, der: Der, mode: str, level: float, method: Method = "stepping") -> Capacity:
    stop = Stop("over-voltage", "3", 11.0, 1.0512, 1.05) if level < 1 else Stop("all")
    table = steps(level, mode == "dynamic")
    of = "dynamic" if mode == "dynamic" else "static"
    return Capacity(der, of, method, level, 1000 * level, stop, 0.001, table, fleet(at, 1000 * level), 2.0)


def found(at: Feeder) -> list[Found]:
    cases: dict[str, Der] = {"pv": "pv", "hp": "hp"}
    return [Found(c, mode, capacity(at, cases[c], mode, level), 0.1) for (c, mode), level in SIZES.items()]


def draws() -> pd.DataFrame:
    rows = []
    for k in range(6):
        rows.append((k, "static", 45.0 + k, "over-voltage at bus 3, 11:00"))
        rows.append((k, "dynamic", 80.0 + 2 * k, "line at trunk, 18:00" if k else "infeasible"))
    return pd.DataFrame(rows, columns=["scenario", "mode", "capacity_percent", "limit"])


def region() -> pd.DataFrame:
    """Static 50 % PV with batteries alone; dynamic 100 % plus batteries: volumes 0.25 and 1.5."""
    rows = [
        (mode, battery, hp, pv)
        for battery in (0.0, 100.0)
        for hp in (0.0, 100.0)
        for mode, pv in (("static", NAN if hp else 50.0), ("dynamic", 100.0 + battery))
    ]
    return pd.DataFrame(rows, columns=["mode", "battery_percent", "hp_percent", "pv_percent"])


def sensitivity() -> pd.DataFrame:
    rows = [
        ("slack voltage", "0.99", False, "hp", "static", 90.0, ""),
        ("slack voltage", "1", True, "hp", "static", 40.0, ""),
        ("slack voltage", "1.01", False, "hp", "static", NAN, ""),
        ("capacitors", "in", True, "hp", "static", 40.0, ""),
        ("capacitors", "out", False, "hp", "static", 10.0, ""),
        ("slack voltage", "1", True, "pv", "dynamic", 90.0, ""),
    ]
    return pd.DataFrame(rows, columns=["parameter", "value", "default", "case", "mode", "capacity_percent", "limit"])


def local() -> pd.DataFrame:
    rows = [
        ("none", 0.0, 48.0, "over-voltage at bus 3, 11:12", 0.0, 3.0, 100.0, 0.0, 100.0, 0.0),
        ("prc", 0.0, 52.0, "curtailment", 0.0, 4.0, 99.0, 0.1, 95.0, 2.0),
        ("none", 5.0, 48.0, "over-voltage at bus 3, 11:12", 0.0, 3.0, 100.0, 0.0, 100.0, 0.0),
        ("prc", 5.0, 70.0, "curtailment", 0.4, 4.0, 97.0, 0.3, 80.0, 12.0),
    ]
    columns = ["rule", "tolerated_percent", "capacity_percent", "limit", "curtailed_percent", "seconds", "kept_percent"]
    return pd.DataFrame(rows, columns=[*columns, "gini_kept", "worst_tenth_percent", "spread_points"])


def correlations() -> pd.DataFrame:
    rows = [(b, *pair, 0.1 * k if b else 0.1 * (k - 3)) for b in (False, True) for k, pair in enumerate(PAIRS, 1)]
    return pd.DataFrame(rows, columns=["bounded", "first", "second", "spearman"])


def planned(at: Feeder) -> list[Planned]:
    return [
        Planned("static", False, NAN, "base case infeasible", 0.0, 0.0, None, 10.0),
        Planned("dynamic", False, 1.9, "line at trunk, 12:00", 0.97, 1e-7, fleet(at, 1900.0), 100.0),
        Planned("dynamic", True, 1.2, "bounds", 0.90, 1e-7, fleet(at, 1200.0), 100.0),
    ]


def made_up(**changes: object) -> Answer:
    at = feeder()
    sitings = pd.DataFrame(
        [("pv", "static", seed, 50.0 + seed, "") for seed in (1, 2, 3)],
        columns=["case", "mode", "seed", "capacity_percent", "limit"],
    )
    parts: dict[str, object] = {
        "settings": HostingSettings(),
        "feeder": at,
        "peak_kva": 1000.0,
        "n_homes": 280,
        "made": ["A made-up case."],
        "found": found(at),
        "planned": planned(at),
        "sitings": sitings,
        "draws": draws(),
        "draws_s": 9.0,
        "region": region(),
        "sensitivity": sensitivity(),
        "local": local(),
        "correlations": correlations(),
        "log": [Timing("one-shot, PV, static and dynamic", 12.0, 30.0), Timing("stepping", 200.0, 180.0)],
        "notes": ["A note."],
    }
    return Answer(**{**parts, **changes})  # type: ignore[arg-type]
