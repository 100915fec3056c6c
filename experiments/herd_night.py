"""One herd: its homes, what the operator watches, and each way through the night, rehearsed or lived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from agents.dso import worst_buses
from cosim import CoSimulation, Scenario
from cosim.evening import Eve
from cosim.population import resolve
from experiments.herd_settings import TARIFF, HerdSettings
from feeders import Feeder
from feeders.errors import InputError, PowerFlowError

__all__ = ["COLUMNS", "NO_BATTERY", "THIRDS", "Herd", "Outcome", "Reference", "eve_of", "lowest_at_homes", "reference"]

Array = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

COLUMNS = [
    *("self_discharge_per_h", "level", "rule", "mode", "signal", "parameter", "peak_kw", "herd_percent", "v_min_pu"),
    *("deficit_pu_h", "bill", "bill_change_percent", "near_change_percent", "far_change_percent", "n_reversals"),
    *("iteration", "iterations", "seconds"),
]
THIRDS = ("near", "middle", "far")
NO_BATTERY = "no battery"

_MARGIN, _TOLERANCE_H = 0.01, 2e-4  # shares of the herd's drop; 5e-4 p.u. and 1e-5 p.u. h where it is 0.05 p.u.


@dataclass(frozen=True)
class Outcome:
    """One way through the night.

    Attributes
    ----------
    self_discharge_per_h : float
    level : {"rehearsal", "lived"}
        Plans of market steps, or the day minute by minute.
    rule, mode : str
        Inverter rule and how it reads the voltage; empty at rehearsal, which knows no rules.
    signal : str
    power_kw : array, shape (T,)
        Of all homes together, > 0 consumed.
    vm_pu : array, shape (T,)
        The lowest voltage at any home.
    off_peak : array of bool, shape (T,)
        Where energy is cheap.
    bills : array, shape (n,)
        At the tariff [currency].
    parameter : float
        Of the signal, where several are compared.
    deficit_pu_h : float
        Below the reference, at rehearsal.
    n_reversals : float
        Times that the voltage at a home turned back by more than 0.001 p.u., mean of the homes; lived.
    iteration, iterations : float
        The one that was published, and how many there were after the tariff's own.
    ended : str
        Why there was no further one.
    seconds : float
        The whole rehearsal.
    """

    self_discharge_per_h: float
    level: str
    rule: str
    mode: str
    signal: str
    power_kw: Array
    vm_pu: Array
    off_peak: Booleans
    bills: Array
    parameter: float = np.nan
    deficit_pu_h: float = np.nan
    n_reversals: float = np.nan
    iteration: float = np.nan
    iterations: float = np.nan
    ended: str = ""
    seconds: float = np.nan

    @property
    def peak_kw(self) -> float:
        """The highest power off-peak."""
        return float(self.power_kw[self.off_peak].max())

    @property
    def v_min_pu(self) -> float:
        """The lowest voltage off-peak."""
        return float(self.vm_pu[self.off_peak].min())

    @property
    def way(self) -> tuple[float, str, str, str]:
        """What it shares with the tariff alone that it is compared with."""
        return self.self_discharge_per_h, self.level, self.rule, self.mode


@dataclass(frozen=True)
class Reference:
    """What the operator watches, and against which voltage, by a rule.

    Attributes
    ----------
    bare_pu, herd_pu : float
        Lowest off-peak voltage at any home without batteries, and with lossless ones under the tariff alone.
    drop_share : float
        See `HerdSettings`.
    buses : tuple of int
        Those watched.
    """

    bare_pu: float
    herd_pu: float
    drop_share: float
    buses: tuple[int, ...]

    @property
    def drop_pu(self) -> float:
        """How far the herd drops the voltage."""
        return max(0.0, self.bare_pu - self.herd_pu)

    @property
    def vm_ref_pu(self) -> float:
        """The least voltage that the operator accepts."""
        return self.bare_pu - self.drop_share * self.drop_pu

    @property
    def operator(self) -> dict[str, Any]:
        """As fields of a scenario's operator."""
        return {
            "vm_ref_pu": self.vm_ref_pu,
            "margin_pu": _MARGIN * self.drop_pu,
            "tolerance_pu_h": _TOLERANCE_H * self.drop_pu,
            "watch": [{"kind": "voltage", "element": bus} for bus in self.buses],
        }


@dataclass(frozen=True)
class Herd:
    """Homes on a feeder, and all their ways through the night.

    Attributes
    ----------
    feeder : str
    places : DataFrame
        One row per home: home, bus, distance_ohm, and third: near, middle or far by electrical distance.
    reference : Reference
    outcomes : sequence of Outcome
    notes : sequence of str
        What could not be computed, and why.
    """

    feeder: str
    places: pd.DataFrame
    reference: Reference
    outcomes: Sequence[Outcome]
    notes: Sequence[str] = ()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per outcome, columns `COLUMNS`; changes are against the tariff alone on the same way.

        ``herd_percent`` is how much is left of what the herd adds to the peak that there is without batteries.
        """
        rows = []
        for found in self.outcomes:
            base = self.tariff_alone(found).bills
            change = {f"{third}_change_percent": _percent(found.bills[at], base[at]) for third, at in self.thirds}
            row = {name: getattr(found, name) for name in COLUMNS if hasattr(found, name)}
            whole = {"bill": float(found.bills.sum()), "bill_change_percent": _percent(found.bills, base)}
            rows.append({**row, **whole, **change, "herd_percent": self._left(found)})
        return pd.DataFrame(rows, columns=COLUMNS)

    @cached_property
    def customers(self) -> pd.DataFrame:
        """Who pays: one row per outcome and home."""
        frames = []
        for found in self.outcomes:
            base = self.tariff_alone(found).bills
            names = ("self_discharge_per_h", "level", "rule", "mode", "signal")
            frame = self.places.assign(bill_tariff=base, bill=found.bills, change=found.bills - base)
            percent = np.divide(100 * frame["change"], np.abs(base), out=np.full(len(base), np.nan), where=base != 0)
            frame["change_percent"] = percent
            for place, name in enumerate(names):
                frame.insert(place, name, getattr(found, name))
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def _left(self, outcome: Outcome) -> float:
        """In percent; NaN where there is nothing to compare with, or no herd."""
        bare = [found.peak_kw for found in self.outcomes if found.signal == NO_BATTERY and found.way == outcome.way]
        more = self.tariff_alone(outcome).peak_kw - bare[0] if bare else 0.0
        return 100 * (outcome.peak_kw - bare[0]) / more if more > 0 else float("nan")

    @property
    def thirds(self) -> list[tuple[str, Booleans]]:
        """Which homes are in each third."""
        third = self.places["third"].to_numpy()
        return [(name, third == name) for name in THIRDS]

    def of(self, **wanted: object) -> list[Outcome]:
        """Outcomes whose fields have these values."""
        return [found for found in self.outcomes if all(getattr(found, key) == wanted[key] for key in wanted)]

    def tariff_alone(self, outcome: Outcome) -> Outcome:
        """What an outcome is compared with."""
        return next(found for found in self.outcomes if found.signal == TARIFF and found.way == outcome.way)


def reference(settings: HerdSettings, feeder: Feeder) -> tuple[Reference, pd.DataFrame]:
    """What the operator watches, and the places of the homes.

    Raises
    ------
    InputError, InputErrors
        For settings that are no scenario, and more homes than the feeder carries.
    """
    low = []
    for scenario in (settings.without_batteries(), settings.signal(TARIFF, 0.0, {})):
        eve = eve_of(scenario, feeder)
        plan = eve.homes.respond(eve.tariff)
        off_peak = eve.options.active_of(len(plan.p_kw))
        try:
            low.append(float(lowest_at_homes(eve, plan.p_kw, plan.q_kvar)[off_peak].min()))
        except PowerFlowError as error:
            allowed = f"as many as feeder {feeder.name!r} carries at once ({error})"
            raise InputError("herd", "homes", len(eve.homes.names), allowed) from None
    p_kw, q_kvar = (np.where(off_peak[:, None], part, 0.0) for part in (plan.p_kw, plan.q_kvar))
    buses = worst_buses(eve.feeder, p_kw, q_kvar, settings.watched)
    return Reference(low[0], low[1], settings.drop_share, tuple(buses)), _places(eve, feeder)


def eve_of(scenario: Scenario, feeder: Feeder) -> Eve:
    """What the rehearsal of a scenario's first day is made of."""
    model = CoSimulation(resolve(scenario, feeder), feeder=feeder)
    return model.evenings[0].prepared(model.clock.window())


def lowest_at_homes(eve: Eve, p_kw: Array, q_kvar: Array) -> Array:
    """The lowest voltage at any home in each step, shape (T,) [p.u.], if homes behave so."""
    feeder = eve.feeder.feeder
    vm_pu = eve.feeder.vm_pu(p_kw, q_kvar)[:, np.unique(feeder.bus_positions(eve.homes.buses))]
    lowest: Array = vm_pu.min(axis=1)
    return lowest


def _places(eve: Eve, feeder: Feeder) -> pd.DataFrame:
    """Homes by name, in thirds by the electrical distance of their buses, in per unit."""
    row = feeder.bus_positions(eve.homes.buses)
    distance_ohm = feeder.electrical_distance["z_ohm"].to_numpy()[row]
    distance_pu = distance_ohm / feeder.net.bus["vn_kv"].to_numpy(dtype=float)[row] ** 2
    rank = np.argsort(np.argsort(distance_pu, kind="stable"), kind="stable")
    third = [THIRDS[place] for place in 3 * rank // len(rank)]
    columns = {"home": eve.homes.names, "bus": eve.homes.buses, "distance_ohm": distance_ohm, "third": third}
    return pd.DataFrame(columns)


def _percent(bills: Array, base: Array) -> float:
    """Change of bills together, in percent."""
    before = float(base.sum())
    return 100 * (float(bills.sum()) - before) / abs(before) if before else float("nan")
