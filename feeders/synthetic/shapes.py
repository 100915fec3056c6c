"""What the readers of all formats hand on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Shape", "Shapes"]


@dataclass(frozen=True, eq=False)
class Shape:
    """A line of points, or one point: coordinates of shape (k, 2), and a rating as it was written."""

    name: str
    points: npt.NDArray[np.float64]
    rating_kva: object = None


@dataclass(frozen=True, eq=False)
class Shapes:
    """What a file holds, and whether in degrees or metres."""

    where: str
    shapes: list[Shape]
    is_degrees: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The name of each."""
        return tuple(shape.name for shape in self.shapes)
