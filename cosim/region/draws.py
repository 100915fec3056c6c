"""Random numbers of homes, each from the seed, the home's name and what is drawn: no home's depend on the others."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import numpy.typing as npt

from feeders.errors import InputError

__all__ = ["check_seed", "generators", "uniforms"]


def generators(names: Sequence[str], seed: int, what: str) -> list[np.random.Generator]:
    """One generator per home, of what is drawn with it."""
    return [np.random.default_rng([seed, crc32(what.encode()), crc32(name.encode())]) for name in names]


def uniforms(names: Sequence[str], seed: int, what: str) -> npt.NDArray[np.float64]:
    """One number in [0, 1) per home, shape (n,)."""
    return np.array([generator.random() for generator in generators(names, seed, what)])


def check_seed(seed: int) -> None:
    """Raise InputError for a negative seed."""
    if seed < 0:
        raise InputError("region case", "seed", seed, "0 or more")
