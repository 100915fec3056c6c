"""What can be set on the page, and what a browser may send for it: values from outside are checked here alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from feeders.errors import InputError

__all__ = ["Control", "Settings", "checked_value"]

_SHOWN = 10**15  # a larger whole number is not written out in a message


@dataclass(frozen=True)
class Settings:
    """Where the controls stand; plain values, so that two of them can be compared.

    Attributes
    ----------
    feeder, rule, tariff, mode, day : str
        Choices of the controls of the same names.
    other_rule : str
        The rule that is shown beside the first; empty for none.
    share_percent : float
        Prosumers among the homes [%].
    pv_kwp, battery_kwh : float
        Sizes per home that has one, on average.
    inverter_factor : float
        Ratings over the larger of PV and battery power, on average.
    kappa : float
        Selling over buying price.
    seed : int
    """

    feeder: str
    rule: str
    other_rule: str
    share_percent: float
    pv_kwp: float
    battery_kwh: float
    inverter_factor: float
    kappa: float
    tariff: str
    mode: str
    day: str
    seed: int


@dataclass(frozen=True)
class Control:
    """One control of the page.

    Attributes
    ----------
    name : str
        The field of `Settings` that it sets.
    label : str
        What people read.
    unit : str
        Of a number; empty where it has none.
    kind : {"choice", "number"}
    choices : tuple of str
        Of a choice.
    low, high, step : float
        Of a number: its limits, and the distance of the values in between, counted from `low`.
    live : bool
        Whether a change applies from the next market step on; others wait for a reset.
    help : str
        What it does, in a sentence or two.
    """

    name: str
    label: str
    kind: Literal["choice", "number"]
    help: str
    unit: str = ""
    choices: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    step: float = 1.0
    live: bool = False

    def on_grid(self, value: float) -> float:
        """The nearest value that the control can stand at."""
        decimals = max(0, 2 - math.floor(math.log10(self.step)))  # so that 3 * 0.1 is 0.3
        steps = round((value - self.low) / self.step)
        return min(max(round(self.low + steps * self.step, decimals), self.low), self.high)

    @property
    def whole(self) -> bool:
        """Whether its values are whole numbers, and stay so where they are too large for a float."""
        return self.name == "seed"


def checked_value(control: Control, value: Any) -> str | float | int:
    """What a control is to stand at after `value`, which may be anything at all.

    Raises
    ------
    InputError
        Unless it is one of the choices, as text, or a number within the limits; the message says which.
    """
    if control.kind == "choice":
        if isinstance(value, str) and value in control.choices:
            return value
        allowed = ", ".join(choice or "nothing" for choice in control.choices)
        raise InputError("page", control.label, _plain(value), f"one of: {allowed}")
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared before it is converted: a whole number may be larger than any float, and NaN is in no range.
    if not number or not control.low <= value <= control.high or (control.whole and value != int(value)):
        kind = "a whole number" if control.whole else "a number"
        unit = f" {control.unit}" if control.unit else ""
        raise InputError("page", control.label, _plain(value), f"{kind} from {control.low:g} to {control.high:g}{unit}")
    return int(value) if control.whole else control.on_grid(float(value))


def _plain(value: object) -> object:
    """A value as a message can show it, however large or deep it is."""
    if isinstance(value, int) and abs(value) > _SHOWN:
        return "a huge number"
    return value if value is None or isinstance(value, str | int | float) else type(value).__name__
