"""Regions of few homes and few days."""

import numpy as np
import pandapower as pp
import pandas as pd

from agents.mobility import Sessions
from agents.prosumer.behind_meter import BehindMeter, MeterInputs
from agents.prosumer.charging import charge
from cosim.region import RegionCase
from feeders import Feeder
from feeders.region import Region

STEPS = 96


def region_of(station: np.ndarray) -> Region:
    """Homes at two stations of a net that is never solved here."""
    net = pp.create_empty_network()
    medium = pp.create_bus(net, 20.0)
    pp.create_ext_grid(net, medium)
    low = [pp.create_bus(net, 0.4) for _ in range(2)]
    trafos = [pp.create_transformer(net, medium, bus, "0.4 MVA 20/0.4 kV") for bus in low]
    for bus in low:
        pp.create_load(net, bus, 0.0)
    names = pd.Index([f"home-{row}" for row in range(len(station))], name="home")
    used = np.unique(station)
    homes = pd.DataFrame({"bus": [low[row] for row in station], "station": [f"S{row}" for row in station]}, index=names)
    columns = {"trafo": [trafos[row] for row in used], "rating_kva": 400.0, "hv_bus": medium}
    stations = pd.DataFrame(columns | {"lv_bus": [low[row] for row in used]}, index=[f"S{row}" for row in used])
    return Region(Feeder(net, "small"), homes, stations, trafos[0])


def case_of(assets: BehindMeter, inputs: MeterInputs, today: MeterInputs, sessions: Sessions) -> RegionCase:
    """A case of homes of 100 m2 from the 1st of January."""
    times = pd.date_range("2030-01-01", periods=len(inputs), freq="15min")
    region = region_of(assets.station)
    homes = pd.DataFrame({"station": region.homes["station"], "area_m2": 100.0}, index=region.homes.index)
    return RegionCase(region, times, assets, inputs, today, sessions, homes, np.full(len(inputs), 5.0))


def one_home(
    load_kw: np.ndarray,
    heat_kw: np.ndarray | None = None,
    sessions: Sessions | None = None,
    battery: tuple[float, float] = (0.0, 0.0),
) -> RegionCase:
    """One home: load, heat at a COP of 2 from a pump of the highest demand, a charger of 11 kW, battery (kWh, kW)."""
    empty = np.empty(0, dtype=np.int64)
    sessions = Sessions(empty, empty, empty, np.empty(0)) if sessions is None else sessions
    load = load_kw[:, None]
    zeros, heat = np.zeros_like(load), np.zeros_like(load) if heat_kw is None else heat_kw[:, None]
    size = [np.array([value]) for value in battery]
    charger = np.array([11.0 if len(sessions) else 0.0])
    assets = BehindMeter(["home-0"], np.array([0]), *size, np.zeros(1), heat.max(axis=0), charger)
    ev = charge(sessions, charger, np.full(len(load), np.inf)).p_ev_kw
    cop = np.full(len(load), 2.0)
    today = MeterInputs(load, zeros, zeros, cop, zeros)
    return case_of(assets, MeterInputs(load, zeros, heat, cop, ev), today, sessions)


def few_homes(n: int = 8, n_days: int = 10, seed: int = 0) -> RegionCase:
    """Homes with evening peaks, sun at noon, cold nights and cars that come home at about five."""
    rng = np.random.default_rng(seed)
    hour = np.arange(n_days * STEPS) % STEPS / 4
    shape = (len(hour), n)
    load = (0.3 + 1.5 * np.exp(-(((hour - 18.5) / 2) ** 2)))[:, None] * rng.uniform(0.5, 1.5, shape)
    sun = np.maximum(0, np.cos((hour - 12) / 12 * 2 * np.pi))[:, None]
    pv = 8 * sun * rng.uniform(0.2, 1, (n_days, 1)).repeat(STEPS, axis=0) * (np.arange(n) % 2 == 0)
    heat = (2 + np.cos(hour / 24 * 2 * np.pi))[:, None] * rng.uniform(0.7, 1.3, shape) * (np.arange(n) % 4 != 3)
    cars = np.arange(0, n, 3)
    arrival = 68 + STEPS * np.tile(np.arange(n_days - 1), len(cars)) + rng.integers(-6, 7, (n_days - 1) * len(cars))
    sessions = Sessions(cars.repeat(n_days - 1), arrival, arrival + 50, rng.uniform(2, 25, len(arrival)))
    has_pv, has_hp = pv.any(axis=0), heat.any(axis=0)
    charger = np.where(np.isin(np.arange(n), cars), 11.0, 0.0)
    assets = BehindMeter(
        [f"home-{row}" for row in range(n)],
        np.arange(n) // (n // 2),
        *(16.0 * has_pv, 3.0 * has_pv, 11.6 * (has_pv & has_hp), heat.max(axis=0), charger),
    )
    ev = charge(sessions, charger, np.full(len(hour), np.inf)).p_ev_kw
    cop = 3 + 0.5 * np.cos((hour - 14) / 12 * np.pi)
    today = MeterInputs(load, pv / 2, np.zeros(shape), cop, np.zeros(shape))
    return case_of(assets, MeterInputs(load, pv, heat, cop, ev), today, sessions)
