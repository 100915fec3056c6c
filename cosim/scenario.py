"""A scenario: everything a run depends on, as one frozen value that reads from and writes to TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, field_validator

from agents.prosumer import VoltageBand
from cosim.errors import input_errors, known_key
from cosim.strict import Strict
from cosim.tariff import RealTimeTariff, SyntheticTariff, Tariff
from cosim.toml import toml_text
from feeders.errors import InputError, InputErrors

__all__ = ["FeederSpec", "ForecastSpec", "ProsumerSpec", "Scenario", "VoltageSpec"]

Share = Annotated[float, Field(ge=0, le=1)]
Efficiency = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]


class FeederSpec(Strict):
    """Which feeder: one of the library by `name`, or a pandapower JSON `file`; and what computes its power flow."""

    name: str | None = Field(None, description="feeder of the library, see `cosim feeders`")
    file: str | None = Field(None, description="pandapower net as JSON, relative to the scenario")
    engine: str = Field("auto", description="auto, current-injection, power-grid-model, or pandapower as the reference")
    background_scale: NotNegative = Field(1.0, description="factor on the net's own loads")


class VoltageSpec(Strict):
    """Voltages where the inverter rule acts, and against which voltage indices are counted [p.u.]."""

    vm_min_pu: Positive = Field(0.95, description="lower limit")
    dead_pu: NotNegative = Field(0.02, description="permissible deviation from 1 p.u. before a rule acts")
    vm_max_pu: Positive = Field(1.05, description="upper limit")
    pf_min: Share = Field(0.0, description="worst-case power factor of inverters; 0 sets none")

    @property
    def band(self) -> VoltageBand:
        """The band that rules take; checks the order of its voltages."""
        return VoltageBand(self.vm_min_pu, self.dead_pu, self.vm_max_pu)


class ForecastSpec(Strict):
    """What prosumers expect when they plan; errors are relative standard deviations of ``noisy``."""

    kind: Literal["perfect", "persistence", "noisy"] = "perfect"
    load_error: NotNegative = 0.0
    pv_error: NotNegative = 0.0
    price_error: NotNegative = 0.0


class ProsumerSpec(Strict):
    """One prosumer: where it is, what it owns, what it uses."""

    id: Name
    bus: int | str = Field(description="index or name of its bus")
    load_profile: str = Field("H0-A", description="home of the embedded extract, or a column of profiles_file")
    load_annual_mwh: NotNegative = Field(3.5, description="scales embedded profiles; columns of a file are kW")
    load_power_factor: Annotated[float, Field(gt=0, le=1)] = 1.0
    flexible_share: Share = Field(0.05, description="share of the load that may be shifted")
    flexible_max: Annotated[float, Field(ge=1)] = Field(
        2.0, description="upper bound of flexible load, in multiples of its own; below 1 its energy would not fit"
    )
    pv_profile: str = Field("PV1", description="embedded profile or column of profiles_file, kW per kWp")
    pv_kwp: NotNegative = 2.5
    battery_kwh: NotNegative = 1.0
    battery_min_kwh: NotNegative = 0.0
    battery_c_charge: NotNegative = Field(0.5, description="full in 1/c hours")
    battery_c_discharge: NotNegative = Field(0.5, description="empty in 1/c hours")
    efficiency_charge: Efficiency = 0.95
    efficiency_discharge: Efficiency = 0.95
    energy_start_kwh: NotNegative | None = Field(None, description="battery energy at the start; half by default")
    inverter_kva: NotNegative = 3.0
    optimise: bool = Field(True, description="whether it plans battery and flexible load")
    rule: str | None = Field(None, description="its own inverter rule instead of the scenario's")


class Scenario(Strict):
    """Everything a run depends on. The default is the four-bus case of Hashmi et al., section V-C.

    File names become absolute, so that a scenario means the same wherever it is saved.
    """

    name: Name = "four-bus"
    start: AwareDatetime = Field(datetime(2016, 6, 8, 22, tzinfo=UTC), description="first step; stored in UTC")
    days: Annotated[int, Field(ge=1, le=3660)] = 1
    market_step_min: Annotated[int, Field(ge=1, le=60)] = 15
    control_step_min: Annotated[int, Field(ge=1, le=60)] = 1
    horizon: Literal["shrinking", "rolling"] = "shrinking"
    mode: Literal["closed-loop", "open-loop", "settled"] = "closed-loop"
    open_loop_reference: Literal["uncontrolled", "optimised"] = "uncontrolled"
    planner: Literal["auto", "highs", "dynamic-program"] = Field(
        "auto", description="what solves the plans; auto: the dynamic program, and HiGHS where a price is negative"
    )
    rule: str = Field("hybrid", description="inverter rule of all prosumers, see `cosim rules`")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    feeder: FeederSpec = FeederSpec(name="four-bus")
    voltage: VoltageSpec = VoltageSpec()
    tariff: Tariff = SyntheticTariff()
    forecast: ForecastSpec = ForecastSpec()
    profiles_file: str | None = Field(None, description="CSV of loads [kW] and PV [kW/kWp], relative to the scenario")
    prosumers: Annotated[tuple[ProsumerSpec, ...], Field(strict=False)] = tuple(
        ProsumerSpec(id=f"home-{bus}", bus=bus) for bus in (2, 3, 4)
    )

    @field_validator("start")
    @classmethod
    def _in_utc(cls, start: datetime) -> datetime:
        if start.second or start.microsecond:
            raise InputError("scenario", "", start.isoformat(), "a full minute")
        if not 1900 <= start.year < 2200:  # pandas ends in 2262, and a year 0219 is a slip
            raise InputError("scenario", "", start.isoformat(), "a year from 1900 to 2199")
        return start.astimezone(UTC)

    @field_validator("profiles_file")
    @classmethod
    def _absolute(cls, file: str | None) -> str | None:
        return None if file is None else str(Path(file).absolute())

    @field_validator("feeder", "tariff")
    @classmethod
    def _absolute_inside(cls, part: FeederSpec | Tariff) -> FeederSpec | Tariff:
        if isinstance(part, FeederSpec | RealTimeTariff) and part.file is not None:
            return part.model_copy(update={"file": str(Path(part.file).absolute())})
        return part

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "scenario") -> Self:
        """Build from plain data; all errors at once, each with its field, value and what is allowed.

        Raises
        ------
        InputErrors
        """
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise InputErrors(input_errors(error, data, where, cls)) from None

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a TOML file; file names in it are relative to its folder, and absolute in the result.

        Raises
        ------
        InputErrors
            When it cannot be read, is no TOML, or is no scenario.
        """
        data = read_toml(path)
        for table, key in (
            (data, "profiles_file"),
            (data.get("feeder"), "file"),
            (data.get("tariff"), "file"),
        ):
            if isinstance(table, dict) and isinstance(table.get(key), str):
                table[key] = str(path.parent.resolve() / table[key])
        return cls.from_dict(data, str(path))

    def to_toml(self) -> str:
        """The scenario as TOML, with every default written out; `from_toml` gives an equal one back."""
        return toml_text(self.model_dump(exclude_none=True))

    def changed(self, changes: Mapping[str, Any], where: str = "changes") -> Self:
        """The same scenario with some fields changed, by dotted names, e.g. ``{"voltage.dead_pu": 0.03}``.

        ``prosumers.NAME.field`` changes one prosumer, ``prosumers.*.field`` all of them. A new ``tariff.kind``
        takes the place of the old tariff with all its fields, and of a feeder's name and file the one that is
        given takes the place of the other.

        Raises
        ------
        InputErrors
            When a name is not that of a field, or the result is no scenario.
        """
        data = self.model_dump(exclude_none=True)
        if changes.get("tariff.kind", self.tariff.kind) != self.tariff.kind:
            data["tariff"] = {}
        for given, replaced in (("name", "file"), ("file", "name")):
            if f"feeder.{given}" in changes:
                data["feeder"].pop(replaced, None)
        for key, value in changes.items():
            _assign(data, key.split("."), value, where, key)
        return type(self).from_dict(data, where)


def read_toml(path: Path) -> dict[str, Any]:
    """The contents of a TOML file, or an `InputErrors` that says why not."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        problem = InputError(str(path), "file", error.strerror or str(error), "a readable TOML file")
    except UnicodeDecodeError as error:
        problem = InputError(str(path), "file", f"byte {error.start}: {error.reason}", "UTF-8 text")
    except tomllib.TOMLDecodeError as error:
        problem = InputError(str(path), "syntax", str(error), "TOML 1.0")
    raise InputErrors([problem])


def _assign(data: dict[str, Any], path: list[str], value: Any, where: str, key: str) -> None:
    """Set one field of plain data; `path` are the parts of its dotted name `key`."""
    head, *rest = path
    if head == "prosumers":
        _assign_prosumers(data["prosumers"], ".".join(rest[:-1]), "".join(rest[-1:]), value, where, key)
    elif not rest:
        data[head] = value
    elif isinstance(data.setdefault(head, {}), dict):
        _assign(data[head], rest, value, where, key)
    else:
        raise InputErrors(
            [InputError(where, key, value, f"{key.removesuffix('.' + '.'.join(rest))} alone: it has no fields")]
        )


def _assign_prosumers(people: list[dict[str, Any]], name: str, field: str, value: Any, where: str, key: str) -> None:
    chosen = [p for p in people if name in ("*", p["id"])]
    if not name:
        problem = InputError(where, key, value, "prosumers.NAME.FIELD for one prosumer, or prosumers.*.FIELD for all")
    elif not chosen and name != "*":
        ids = [p["id"] for p in people]
        near = get_close_matches(name, ids, n=3, cutoff=0.0)
        problem = InputError(where, key, name, f"the id of a prosumer, or * for all; nearest: {', '.join(near)}")
    elif field not in ProsumerSpec.model_fields:
        problem = InputError(where, key, value, known_key(field, list(ProsumerSpec.model_fields)))
    else:
        for prosumer in chosen:
            prosumer[field] = value
        return
    raise InputErrors([problem])
