"""Checks of a net at the door: what no power flow would report, or only as a riddle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd
from pandapower.auxiliary import pandapowerNet

from feeders.errors import InputError, InputErrors

__all__ = ["NUMBER_COLUMNS", "check_net"]

_BUS_COLUMNS = {
    "load": ("bus",),
    "sgen": ("bus",),
    "storage": ("bus",),
    "gen": ("bus",),
    "ext_grid": ("bus",),
    "shunt": ("bus",),
    "ward": ("bus",),
    "xward": ("bus",),
    "motor": ("bus",),
    "line": ("from_bus", "to_bus"),
    "impedance": ("from_bus", "to_bus"),
    "trafo": ("hv_bus", "lv_bus"),
    "trafo3w": ("hv_bus", "mv_bus", "lv_bus"),
    "switch": ("bus",),
}
NUMBER_COLUMNS = {
    "load": ("p_mw", "q_mvar", "scaling"),
    "sgen": ("p_mw", "q_mvar", "scaling"),
    "storage": ("p_mw", "q_mvar", "scaling"),
    "bus": ("vn_kv",),
    "ext_grid": ("vm_pu", "va_degree"),
    "line": ("length_km", "r_ohm_per_km", "x_ohm_per_km", "c_nf_per_km"),
    "trafo": ("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "vkr_percent"),
}
_POSITIVE_COLUMNS = {
    "bus": ("vn_kv",),
    "line": ("length_km", "parallel"),
    "trafo": ("sn_mva", "vn_hv_kv", "vn_lv_kv", "vk_percent", "parallel"),
    "ext_grid": ("vm_pu",),
}
_SHOWN_MAX = 20  # a wrong column repeats the same message: the first rows say enough


def check_net(net: pandapowerNet) -> None:
    """Refuse a net that pandapower would compute wrongly, or fail on without naming the row.

    Parameters
    ----------
    net : pandapowerNet
        The net; it is only read.

    Raises
    ------
    InputError
        If one thing is wrong: a duplicate index, an unknown bus, a load that is not finite, a line without
        length or impedance, line ends of different nominal voltage, no external grid in service.
    InputErrors
        If several are; up to 20 are listed.
    """
    if not isinstance(net, pandapowerNet):
        raise InputError("feeder", "net", type(net).__name__, "a pandapowerNet")
    if net.bus.empty:
        raise InputError("net", "bus", "empty table", "at least one bus")
    errors = list(_table_errors(net))
    if not errors:  # the others look rows up: they need sound tables
        errors = list(_line_errors(net)) + list(_slack_errors(net))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise InputErrors(errors[:_SHOWN_MAX])


def _table_errors(net: pandapowerNet) -> Iterator[InputError]:
    for table in ("bus", *_BUS_COLUMNS):
        frame = net[table]
        for index in frame.index[frame.index.duplicated()].unique():
            yield InputError(f"net.{table}", "index", index, "every index once")
    for table, columns in _BUS_COLUMNS.items():
        for column in columns:
            unknown = ~net[table][column].isin(net.bus.index)
            yield from _row_errors(net, table, column, unknown, "the index of a bus in net.bus")
    for table, columns in NUMBER_COLUMNS.items():
        for column in columns:
            yield from _row_errors(net, table, column, ~_finite(net, table, column), "a finite number")
    for table, columns in _POSITIVE_COLUMNS.items():
        for column in columns:
            bad = _finite(net, table, column) & ~(_numbers(net, table, column) > 0)
            yield from _row_errors(net, table, column, bad, "a number above 0")


def _line_errors(net: pandapowerNet) -> Iterator[InputError]:
    line = net.line
    negative = _numbers(net, "line", "r_ohm_per_km") < 0
    yield from _row_errors(net, "line", "r_ohm_per_km", negative, "0 or above")
    # pandapower starts from a DC flow, which divides by x.
    allowed = "a number other than 0, however small; a connection without impedance is a bus-bus switch"
    yield from _row_errors(net, "line", "x_ohm_per_km", _numbers(net, "line", "x_ohm_per_km") == 0, allowed)
    resistive = _numbers(net, "trafo", "vkr_percent") >= _numbers(net, "trafo", "vk_percent")
    yield from _row_errors(net, "trafo", "vkr_percent", resistive, "a number below vk_percent")
    vn_kv = _numbers(net, "bus", "vn_kv")
    vn_from, vn_to = vn_kv.loc[line.from_bus].to_numpy(), vn_kv.loc[line.to_bus].to_numpy()
    differ = pd.Series(~np.isclose(vn_from, vn_to, rtol=1e-6), index=line.index)
    yield from _row_errors(net, "line", "to_bus", differ, "a bus of the same vn_kv as from_bus")


def _slack_errors(net: pandapowerNet) -> Iterator[InputError]:
    in_service = net.ext_grid.in_service.astype(bool)
    alive = net.bus.in_service.loc[net.ext_grid.bus].to_numpy(dtype=bool)
    if not (in_service & alive).any():
        found = f"{len(net.ext_grid)} rows"
        yield InputError("net.ext_grid", "in_service", found, "at least one in service, at a bus in service")


def _row_errors(net: pandapowerNet, table: str, column: str, bad: Iterable[bool], allowed: str) -> Iterator[InputError]:
    rows = np.asarray(bad, dtype=bool)
    if not rows.any():
        return
    for index, value in net[table].loc[rows, column].astype(object).items():
        yield InputError(f"net.{table}", f"{column}[{index}]", value, allowed)


def _numbers(net: pandapowerNet, table: str, column: str) -> pd.Series:
    numbers: pd.Series[float] = pd.to_numeric(net[table][column], errors="coerce").astype(float)
    return numbers


def _finite(net: pandapowerNet, table: str, column: str) -> pd.Series:
    return pd.Series(np.isfinite(_numbers(net, table, column).to_numpy()), index=net[table].index)
