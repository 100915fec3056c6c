"""From scenarios to what a run needs: engine, columns of assets and signals, forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.prosumer import (
    Assets,
    Forecast,
    NoisyForecast,
    PerfectForecast,
    PersistenceForecast,
    Signals,
)
from cosim.clock import Clock
from cosim.home_models import device_signals, ev_start_kwh
from cosim.profiles import scenario_profiles
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import FeederSpec, Scenario
from cosim.tariff import Prices, RealTimeTariff, Tariff
from feeders import Feeder, feeder_from_json, load_feeder

__all__ = ["Rows", "build_assets", "build_feeder", "build_forecast", "build_rows", "build_signals", "run_prices"]

Array = npt.NDArray[np.float64]

DAYS_AT_ONCE = 3  # of signals in memory: a forecast looks back a day, a plan ahead a day


@dataclass(frozen=True)
class Rows:
    """The prosumers of one or several scenarios as rows: what they own, what reaches them, whose copy they are on.

    `prices` are those of each scenario over all market steps of the run.
    """

    scenarios: Sequence[Scenario]
    prices: Sequence[Prices]
    assets: Assets
    signals: Signals
    copy: npt.NDArray[np.int64]
    seeds: list[int]

    def move_to(self, day: int, clock: Clock) -> None:
        """Let the signals be those that a day needs: yesterday's, its own and tomorrow's."""
        if clock.days > DAYS_AT_ONCE:
            first, until = max(day - 1, 0), min(day + 2, clock.days)
            span = first * clock.steps_per_day, (until - first) * clock.steps_per_day
            self.signals.move_to(span[0], _signals(self.scenarios, self.prices, *span))

    def of(self, scenarios: Sequence[Scenario], assets: Assets) -> Rows:
        """The same rows with the same prices, of scenarios and assets that differ in nothing else but rules."""
        return replace(self, scenarios=scenarios, assets=assets)

    def at_prices(self, prices: Sequence[Prices], now: int) -> Rows:
        """The same rows, who pay other prices from market step `now` on; the signals change along.

        Prices of the steps before it, which have been lived, must be those of now.
        """
        sizes, until = np.bincount(self.copy, minlength=len(prices)), self.signals.first + len(self.signals.price_buy)
        ahead = ([price[now:until] for price in (p.price_buy, p.price_sell)] for p in prices)
        buy, sell = (np.repeat(np.array(part).T, sizes, axis=1) for part in zip(*ahead, strict=True))
        self.signals.reprice(now, buy, sell)
        return replace(self, prices=prices)

    def meter(self, p_meter_kw: Array, clock: Clock) -> None:
        """Note the power at all meters in a control step, where charges on the highest import are planned against."""
        if self.signals.demand is not None:
            self.signals.demand.meter(clock.step, p_meter_kw, 1 / clock.controls_per_step)


def build_feeder(spec: FeederSpec) -> Feeder:
    """The feeder of a scenario, its own loads and static generators scaled.

    Raises
    ------
    InputError
        When there is no such feeder or file, or its net cannot be used.
    """
    feeder = load_feeder(spec.name) if spec.name is not None else feeder_from_json(Path(spec.file or ""))
    if spec.background_scale == spec.generation_scale == 1.0:
        return feeder
    net = feeder.net
    net.load = net.load.drop(index=feeder.prosumer_loads)  # the new feeder brings its own
    net.load["scaling"] *= spec.background_scale
    net.sgen["scaling"] *= spec.generation_scale
    return Feeder(net, feeder.name, connection_buses=feeder.connection_buses.tolist())


def build_rows(scenarios: Sequence[Scenario], feeder: Feeder) -> Rows:
    """Assets and signals of all scenarios, one after the other."""
    sizes = [len(scenario.prosumers) for scenario in scenarios]
    per_day = 24 * 60 // scenarios[0].market_step_min
    prices = [run_prices(scenario) for scenario in scenarios]
    return Rows(
        scenarios=scenarios,
        prices=prices,
        assets=Assets.joined([build_assets(scenario, feeder) for scenario in scenarios]),
        signals=_signals(scenarios, prices, 0, min(scenarios[0].days, DAYS_AT_ONCE) * per_day),
        copy=np.repeat(np.arange(len(scenarios)), sizes),
        seeds=[scenario.seed for scenario, size in zip(scenarios, sizes, strict=True) for _ in range(size)],
    )


def _signals(scenarios: Sequence[Scenario], prices: Sequence[Prices], first_step: int, n_steps: int) -> Signals:
    parts = zip(scenarios, prices, strict=True)
    return Signals.joined([build_signals(scenario, first_step, n_steps, paid) for scenario, paid in parts])


def build_assets(scenario: Scenario, feeder: Feeder) -> Assets:
    """What each prosumer of a scenario owns and obeys."""
    people = scenario.prosumers

    def column(name: str) -> Array:
        return np.array([getattr(p, name) for p in people], dtype=float)

    capacity = column("battery_kwh")
    return Assets(
        ids=[p.id for p in people],
        bus=[feeder.bus_by_name(p.bus) for p in people],
        energy_min_kwh=column("battery_min_kwh"),
        energy_max_kwh=capacity,
        energy_start_kwh=np.array([energy_start_kwh(p) for p in people], dtype=float),
        p_charge_max_kw=column("battery_c_charge") * capacity,
        p_discharge_max_kw=column("battery_c_discharge") * capacity,
        efficiency_charge=column("efficiency_charge"),
        efficiency_discharge=column("efficiency_discharge"),
        inverter_kva=column("inverter_kva"),
        pv_inverter_kva=np.array(
            [np.nan if p.pv_inverter_kva is None else p.pv_inverter_kva for p in people], dtype=float
        ),
        pf_min=np.full(len(people), scenario.voltage.pf_min),
        rule=[p.rule or scenario.rule for p in people],
        band=[scenario.voltage.band] * len(people),
        optimise=np.array([p.optimise and p.strategy == "arbitrage" for p in people], dtype=bool),
        own_use=np.array([p.optimise and p.strategy == "self-consumption" for p in people], dtype=bool),
        ev_kw=column("ev_charger_kw"),
        hp_kw=column("hp_kw"),
        cop=column("hp_cop"),
        tes_kwh=column("tes_kwh"),
        tes_start_kwh=np.array([tes_start_kwh(p) for p in people], dtype=float),
        ev_kwh=column("ev_kwh"),
        ev_start_kwh=ev_start_kwh(scenario),
        ev_efficiency=column("ev_efficiency"),
        room_r_k_per_kw=column("room_r_k_per_kw"),
        room_c_kwh_per_k=column("room_c_kwh_per_k"),
        set_point_c=column("set_point_c"),
        comfort_k=column("comfort_k"),
        hp_ramp=column("hp_ramp"),
        self_discharge_per_h=column("self_discharge_per_h"),
        ties=np.array([p.ties for p in people], dtype=np.str_),
        seed=np.full(len(people), scenario.seed, dtype=np.int64),
    )


def energy_start_kwh(prosumer: ProsumerSpec) -> float:
    """Battery energy at the start: as given, or midway between its bounds."""
    if prosumer.energy_start_kwh is not None:
        return prosumer.energy_start_kwh
    return (prosumer.battery_min_kwh + prosumer.battery_kwh) / 2


def tes_start_kwh(prosumer: ProsumerSpec) -> float:
    """Heat in the hot-water storage at the start: as given, or half of what it holds."""
    return prosumer.tes_kwh / 2 if prosumer.tes_start_kwh is None else prosumer.tes_start_kwh


def build_signals(
    scenario: Scenario, first_step: int = 0, n_steps: int | None = None, prices: Prices | None = None
) -> Signals:
    """Load, sun and prices of a scenario's prosumers; arrays of shape (n_steps, n_prosumers), some of them read-only.

    Parameters
    ----------
    scenario : Scenario
        Whose prosumers; they must have been drawn or read.
    first_step, n_steps : int
        Which market steps; by default those of the whole run. A span has the values it has in the whole.
    prices : Prices, optional
        Prices of all market steps of the run, where they are not the tariff's throughout.
    """
    people = scenario.prosumers
    # A prosumer's steps lie together in memory, as plans read them.
    load, pv = (np.asfortranarray(power) for power in scenario_profiles(scenario, first_step, n_steps))
    flexible = load * np.array([p.flexible_share for p in people])
    inelastic = np.subtract(load, flexible, out=load)
    shape = load.shape
    prices = run_prices(scenario) if prices is None else prices
    span = slice(first_step, first_step + len(load))
    factors = {factor: np.tan(np.arccos(factor)) for factor in {p.load_power_factor for p in people}}
    reactive_per_active = np.array([factors[p.load_power_factor] for p in people])
    q_load_kvar = inelastic * reactive_per_active if reactive_per_active.any() else np.broadcast_to(0.0, load.shape)
    devices = device_signals(scenario, inelastic, first_step, prices.price_buy)
    if devices is not None:
        inelastic = devices.p_base_kw + (devices.p_ev_kw + devices.p_hp_kw)
    signals = Signals(
        p_load_kw=inelastic,
        q_load_kvar=q_load_kvar,
        p_pv_kw=pv,
        p_flexible_kw=flexible,
        p_flexible_min_kw=np.broadcast_to(0.0, shape),
        p_flexible_max_kw=flexible * np.array([p.flexible_max for p in people]),
        price_buy=np.broadcast_to(prices.price_buy[span, None], shape),
        price_sell=np.broadcast_to(prices.price_sell[span, None], shape),
    )
    signals.devices = devices
    return signals


def run_prices(scenario: Scenario) -> Prices:
    """Prices of all market steps of a run; kept for the next span of it that is asked for.

    Raises
    ------
    InputError
        When the tariff's file is wrong or too short, or a selling price is above its buying price.
    """
    file = scenario.tariff.file if isinstance(scenario.tariff, RealTimeTariff) else None
    modified_ns = Path(file).stat().st_mtime_ns if file is not None and Path(file).is_file() else 0
    return _prices(scenario.tariff, scenario.start, scenario.days, scenario.market_step_min, modified_ns)


@lru_cache(maxsize=64)
def _prices(tariff: Tariff, start: datetime, days: int, step_min: int, _modified_ns: int) -> Prices:
    times = pd.date_range(start, periods=days * 24 * 60 // step_min, freq=f"{step_min}min", name="time")
    return tariff.prices(times, folder=Path())


def build_forecast(scenario: Scenario, rows: Rows, clock: Clock) -> Forecast:
    """What prosumers expect, by the scenario's kind of forecast."""
    spec = scenario.forecast
    if spec.kind == "perfect":
        return PerfectForecast(rows.signals)
    if spec.kind == "persistence":
        return PersistenceForecast(rows.signals, clock.steps_per_day)
    return NoisyForecast(
        rows.signals,
        clock.steps_per_day,
        load_error=spec.load_error,
        pv_error=spec.pv_error,
        price_error=spec.price_error,
        seeds=rows.seeds,
        ids=rows.assets.ids,
    )
