"""Random designs: a Latin hypercube over fields of a scenario."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature
from typing import Annotated, Any, Self
from zlib import crc32

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["RandomField", "RandomSpec", "samples"]

Array = npt.NDArray[np.float64]


class RandomField(Strict):
    """What a field is drawn from: evenly between two limits, evenly in its logarithm, or one of several values."""

    low: float | None = None
    high: float | None = None
    log: bool = Field(False, description="evenly in the logarithm")
    integer: bool = Field(False, description="whole numbers, both limits among them")
    choices: list[Any] | None = Field(None, description="all equally likely; instead of low and high")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for error in self._problems():
            raise error
        return self

    def _problems(self) -> Iterator[InputError]:
        if self.choices is not None:
            limits = {"low", "high", "log", "integer"} & self.model_fields_set
            if limits:
                yield InputError(
                    "", "choices", self.choices, f"either choices or {', '.join(sorted(limits))}, not both"
                )
            if not self.choices:
                yield InputError("", "choices", [], "at least one value")
        elif self.low is None or self.high is None:
            name = "low" if self.low is None else "high"
            yield InputError("", name, None, "a table with low and high, or with choices")
        elif self.high <= self.low:
            yield InputError("", "high", self.high, f"a number > low, {self.low:g}")
        elif self.log and self.low <= 0:
            yield InputError("", "low", self.low, "a number > 0 where log is true")
        elif self.integer:
            for name, limit in (("low", self.low), ("high", self.high)):
                if limit != int(limit):
                    yield InputError("", name, limit, "a whole number where integer is true")

    def values(self, u: Array) -> list[Any]:
        """The value below which a share `u`, each 0 <= u < 1, of all lies."""
        if self.choices is not None:
            return [self.choices[place] for place in (u * len(self.choices)).astype(int)]
        low, high = self.low or 0.0, self.high or 0.0
        top = high + 1 if self.integer else high
        drawn = low * (top / low) ** u if self.log else low + (top - low) * u
        drawn = np.clip(np.floor(drawn) if self.integer else drawn, low, high)  # rounding may pass the limits
        return [int(value) for value in drawn] if self.integer else drawn.tolist()


class RandomSpec(Strict):
    """A Latin hypercube: of n samples, each n-th part of each field's values holds exactly one."""

    samples: Annotated[int, Field(ge=1, le=1_000_000)]
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(None, description="the sweep's by default")
    fields: dict[str, RandomField]


def samples(spec: RandomSpec, seed: int) -> dict[str, list[Any]]:
    """Values of each field, `spec.samples` of each; the same seed gives the same.

    Strata of different fields are matched at random (McKay, Beckman, Conover, Technometrics 21, 1979). Each field has
    a random stream of its own, by its name: what other fields there are changes none of its values. Another number of
    samples changes all.
    """
    from scipy.stats.qmc import LatinHypercube  # takes a while, and every run's process imports this module

    seed = seed if spec.seed is None else spec.seed
    generator = "rng" if "rng" in signature(LatinHypercube).parameters else "seed"  # renamed in SciPy 1.15

    def uniform(name: str) -> Array:
        sequence = np.random.SeedSequence(seed, spawn_key=(crc32(b"sample"), crc32(name.encode())))
        column = LatinHypercube(1, **{generator: np.random.default_rng(sequence)})
        found: Array = column.random(spec.samples)[:, 0]
        return found

    return {name: field.values(uniform(name)) for name, field in spec.fields.items()}
