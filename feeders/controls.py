"""What can be set in a net during a run: the voltage of the external grids, and transformers' taps."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError, InputErrors

__all__ = ["Controls", "TapChanger"]


@dataclass(frozen=True)
class TapChanger:
    """A transformer's tap changer.

    Parameters
    ----------
    table : str
        ``"trafo"`` or ``"trafo3w"``, the table of the net that holds the transformer.
    row : int
        Its index there.
    position, lowest, highest : float
        ``tap_pos`` of the feeder, ``tap_min`` and ``tap_max``; NaN where the net does not give them. A position that is
        not given is the neutral one.
    """

    table: str
    row: int
    position: float
    lowest: float
    highest: float


class Controls:
    """The settings of a feeder's net as it was given, and how to put others there.

    Parameters
    ----------
    net : pandapowerNet
        The repaired net; it is only read.
    name : str
        Name of the feeder, for messages.

    Attributes
    ----------
    tap_changers : dict
        `TapChanger` of each transformer that has one, by its index in ``net.trafo``; those of ``net.trafo3w`` by
        ``"trafo3w 0"``, their table and index.
    """

    def __init__(self, net: pandapowerNet, name: str) -> None:
        self._where = f"feeder {name!r}"
        self._slack_vm_pu = net.ext_grid["vm_pu"].to_numpy(dtype=float, copy=True)
        self._has_transformers = len(net.trafo) + len(net.trafo3w) > 0
        self.tap_changers: dict[int | str, TapChanger] = dict(_tap_changers(net))
        self._named: dict[str, list[int | str]] = {}
        for key, changer in self.tap_changers.items():
            self._named.setdefault(str(net[changer.table].at[changer.row, "name"]), []).append(key)

    def positions(self, taps: Mapping[int | str, int]) -> dict[int | str, int]:
        """Tap positions asked for, by the keys of `tap_changers`, without those that the net has anyway.

        Parameters
        ----------
        taps : mapping
            Position of each transformer, by its index in ``net.trafo`` or by name.

        Raises
        ------
        InputError, InputErrors
            For transformers that are unknown or have no tap changer, and positions that are no whole number or
            outside ``tap_min`` to ``tap_max``.
        """
        found: dict[int | str, int] = {}
        errors = []
        for transformer, position in taps.items():
            try:
                key = self._key(transformer)
                found[key] = self._position(transformer, self.tap_changers[key], position)
            except InputError as error:
                errors.append(error)
        if len(errors) > 1:
            raise InputErrors(errors)
        if errors:
            raise errors[0]
        return {key: position for key, position in found.items() if position != self.tap_changers[key].position}

    def put(self, net: pandapowerNet, slack_vm_pu: float | None, taps: Mapping[int | str, int]) -> None:
        """Set ``net``, the feeder's or a copy of it, to this slack voltage (None: the net's own) and these taps.

        ``taps`` as from `positions`; all others go back to where the feeder had them.
        """
        net.ext_grid["vm_pu"] = self._slack_vm_pu if slack_vm_pu is None else slack_vm_pu
        for key, changer in self.tap_changers.items():
            frame = net[changer.table]
            frame.loc[changer.row, "tap_pos"] = taps.get(key, changer.position)
            if _no_type(frame.loc[[changer.row], "tap_changer_type"]).all():  # pandapower would ignore the tap
                frame["tap_changer_type"] = frame["tap_changer_type"].astype(object)
                frame.loc[changer.row, "tap_changer_type"] = "Ratio"

    def _key(self, transformer: int | str) -> int | str:
        same = self._named.get(transformer, []) if isinstance(transformer, str) else []
        if len(same) > 1:
            raise self._error(transformer, f"one of the transformers of that name by index: {same}")
        if same:
            return same[0]
        key = int(transformer) if isinstance(transformer, str) and transformer.isdecimal() else transformer
        if isinstance(key, bool) or key not in self.tap_changers:
            raise self._error(transformer, self._known(transformer))
        return key

    def _known(self, transformer: object) -> str:
        if not self._has_transformers:
            return "none: this net has no transformers"
        if not self.tap_changers:
            return "none: no transformer of this net has a tap changer"
        known = list(dict.fromkeys([*(name for name in self._named if name != "None"), *map(str, self.tap_changers)]))
        near = difflib.get_close_matches(str(transformer), known, n=3, cutoff=0.0)
        return f"index or name of a transformer with a tap changer; nearest: {', '.join(near)}"

    def _position(self, transformer: int | str, changer: TapChanger, position: float) -> int:
        lowest, highest = changer.lowest, changer.highest
        if not lowest <= highest:
            raise self._error(transformer, "a transformer whose tap_min and tap_max are given")
        number = isinstance(position, int | float | np.integer | np.floating) and not isinstance(position, bool)
        if not number or not lowest <= position <= highest or position != int(position):
            allowed = f"a whole number from {lowest:g} to {highest:g}"
            raise InputError(self._where, f"tap position of transformer {transformer!r}", position, allowed)
        return int(position)

    def _error(self, transformer: object, allowed: str) -> InputError:
        return InputError(self._where, "transformer to tap", transformer, allowed)


def _tap_changers(net: pandapowerNet) -> Iterator[tuple[int | str, TapChanger]]:
    for table in ("trafo", "trafo3w"):
        frame = net[table]
        neutral = _numbers(frame, "tap_neutral")
        if not {"tap_side", "tap_changer_type"} <= set(frame.columns):
            continue
        step = np.isfinite(_numbers(frame, "tap_step_percent"))
        step |= np.isfinite(_numbers(frame, "tap_step_degree")) & ~_no_type(frame["tap_changer_type"])
        has = np.isfinite(neutral) & step & frame["tap_side"].isin(["hv", "mv", "lv"])
        position = _numbers(frame, "tap_pos")
        position = position.where(np.isfinite(position), neutral)
        lowest, highest = _numbers(frame, "tap_min"), _numbers(frame, "tap_max")
        for row in frame.index[has]:
            key = int(row) if table == "trafo" else f"{table} {row}"
            numbers = pd.concat([position, lowest, highest], axis=1).loc[row].tolist()
            yield key, TapChanger(table, row, *numbers)


def _numbers(frame: pd.DataFrame, column: str) -> pd.Series[float]:
    if column not in frame:
        return pd.Series(np.nan, index=frame.index)
    return pd.to_numeric(frame[column], errors="coerce").astype(float)


def _no_type(column: pd.Series) -> pd.Series[bool]:
    return column.isna() | (column == "None")
