"""Small distributions for the sizes of a population; each is its quantile function, so one uniform number is one draw.

A draw that is a function of one uniform number depends on nothing but that number: other parameters or another
kind of distribution never reshuffle the households.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn, Self

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator
from scipy.special import ndtr, ndtri

from cosim.strict import Strict
from feeders.errors import InputError

__all__ = [
    "BelowOne",
    "Choice",
    "HourQuantity",
    "LogNormal",
    "Normal",
    "Quantity",
    "ShareQuantity",
    "Spread",
    "Uniform",
    "kind_of",
    "limits",
    "quantile",
]

Array = npt.NDArray[np.float64]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]

_LEAST_MASS = 1e-6  # of a distribution between its limits; with less they are a slip of the pen


class Uniform(Strict):
    """Equally likely everywhere between two limits."""

    kind: Literal["uniform"] = "uniform"
    low: NotNegative
    high: NotNegative

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.low > self.high:
            raise InputError("", "low", self.low, f"at most high, {self.high:g}")
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Least and largest value."""
        return self.low, self.high

    def quantile(self, u: Array) -> Array:
        """The value below which a share `u` of all values lies, same shape."""
        return np.minimum(self.low + (self.high - self.low) * u, self.high)


class _Truncated(Strict):
    """A monotone function of a standard normal variable, confined to ``[min, max]``.

    Attributes
    ----------
    mean, std : float
        Of the distribution before it is confined.
    min, max : float, optional
        Values outside do not occur, all others keep their relative frequency.
    """

    kind: Literal["normal", "lognormal"]
    mean: NotNegative
    std: Positive
    min: NotNegative = 0.0
    max: NotNegative | None = None

    @abstractmethod
    def _standard(self, value: float) -> float:
        """The standard normal value that `value` comes from."""

    @abstractmethod
    def _value(self, z: Array) -> Array:
        """The values that standard normal ones become."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        low, high = self._mass_below()
        if high - low < _LEAST_MASS:
            wanted = f"limits that leave some of the distribution, mean {self.mean:g}, std {self.std:g}"
            raise InputError("", "min, max", self.limits, wanted)
        return self

    def _mass_below(self) -> tuple[float, float]:
        """Shares of the distribution below `min` and below `max`."""
        high = 1.0 if self.max is None else float(ndtr(self._standard(self.max)))
        return float(ndtr(self._standard(self.min))), high

    @property
    def limits(self) -> tuple[float, float]:
        """Least and largest value."""
        return self.min, np.inf if self.max is None else self.max

    def quantile(self, u: Array) -> Array:
        """The value below which a share `u` of all values lies, same shape."""
        low, high = self._mass_below()
        # Half an ulp inside 1: ndtri(1) is infinite.
        z = ndtri(np.clip(low + (high - low) * u, np.nextafter(0.0, 1.0), 1.0 - 2.0**-53))
        return np.clip(self._value(z), *self.limits)


class Normal(_Truncated):
    """Normal with mean and standard deviation, confined to ``[min, max]``; nothing here is negative."""

    kind: Literal["normal"] = "normal"

    def _standard(self, value: float) -> float:
        return (value - self.mean) / self.std

    def _value(self, z: Array) -> Array:
        return self.mean + self.std * z


class LogNormal(_Truncated):
    """Log-normal with mean and standard deviation of the value itself, not of its logarithm; see `Normal`.

    With s^2 = ln(1 + (std/mean)^2) the logarithm has standard deviation s and mean ln(mean) - s^2/2.
    """

    kind: Literal["lognormal"] = "lognormal"
    mean: Positive

    @property
    def _log(self) -> tuple[float, float]:
        variance = float(np.log1p((self.std / self.mean) ** 2))
        return float(np.log(self.mean)) - variance / 2, variance**0.5

    def _standard(self, value: float) -> float:
        mean, std = self._log
        return (float(np.log(value)) - mean) / std if value > 0 else -np.inf

    def _value(self, z: Array) -> Array:
        mean, std = self._log
        with np.errstate(over="ignore"):  # infinite sizes are refused where they are drawn
            return np.exp(mean + std * z)


class Choice(Strict):
    """One of some values, equally likely or by weights."""

    kind: Literal["choice"] = "choice"
    values: Annotated[tuple[NotNegative, ...], Field(strict=False, min_length=1)]
    weights: Annotated[tuple[NotNegative, ...] | None, Field(strict=False)] = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.weights is not None and (len(self.weights) != len(self.values) or sum(self.weights) <= 0):
            wanted = f"as many weights as values, {len(self.values)}, not all of them 0"
            raise InputError("", "weights", list(self.weights), wanted)
        return self

    @property
    def limits(self) -> tuple[float, float]:
        """Least and largest value."""
        return min(self.values), max(self.values)

    def quantile(self, u: Array) -> Array:
        """The value that a share `u` of all draws, in the order given, ends with; same shape."""
        weights = np.ones(len(self.values)) if self.weights is None else np.array(self.weights)
        until = np.cumsum(weights) / weights.sum()
        last = int(np.flatnonzero(weights)[-1])  # rounding may leave the sum below 1
        return np.array(self.values)[np.minimum(np.searchsorted(until, u, side="right"), last)]


def kind_of(value: Any) -> str | None:
    """Which member of a union a value is meant for, by its ``kind``; a value that is no table is a number."""
    if isinstance(value, Mapping):
        kind = value.get("kind")
        return kind if isinstance(kind, str) else None
    return str(value.model_dump()["kind"]) if isinstance(value, Strict) else "number"


Spread = (
    Annotated[NotNegative, Tag("number")]
    | Annotated[Uniform, Tag("uniform")]
    | Annotated[Normal, Tag("normal")]
    | Annotated[LogNormal, Tag("lognormal")]
    | Annotated[Choice, Tag("choice")]
)
_KINDS = (Uniform, Normal, LogNormal, Choice)


def limits(quantity: Quantity) -> tuple[float, float]:
    """Least and largest value of a number or distribution."""
    return quantity.limits if isinstance(quantity, _KINDS) else (quantity, quantity)


def quantile(quantity: Quantity, u: Array) -> Array:
    """Values of a number or distribution for uniform numbers `u` in [0, 1), same shape."""
    return quantity.quantile(u) if isinstance(quantity, _KINDS) else np.full(len(u), quantity)


def _within_one(quantity: Quantity) -> Quantity:
    if limits(quantity)[1] > 1:
        _refuse(quantity, "a number from 0 to 1")
    return quantity


def _below_one(quantity: Quantity) -> Quantity:
    if limits(quantity)[1] >= 1:
        _refuse(quantity, "a number from 0 to less than 1")
    return quantity


def _within_a_day(quantity: Quantity) -> Quantity:
    if limits(quantity)[1] >= 24:
        _refuse(quantity, "an hour from 0 to before 24")
    return quantity


def _refuse(quantity: Quantity, allowed: str) -> NoReturn:
    found = quantity if isinstance(quantity, float) else f"a {quantity.kind} up to {limits(quantity)[1]:g}"
    raise InputError("", "", found, f"{allowed}, or a distribution of such, with a max where it needs one")


Quantity = Annotated[Spread, Discriminator(kind_of)]
"""A number >= 0, or a distribution of such: a table with a ``kind``."""
ShareQuantity = Annotated[Quantity, AfterValidator(_within_one)]
"""The same within 0 and 1."""
BelowOne = Annotated[Quantity, AfterValidator(_below_one)]
"""The same from 0 to less than 1."""
HourQuantity = Annotated[Quantity, AfterValidator(_within_a_day)]
"""The same from 0 to before 24."""
