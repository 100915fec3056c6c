"""What a hosting capacity depends on: one parameter of the feeder, the day or the devices at a time.

All of these the source leaves open; the defaults are those of the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from cosim.hosting.find import find
from experiments.hosting_answer import limit_of
from experiments.hosting_runs import MODES, file_of
from experiments.hosting_settings import HostingSettings

__all__ = ["PARAMETERS", "Parameter", "n_variants", "sensitivity_of"]

_COLUMNS = ["parameter", "value", "default", "case", "mode", "capacity_percent", "limit"]


@dataclass(frozen=True)
class Parameter:
    """Something that is varied.

    Attributes
    ----------
    name : str
        In words, with its unit.
    part : str
        "feeder", "day", "devices" or "" for the settings themselves.
    field : str
    values : mapping of str to anything
        What it takes, by what it is called.
    ieee123 : bool
        Whether only that feeder has it.
    """

    name: str
    part: str
    field: str
    values: Mapping[str, Any]
    ieee123: bool = False


def _named(*values: float) -> dict[str, float]:
    return {f"{value:g}": value for value in values}


PARAMETERS: Sequence[Parameter] = (
    Parameter("slack voltage (p.u.)", "feeder", "slack_vm_pu", _named(0.99, 1.0, 1.005, 1.01, 1.02), True),
    Parameter("head regulator's tap", "feeder", "head_tap", {"0": 0, "+2": 2, "+7": 7}, True),
    Parameter("downstream regulators", "feeder", "downstream_taps", {"published": True, "nominal": False}, True),
    Parameter("capacitors", "feeder", "capacitors", {"in": True, "out": False}, True),
    Parameter("ratings", "feeder", "ratings", {"conductor": "conductor", "400 A": "flat-400"}, True),
    Parameter("load shape", "day", "load", {v: v for v in ("evening", "homes", "opendss", "flat")}),
    Parameter("reactive range (of the rating)", "devices", "q_share", _named(0.0, 0.1, 0.2, 0.44)),
    Parameter("PV unit (kW)", "", "unit_kw", _named(10.0, 35.0, 100.0, 300.0)),
)
_IEEE123 = {"slack_vm_pu": 1.0, "head_tap": 0, "downstream_taps": True, "capacitors": True, "ratings": "conductor"}


def sensitivity_of(
    cases: Sequence[str],
    settings: HostingSettings,
    told: Callable[[], None],
    parameters: Sequence[Parameter] = PARAMETERS,
) -> pd.DataFrame:
    """Static and dynamic capacities, at once, of each case under each value of each parameter.

    What the default gives is found once, and stands in each parameter's rows, also where its value is not listed.

    Returns
    -------
    DataFrame
        ``parameter, value, default, case, mode, capacity_percent, limit``.
    """
    usual = [row for case in cases for row in _sizes(case, settings)]
    told()
    rows: list[tuple[Any, ...]] = []
    for parameter in _fitting(parameters, settings):
        now = _now(parameter, settings)
        for name, value in parameter.values.items():
            default = value == now
            found = usual if default else _varied(cases, settings, parameter, value)
            rows += [(parameter.name, name, default, *row) for row in found]
            if not default:
                told()
        if now not in parameter.values.values():
            rows += [(parameter.name, f"{now}", True, *row) for row in usual]
    return pd.DataFrame(rows, columns=_COLUMNS)


def n_variants(settings: HostingSettings, parameters: Sequence[Parameter] = PARAMETERS) -> int:
    """How many searches beside the default `sensitivity_of` tells of, and the default."""
    fitting = _fitting(parameters, settings)
    return 1 + sum(bool(value != _now(each, settings)) for each in fitting for value in each.values.values())


def _fitting(parameters: Sequence[Parameter], settings: HostingSettings) -> list[Parameter]:
    return [parameter for parameter in parameters if settings.feeder.name == "ieee123" or not parameter.ieee123]


def _now(parameter: Parameter, settings: HostingSettings) -> Any:
    """The settings' own value."""
    part = getattr(settings, parameter.part) if parameter.part else settings
    value = getattr(part, parameter.field)
    return _IEEE123.get(parameter.field) if value is None else value


def _varied(
    cases: Sequence[str], settings: HostingSettings, parameter: Parameter, value: Any
) -> list[tuple[str, str, float, str]]:
    change: dict[str, Any] = {parameter.field: value}
    if parameter.part:
        change = {parameter.part: getattr(settings, parameter.part).model_copy(update=change)}
    return [row for case in cases for row in _sizes(case, settings.model_copy(update=change))]


def _sizes(case: str, settings: HostingSettings) -> list[tuple[str, str, float, str]]:
    """Case, mode, capacity [%] and what limits it."""
    file = file_of(case, settings)
    hosting, rows = file.case(), []
    for mode, (operated, heat_pumps) in MODES.items():
        definition = file.hosting.model_copy(update={"heat_pumps": heat_pumps})
        capacity = find(hosting, definition, operated, "one-shot")
        rows.append((case, mode, 100 * capacity.level, limit_of(capacity)))
    return rows
