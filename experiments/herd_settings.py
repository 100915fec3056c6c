"""What the herd study can be told, and the scenarios that it is made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field, field_validator

from agents.dso import make_signal
from cosim import Scenario
from cosim.population_spec import Ties
from cosim.strict import Strict

__all__ = ["RANDOM_HOMES", "SWEPT", "TARIFF", "HerdSettings"]

TARIFF = "none"
"""The signal that says nothing: homes plan against the tariff, and break ties late."""

RANDOM_HOMES = "random-homes"
"""No signal either, but homes that break ties at random by themselves."""

_CHEAP = {"start": "22:00", "end": "06:00"}
_PERIODS = [{**_CHEAP, "price": 0.15}, {"start": "06:00", "end": "22:00", "price": 0.30}]


class HerdSettings(Strict):
    """The night, the homes, and what is tried on them.

    Attributes
    ----------
    feeder : str
        A feeder by name; the homes take the place of its own loads.
    homes : int
    start : datetime
        Local midnight, with offset; by default that of a Tuesday of the winter week of the extract.
    seed : int
        Of the population and of the signals that draw.
    battery_kwh, pv_share, pv_kwp : float
        Battery of each home (0.5C), chance of PV and its size.
    self_discharges : tuple of float
        Share of its energy that a battery loses in an hour; each value is a case.
    signals : tuple of str
        Those of `agents.dso.SIGNALS`, with default parameters, and "random-homes". "none" always comes first.
    rules, modes : tuple of str
        Inverter rules under which the day is lived beside none, and how they read the voltage.
    drop_share : float
        The operator's reference is the lowest off-peak voltage without batteries, less this share of how far the herd
        drops it.
    watched : int
        How many of the buses where people connect the operator watches: those where the herd's voltage is lowest.
    iterations : int
        Signals at most.
    demand_prices, noises : tuple of float
        Prices of the demand charge [currency/kW], and noises of the signal "random-ties", that are compared.
    longer : int
        How many iterations "dual-ascent", "frank-wolfe" and "column-generation" take where they go on for smaller bills
        once the limits hold; 0 to leave that out.
    bound : bool
        Whether the central bound is computed.
    size_feeder : str
        Feeder on which numbers of homes are compared.
    sizes : tuple of int
        Numbers of homes there.
    size_signals : tuple of str
        As `signals`, for these.
    """

    feeder: str = "cigre-lv"
    homes: int = Field(default=100, ge=3, le=99_999)
    start: AwareDatetime = datetime(2016, 12, 5, 23, tzinfo=UTC)
    seed: int = Field(default=1, ge=0)
    battery_kwh: float = Field(default=6.0, gt=0)
    pv_share: float = Field(default=0.2, ge=0, le=1)
    pv_kwp: float = Field(default=5.0, ge=0)
    self_discharges: tuple[float, ...] = Field(default=(0.0, 0.002), strict=False, min_length=1)
    signals: tuple[str, ...] = Field(
        default=(
            *(TARIFF, "source", "source-local", "demand-charge", "random-ties", RANDOM_HOMES),
            *("dual-ascent", "frank-wolfe", "column-generation"),
        ),
        strict=False,
    )
    rules: tuple[str, ...] = Field(default=("hybrid",), strict=False)
    modes: tuple[Literal["closed-loop", "settled"], ...] = Field(default=("closed-loop", "settled"), strict=False)
    drop_share: float = Field(default=0.05, ge=0, le=1)
    watched: int = Field(default=15, ge=1)
    iterations: int = Field(default=8, ge=1, le=1000)
    demand_prices: tuple[float, ...] = Field(default=(1e-4, 3e-4, 1e-3, 3e-3, 6e-3, 1e-2), strict=False)
    noises: tuple[float, ...] = Field(default=(1e-3, 3e-3, 1e-2, 3e-2), strict=False)
    longer: int = Field(default=30, ge=0, le=1000)
    bound: bool = True
    size_feeder: str = "parametric-12kv"
    sizes: tuple[int, ...] = Field(default=(100, 300, 1000), strict=False)
    size_signals: tuple[str, ...] = Field(
        default=(TARIFF, "source", "source-local", "demand-charge", "random-ties", RANDOM_HOMES, "column-generation"),
        strict=False,
    )

    @field_validator("signals", "size_signals")
    @classmethod
    def _known(cls, signals: tuple[str, ...]) -> tuple[str, ...]:
        for name in signals:
            if name != RANDOM_HOMES:
                make_signal(name)
        return tuple(dict.fromkeys((TARIFF, *signals)))

    @field_validator("demand_prices", "noises")
    @classmethod
    def _in_range(cls, values: tuple[float, ...], info: Any) -> tuple[float, ...]:
        name, parameter = SWEPT[info.field_name]
        for value in values:
            make_signal(name, **{parameter: value})
        return values

    def scenario(self, **changes: Any) -> Scenario:
        """The day of the homes, without an operator, with some fields changed, dots written as double underscores.

        Raises
        ------
        InputErrors
        """
        population = {
            "n": self.homes,
            "placement": "random",
            "pv_share": self.pv_share,
            "pv_kwp": self.pv_kwp,
            "battery_kwh": self.battery_kwh,
            "inverter_kva": 5.0,
            "flexible_share": 0.0,
        }
        data = {
            "name": "herd",
            "start": self.start,
            "rule": "none",
            "seed": self.seed,
            "record": ("p_meter_kw", "vm_pu"),
            "feeder": {"name": self.feeder, "background_scale": 0.0},
            "tariff": {"kind": "time-of-use", "periods": _PERIODS, "kappa": 0.4},
            "population": population,
        }
        return Scenario.from_dict(data, "herd").changed({key.replace("__", "."): changes[key] for key in changes})

    def signal(self, signal: str, self_discharge_per_h: float, operator: dict[str, Any]) -> Scenario:
        """The day under one signal, with an operator who watches by `operator`."""
        ties: Ties = "random" if signal == RANDOM_HOMES else "late"
        rule = TARIFF if signal == RANDOM_HOMES else signal
        return self.scenario(
            population__self_discharge_per_h=self_discharge_per_h,
            population__ties=[ties],
            dso={"signal": rule, "active": [_CHEAP], "iterations": self.iterations, **operator},
        )

    def without_batteries(self) -> Scenario:
        """The day of the same homes without batteries, with an operator who says nothing."""
        return self.scenario(population__battery_share=0.0, dso={"signal": TARIFF, "active": [_CHEAP]})


SWEPT = {"demand_prices": ("demand-charge", "price"), "noises": ("random-ties", "noise")}
"""By the field with its values: a signal, and which of its parameters is compared."""
