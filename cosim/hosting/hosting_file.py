"""The file of ``cosim hosting``: a feeder, its day, what devices are, and what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from cosim.build import build_feeder
from cosim.errors import validated
from cosim.hosting.case import HostingCase, hosting_case
from cosim.hosting.day import Day
from cosim.hosting.definition import Definition
from cosim.hosting.devices import Devices
from cosim.hosting.noise import Noise
from cosim.hosting.search import Search
from cosim.scenario import FeederSpec, read_toml
from cosim.strict import Strict
from cosim.toml import toml_text
from feeders import Feeder
from feeders.errors import InputError
from feeders.ieee123 import ieee123_feeder

__all__ = ["HostingFeeder", "HostingFile"]

Positive = Annotated[float, Field(gt=0)]

_IEEE123 = ("slack_vm_pu", "head_tap", "downstream_taps", "capacitors", "ratings")


class HostingFeeder(Strict):
    """Which feeder: one of the library by `name`, or a pandapower JSON `file`.

    Attributes
    ----------
    engine : str
        One of `feeders.ENGINE_NAMES`.
    peak_kva : float, optional
        All loads are scaled so that this is their apparent power together.
    vm_min_pu, vm_max_pu : float, optional
        Voltage limits of all buses; by default the feeder's own.
    slack_vm_pu, head_tap, downstream_taps, capacitors, ratings
        Parameters of "ieee123" alone, see `feeders.ieee123.ieee123_net`.
    """

    name: str | None = None
    file: str | None = None
    engine: str = "auto"
    peak_kva: Positive | None = None
    vm_min_pu: Positive | None = None
    vm_max_pu: Positive | None = None
    slack_vm_pu: Positive | None = None
    head_tap: int | None = None
    downstream_taps: bool | None = None
    capacitors: bool | None = None
    ratings: Literal["conductor", "flat-400"] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.name is None) == (self.file is None):
            given = "neither" if self.name is None else "both"
            raise InputError("feeder", "name, file", given, "one of these")
        for field in _IEEE123:
            if self.name != "ieee123" and getattr(self, field) is not None:
                raise InputError("feeder", field, getattr(self, field), "nothing: it is a parameter of ieee123 alone")
        return self

    def build(self) -> Feeder:
        """The feeder.

        Raises
        ------
        InputError, InputErrors
            When there is none of this name or file, or it cannot be used.
        """
        if self.name == "ieee123":
            given = {field: getattr(self, field) for field in (*_IEEE123, "peak_kva")}
            feeder = ieee123_feeder(**{field: value for field, value in given.items() if value is not None})
        else:
            feeder = self._scaled(FeederSpec(name=self.name, file=self.file))
        if self.vm_min_pu is None and self.vm_max_pu is None:
            return feeder
        net = feeder.copy().net
        net.load = net.load.drop(index=feeder.prosumer_loads)  # the new feeder brings its own
        limits = {"vm_min_pu": self.vm_min_pu, "vm_max_pu": self.vm_max_pu}
        return Feeder(net, feeder.name, connection_buses=feeder.connection_buses.tolist(), **limits)

    def _scaled(self, spec: FeederSpec) -> Feeder:
        feeder = build_feeder(spec)
        if self.peak_kva is None:
            return feeder
        peak_kva = float(np.hypot(feeder.background_p_kw.sum(), feeder.background_q_kvar.sum()))
        if peak_kva == 0:
            raise InputError("feeder", "peak_kva", self.peak_kva, "nothing: this feeder has no loads to scale")
        return build_feeder(spec.model_copy(update={"background_scale": self.peak_kva / peak_kva}))


class HostingFile(Strict):
    """Everything that a hosting capacity depends on.

    Attributes
    ----------
    name : str
        By default that of the file.
    feeder : HostingFeeder
    homes : int, optional
        Number of them; by default the peak load over 3.5 kW.
    nodes : tuple of int or str, optional
        Buses where devices can be; by default those with load.
    day : Day
    devices : Devices
    hosting : Definition
    noise : Noise, optional
        Which of the sampled days it is, around that of `day`; without it that day.
    search : Search, optional
        How it is searched for, where the command does not say it.
    """

    name: Annotated[str, Field(min_length=1, max_length=64)] = "hosting"
    feeder: HostingFeeder
    homes: Annotated[int, Field(ge=1)] | None = None
    nodes: Annotated[tuple[int | str, ...], Field(strict=False)] | None = None
    day: Day = Day()
    devices: Devices = Devices()
    hosting: Definition = Definition()
    noise: Noise | None = None
    search: Search | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "hosting file") -> Self:
        """Build from plain data; all errors at once, each with its field, value and what is allowed.

        Raises
        ------
        InputErrors
        """
        return validated(cls, data, where)

    @classmethod
    def from_toml(cls, path: Path, changes: Mapping[str, Any] | None = None) -> Self:
        """Read a TOML file, with changes by dotted names; ``feeder.file`` is relative to the file's folder.

        Raises
        ------
        InputErrors
            When it cannot be read, is no TOML, or not what it should be.
        """
        data = {"name": path.stem, **read_toml(path)}
        feeder = data.get("feeder")
        if isinstance(feeder, dict) and isinstance(feeder.get("file"), str):
            feeder["file"] = str(path.parent.resolve() / feeder["file"])
        if not changes:
            return cls.from_dict(data, str(path))
        plain = cls.from_dict(data, str(path)).model_dump(exclude_none=True)
        for given, replaced in (("name", "file"), ("file", "name")):
            if f"feeder.{given}" in changes:
                plain["feeder"].pop(replaced, None)
        for key, value in changes.items():
            _put(plain, key.split("."), value)
        return cls.from_dict(plain, f"{path} with --set")

    def to_toml(self) -> str:
        """The file with every default written out; `from_dict` gives an equal one back."""
        return toml_text(self.model_dump(exclude_none=True))

    def case(self) -> HostingCase:
        """The feeder on its day, built.

        Raises
        ------
        InputError, InputErrors
            For what there is not, or cannot be used: see `HostingFeeder.build` and `cosim.hosting.case.hosting_case`.
        """
        engine = self.feeder.engine
        case = hosting_case(
            self.feeder.build(), self.day, self.devices, homes=self.homes, nodes=self.nodes, engine=engine
        )
        return case if self.noise is None else self.noise.on(case)


def _put(data: dict[str, Any], path: list[str], value: Any) -> None:
    """Set a field by its dotted name; what has no such field is refused when the file is built anew."""
    head, *rest = path
    if rest and isinstance(data.setdefault(head, {}), dict):
        _put(data[head], rest, value)
    else:
        data[head] = value
