"""What of a feeder an operator watches, and against which limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from feeders.errors import InputError, InputErrors
from feeders.feeder import Feeder
from feeders.names import Names
from feeders.sensitivity import Quantity

__all__ = ["Limit", "Watch", "limits"]

_KINDS = ("voltage", "voltage-high", "line", "transformer")


@dataclass(frozen=True)
class Watch:
    """A quantity with a limit.

    Parameters
    ----------
    kind : {"voltage", "voltage-high", "line", "transformer"}
        Voltage that should not be too low, or too high; current of a line or apparent power of a two-winding
        transformer, the larger of both ends.
    element : int or str
        The bus, line or transformer, by index or name.
    limit : float, optional
        Of a voltage in p.u.; default the feeder's own at that bus. Of a loading as a share of the rating; default 1.
    rating : float, optional
        Of a line [kA] or transformer [kVA]; default that of the net.
    """

    kind: Literal["voltage", "voltage-high", "line", "transformer"]
    element: int | str
    limit: float | None = None
    rating: float | None = None

    @property
    def name(self) -> str:
        """Kind and element."""
        return f"{self.kind} {self.element}"


@dataclass(frozen=True)
class Limit:
    """A watch on a certain feeder.

    Attributes
    ----------
    quantity : Quantity
    limit : float
        Voltage [p.u.] or share of the rating.
    rating : float
        What the quantity is a share of: kA or kVA; 1 for a voltage.
    side : float
        1 where more is better, -1 where less is.
    """

    quantity: Quantity
    limit: float
    rating: float
    side: float


def limits(feeder: Feeder, watches: Sequence[Watch]) -> list[Limit]:
    """The limits of a feeder that watches speak of.

    Raises
    ------
    InputError, InputErrors
        For a kind, bus, line or transformer that does not exist (the message names the nearest), is out of service or
        not energised, and a limit or rating that is missing or no positive number.
    """
    found, errors = [], []
    for watch in watches:
        try:
            if watch.kind not in _KINDS:
                raise InputError("watch", "kind", watch.kind, ", ".join(_KINDS))
            found.append(_voltage(feeder, watch) if watch.kind.startswith("voltage") else _loading(feeder, watch))
        except InputError as error:
            errors.append(error)
    if len(errors) > 1:
        raise InputErrors(errors)
    if errors:
        raise errors[0]
    return found


def _voltage(feeder: Feeder, watch: Watch) -> Limit:
    position = int(feeder.bus_positions([watch.element])[0])
    if not feeder.energised[position]:
        raise _error(feeder, watch, "element", watch.element, "a bus that is energised")
    low = watch.kind == "voltage"
    own = feeder.vm_min_pu if low else feeder.vm_max_pu
    limit = _positive(feeder, watch, "limit", watch.limit, own[position])
    return Limit(Quantity("voltage", position), limit, 1.0, 1.0 if low else -1.0)


def _loading(feeder: Feeder, watch: Watch) -> Limit:
    kind: Literal["line", "transformer"] = "line" if watch.kind == "line" else "transformer"
    table, branch, ratings = {
        "line": (feeder.net.line, feeder.nodal.line_branch, feeder.line_rating_ka),
        "transformer": (feeder.net.trafo, feeder.nodal.trafo_branch, feeder.trafo_rating_kva),
    }[kind]
    names = Names(feeder.name, kind, table.index.to_numpy(dtype=np.int64), table["name"].tolist())
    position = int(names.positions([watch.element])[0])
    if branch[position] < 0:
        raise _error(feeder, watch, "element", watch.element, f"a {kind} that is in service and energised")
    rating = _positive(feeder, watch, "rating", watch.rating, ratings.iloc[position])
    limit = _positive(feeder, watch, "limit", watch.limit, 1.0)
    return Limit(Quantity(kind, position), limit, rating, -1.0)


def _positive(feeder: Feeder, watch: Watch, field: str, given: float | None, default: float) -> float:
    value = float(default if given is None else given)
    if given is None and not np.isfinite(value):
        raise _error(feeder, watch, field, None, f"a {field} above 0, as the net has none")
    if not 0.0 < value < np.inf:
        raise _error(feeder, watch, field, value, f"a {field} above 0")
    return value


def _error(feeder: Feeder, watch: Watch, field: str, value: object, allowed: str) -> InputError:
    return InputError(f"feeder {feeder.name!r}", f"{field} of watch {watch.name!r}", value, allowed)
