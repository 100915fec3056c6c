"""The searches of the study of hosting capacity: level by level and at once, static and dynamic, other sitings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import pandas as pd

from cosim.hosting import Capacity, Definition
from cosim.hosting.case import HostingCase
from cosim.hosting.find import find
from cosim.hosting.hosting_file import HostingFile
from experiments.hosting_answer import Found, limit_of
from experiments.hosting_cases import CASES
from experiments.hosting_settings import HostingSettings

__all__ = ["METHODS", "MODES", "Told", "definition_of", "file_of", "found_of", "sitings_of"]

Told = Callable[[], None]
"""Is told that one more part is done."""

Search = Literal["stepping", "one-shot"]
METHODS: tuple[Search, ...] = ("stepping", "one-shot")
MODES: Mapping[str, tuple[Literal["static", "dynamic"], Literal["set-point", "rated"]]] = {
    "static": ("static", "set-point"),
    "static-rated": ("static", "rated"),
    "dynamic": ("dynamic", "set-point"),
}
"""What a mode is called here, how it operates, and the profile of heat pumps that nobody coordinates."""


def definition_of(
    case: str,
    settings: HostingSettings,
    heat_pumps: Literal["set-point", "rated"] = "set-point",
    seed: int | None = None,
) -> Definition:
    """What is asked in a published case."""
    return Definition(
        der=CASES[case].der,
        fixed=CASES[case].fixed,
        seed=settings.seed if seed is None else seed,
        unit_kw=settings.unit_kw,
        step=settings.step,
        most=settings.most,
        curtailment=settings.curtailment,
        heat_pumps=heat_pumps,
    )


def file_of(case: str, settings: HostingSettings) -> HostingFile:
    """A published case as the file of ``cosim hosting``, on the settings' feeder and day."""
    return HostingFile(
        name=case,
        feeder=settings.feeder,
        day=settings.day,
        devices=settings.devices,
        hosting=definition_of(case, settings),
    )


def found_of(hosting: HostingCase, case: str, settings: HostingSettings, told: Told) -> Iterator[Found]:
    """A deterministic case in all modes by both methods."""
    for method in METHODS:
        for mode in MODES:
            capacity = _search(hosting, case, mode, method, settings)
            told()
            yield Found(case, mode, capacity, settings.step)


def _search(
    hosting: HostingCase, case: str, mode: str, method: Search, settings: HostingSettings, seed: int | None = None
) -> Capacity:
    operated, heat_pumps = MODES[mode]
    return find(hosting, definition_of(case, settings, heat_pumps, seed), operated, method)


def sitings_of(hosting: HostingCase, case: str, settings: HostingSettings, told: Told) -> pd.DataFrame:
    """Static and dynamic capacities, at once, with the devices elsewhere: the seeds after the first."""
    rows = []
    for seed in range(settings.seed + 1, settings.seed + 1 + settings.sitings):
        for mode in ("static", "dynamic"):
            capacity = _search(hosting, case, mode, "one-shot", settings, seed)
            rows.append((case, mode, seed, 100 * capacity.level, limit_of(capacity)))
        told()
    return pd.DataFrame(rows, columns=["case", "mode", "seed", "capacity_percent", "limit"])
