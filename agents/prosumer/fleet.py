"""Flexible devices as a coordinator or a planner sees them, as columns: PV, batteries, cars and heat pumps.

A row is one prosumer, or a group of prosumers at one bus with devices of one kind: ratings and energies of a group are
sums, which is exact where its devices are alike (a sum of equal convex sets is the set, scaled). Several rows may be at
one bus. Active power > 0 is consumed, PV a magnitude; reactive power > 0 is injected.

Devices, source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", DER modeling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError, InputErrors

__all__ = ["RATINGS", "Fleet", "FleetInputs"]

Array = npt.NDArray[np.float64]

RATINGS = ("pv_kw", "battery_kw", "ev_kw", "hp_kw")
"""The columns that say how much of each device there is; the energy of a battery or car goes with its power."""


@dataclass(frozen=True)
class Fleet:
    """Devices of N rows: arrays of shape (N,); 0 of a rating where a row has no such device.

    Attributes
    ----------
    names : list of str
        Unique.
    bus : array of int
        Index of the bus in the net.
    pv_kw, battery_kw, ev_kw, hp_kw : array
        Ratings [kW electric].
    battery_h, ev_h : array
        Energy over rated power [h]: of batteries (3 h), and of cars with their chargers (70 kWh / 9.6 kW).
    battery_efficiency, ev_efficiency : array
        In (0, 1], of charging and of discharging alike.
    battery_self_discharge_per_h : array
        Share of the energy lost per hour, in [0, 1).
    battery_soc_min, battery_soc_start : array
        In [0, 1]; the day ends as it starts.
    ev_v2g : array of bool
        Whether cars give back.
    ev_soc_min, ev_soc_target : array
        At all times, and at each departure.
    ev_trip_h : array
        Energy of a day's driving over the charger's power [h]: 3.65 for 35 kWh at 9.6 kW.
    ev_leaves_h, ev_returns_h : array
        Hours of the day, in [0, 24), between which cars are away; past midnight where they return earlier than leave.
    hp_unit_kw : array
        Rating of one heat pump [kW]; `hp_kw` over it is the number of rooms.
    cop, r_k_per_kw, c_kwh_per_k : array
        Heat per electric energy, and thermal resistance and capacitance of one room.
    set_point_c, comfort_k : array
        Temperature wanted, and how far it may be off.
    hp_ramp : array
        Largest change of the heat pump's power from step to step, as a share of its rating.
    q_share : array
        Reactive power that inverters of PV and batteries can give or take, per kW of their rating, whatever their
        active power (they are oversized accordingly).

    Raises
    ------
    InputErrors
        For lengths that differ and values that cannot be, each with the row's name.
    """

    names: list[str]
    bus: npt.NDArray[np.int64]
    pv_kw: Array
    battery_kw: Array
    ev_kw: Array
    hp_kw: Array
    battery_h: Array = field(default_factory=lambda: np.zeros(0))
    battery_efficiency: Array = field(default_factory=lambda: np.zeros(0))
    battery_self_discharge_per_h: Array = field(default_factory=lambda: np.zeros(0))
    battery_soc_min: Array = field(default_factory=lambda: np.zeros(0))
    battery_soc_start: Array = field(default_factory=lambda: np.zeros(0))
    ev_h: Array = field(default_factory=lambda: np.zeros(0))
    ev_efficiency: Array = field(default_factory=lambda: np.zeros(0))
    ev_v2g: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, dtype=bool))
    ev_soc_min: Array = field(default_factory=lambda: np.zeros(0))
    ev_soc_target: Array = field(default_factory=lambda: np.zeros(0))
    ev_trip_h: Array = field(default_factory=lambda: np.zeros(0))
    ev_leaves_h: Array = field(default_factory=lambda: np.zeros(0))
    ev_returns_h: Array = field(default_factory=lambda: np.zeros(0))
    hp_unit_kw: Array = field(default_factory=lambda: np.zeros(0))
    cop: Array = field(default_factory=lambda: np.zeros(0))
    r_k_per_kw: Array = field(default_factory=lambda: np.zeros(0))
    c_kwh_per_k: Array = field(default_factory=lambda: np.zeros(0))
    set_point_c: Array = field(default_factory=lambda: np.zeros(0))
    comfort_k: Array = field(default_factory=lambda: np.zeros(0))
    hp_ramp: Array = field(default_factory=lambda: np.zeros(0))
    q_share: Array = field(default_factory=lambda: np.zeros(0))

    USUAL: ClassVar[dict[str, float | bool]] = {
        "battery_h": 3.0,  # Nair et al., DER modeling
        "battery_efficiency": 0.95,
        "battery_self_discharge_per_h": 0.0,
        "battery_soc_min": 0.0,
        "battery_soc_start": 0.5,
        "ev_h": 70 / 9.6,  # Nair et al.: 70 kWh behind 9.6 kW
        "ev_efficiency": 0.95,
        "ev_v2g": True,
        "ev_soc_min": 0.2,
        "ev_soc_target": 0.9,  # Nair et al.: 90 % at departure
        "ev_trip_h": 35 / 9.6,  # half of the battery: an assumption, none is published
        "ev_leaves_h": 9.0,  # Nair et al.'s example, away 9-17 h
        "ev_returns_h": 17.0,
        "hp_unit_kw": 5.6,  # this and the next four: Nair et al., Table 2
        "cop": 2.5,
        "r_k_per_kw": 2.0,
        "c_kwh_per_k": 2.0,
        "set_point_c": 22.5,
        "comfort_k": 2.0,  # an assumption: the published dead band of 0.3125 K is the thermostat's
        "hp_ramp": 0.3,  # Nair et al.
        "q_share": 0.44,  # IEEE 1547-2018, 5.2, category B: 44 % of the nameplate rating
    }

    def __post_init__(self) -> None:
        n = len(self.names)
        for name, usual in self.USUAL.items():
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(n, usual))
        problems = self._problems()
        if problems:
            raise InputErrors(problems)

    def __len__(self) -> int:
        return len(self.names)

    @property
    def battery_kwh(self) -> Array:
        """Energy of batteries [kWh]."""
        return self.battery_kw * self.battery_h

    @property
    def ev_kwh(self) -> Array:
        """Energy of the cars' batteries [kWh]."""
        return self.ev_kw * self.ev_h

    @property
    def n_rooms(self) -> Array:
        """How many heat pumps, with a room each."""
        return self.hp_kw / self.hp_unit_kw

    def with_ratings(self, **ratings: Array) -> Fleet:
        """The same rows with other ratings, those of `RATINGS` by name, shape (N,)."""
        return replace(self, **ratings)  # type: ignore[arg-type]

    def rows(self, which: npt.NDArray[Any]) -> Fleet:
        """Some of the rows, by position or mask."""
        chosen = np.arange(len(self))[which]
        columns = {f.name: getattr(self, f.name)[chosen] for f in fields(self) if f.name != "names"}
        return Fleet(names=[self.names[i] for i in chosen], **columns)

    def away(self, step_h: float, n_steps: int, start_h: float = 0.0) -> npt.NDArray[np.bool_]:
        """Where cars are away, shape (n_steps, N); a step counts by its middle, the first begins at `start_h`."""
        hour = np.mod(start_h + (np.arange(n_steps) + 0.5) * step_h, 24.0)[:, None]
        leaves, returns = self.ev_leaves_h, self.ev_returns_h
        within = (hour >= leaves) & (hour < returns)
        found: npt.NDArray[np.bool_] = np.where(leaves <= returns, within, (hour >= leaves) | (hour < returns))
        return found

    def _problems(self) -> list[InputError]:
        n, problems = len(self.names), []
        if len(set(self.names)) != n:
            problems.append(InputError("fleet", "names", "a name twice", "names that differ"))
        for column in fields(self)[1:]:
            values = np.asarray(getattr(self, column.name))
            low, high, allowed = _ALLOWED.get(column.name, (0.0, np.inf, "0 or more"))
            if values.shape != (n,):
                problems.append(InputError("fleet", column.name, values.shape, f"one value per row, {n}"))
                continue
            good = np.isfinite(values) & (values >= low) & (values <= high)
            if not good.all():
                row = int(np.argmin(good))
                problems.append(InputError("fleet", f"{self.names[row]}.{column.name}", values[row].item(), allowed))
        return problems


_LEAST = float(np.nextafter(0.0, 1.0))
_SHARE = (0.0, 1.0, "from 0 to 1")
_ABOVE_0 = (_LEAST, np.inf, "above 0")
_HOUR = (0.0, float(np.nextafter(24.0, 0.0)), "an hour from 0 to before 24")
_ALLOWED: dict[str, tuple[float, float, str]] = {
    "bus": (0.0, np.inf, "a bus index"),
    "battery_h": _ABOVE_0,
    "ev_h": _ABOVE_0,
    "battery_efficiency": (_LEAST, 1.0, "above 0, at most 1"),
    "ev_efficiency": (_LEAST, 1.0, "above 0, at most 1"),
    "battery_self_discharge_per_h": (0.0, float(np.nextafter(1.0, 0.0)), "from 0 to before 1"),
    "battery_soc_min": _SHARE,
    "battery_soc_start": _SHARE,
    "ev_soc_min": _SHARE,
    "ev_soc_target": _SHARE,
    "ev_leaves_h": _HOUR,
    "ev_returns_h": _HOUR,
    "hp_unit_kw": _ABOVE_0,
    "cop": _ABOVE_0,
    "r_k_per_kw": _ABOVE_0,
    "c_kwh_per_k": _ABOVE_0,
    "set_point_c": (-50.0, 100.0, "a temperature in degrees Celsius from -50 to 100"),
    "hp_ramp": (_LEAST, np.inf, "above 0"),
}


@dataclass(frozen=True)
class FleetInputs:
    """What surrounds the devices in T steps.

    Attributes
    ----------
    p_load_kw, q_load_kvar : array, shape (T, n_buses)
        Load that nobody shifts, at each bus of the feeder, both > 0 consumed; it stands in place of the net's own.
    pv_share : array, shape (T,)
        PV power that the sun allows over the rating.
    t_out_c : array, shape (T,)
        Outdoor temperature.
    price : array, shape (T,)
        Of import from the grid above [currency/kWh].
    step_h : float
        Length of a step.
    start_h : float
        Hour of the day at which the first step begins.

    Raises
    ------
    InputErrors
        For shapes that differ and values that cannot be.
    """

    p_load_kw: Array
    q_load_kvar: Array
    pv_share: Array
    t_out_c: Array
    price: Array
    step_h: float = 1.0
    start_h: float = 0.0

    def __post_init__(self) -> None:
        n_steps = len(self.pv_share)
        shape, problems = (n_steps, *self.p_load_kw.shape[1:]), []
        shapes = {"p_load_kw": shape, "q_load_kvar": shape, "t_out_c": (n_steps,), "price": (n_steps,)}
        for name, wanted in shapes.items():
            values = getattr(self, name)
            if values.shape != wanted:
                problems.append(InputError("inputs", name, values.shape, f"shape {wanted}"))
            elif not np.isfinite(values).all():
                problems.append(InputError("inputs", name, "not finite", "numbers"))
        good = (self.pv_share >= 0) & (self.pv_share <= 1.5)
        if not good.all():
            problems.append(InputError("inputs", "pv_share", float(self.pv_share[np.argmin(good)]), "from 0 to 1.5"))
        if not 0 < self.step_h <= 24:
            problems.append(InputError("inputs", "step_h", self.step_h, "above 0, at most 24"))
        if problems:
            raise InputErrors(problems)

    def __len__(self) -> int:
        return len(self.pv_share)

    def steps(self, which: Sequence[int] | npt.NDArray[Any]) -> FleetInputs:
        """Some of the steps, e.g. the critical ones."""
        chosen = np.arange(len(self))[which]
        return replace(
            self,
            p_load_kw=self.p_load_kw[chosen],
            q_load_kvar=self.q_load_kvar[chosen],
            pv_share=self.pv_share[chosen],
            t_out_c=self.t_out_c[chosen],
            price=self.price[chosen],
        )
