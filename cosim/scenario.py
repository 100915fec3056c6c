"""A scenario: everything a run depends on, as one frozen value that reads from and writes to TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, field_validator, model_validator

from agents.prosumer import RECORDED, VoltageBand
from cosim.changes import apply_changes, touches
from cosim.dso_spec import DsoSpec
from cosim.errors import validated
from cosim.population_spec import PopulationSpec
from cosim.prosumer_spec import Name, ProsumerSpec
from cosim.record import chosen_columns
from cosim.relief_spec import ReliefSpec
from cosim.strict import Strict
from cosim.tariff import RealTimeTariff, SyntheticTariff, Tariff
from cosim.toml import toml_text
from feeders.errors import InputError, InputErrors

__all__ = [
    "FILE_FIELDS",
    "FeederSpec",
    "ForecastSpec",
    "Scenario",
    "VoltageSpec",
    "place_files",
    "read_toml",
]

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class FeederSpec(Strict):
    """Which feeder: one of the library by `name`, or a pandapower JSON `file`; and what computes its power flow."""

    name: str | None = Field(None, description="feeder of the library, see `cosim feeders`")
    file: str | None = Field(None, description="pandapower net as JSON, relative to the scenario")
    engine: str = Field("auto", description="auto, current-injection, power-grid-model, or pandapower as the reference")
    background_scale: NotNegative = Field(1.0, description="factor on the net's own loads")
    generation_scale: NotNegative = Field(1.0, description="factor on the net's own static generators")


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


class Scenario(Strict):
    """Everything a run depends on. The default is the four-bus case of Hashmi et al., section V-C.

    Its prosumers are listed in `prosumers`, or drawn from a `population`, or read from a `prosumers_file`; of the last
    two `prosumers` stays empty until `cosim.population.resolve` has drawn or read them.

    File names become absolute, so that a scenario means the same wherever it is saved.
    """

    name: Name = "four-bus"
    start: AwareDatetime = Field(datetime(2016, 6, 8, 22, tzinfo=UTC), description="first step; stored in UTC")
    days: Annotated[int, Field(ge=1, le=3660)] = 1
    market_step_min: Annotated[int, Field(ge=1, le=60)] = 15
    control_step_min: Annotated[int, Field(ge=1, le=60)] = 1
    horizon: Literal["shrinking", "rolling"] = "shrinking"
    mode: Literal["closed-loop", "open-loop", "settled"] = "closed-loop"
    open_loop_reference: Literal["uncontrolled", "full-pv", "optimised"] = Field(
        "uncontrolled", description="nobody acts; likewise, PV in full whatever an inverter's size; all optimise"
    )
    planner: Literal["auto", "highs", "dynamic-program"] = Field(
        "auto", description="what solves the plans; auto: the dynamic program, and HiGHS where a price is negative"
    )
    rule: str = Field("hybrid", description="inverter rule of all prosumers, see `cosim rules`")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    record: Annotated[
        tuple[str, ...], Field(strict=False, description="columns kept as series; none: indices only")
    ] = RECORDED
    record_every: Annotated[int, Field(ge=1, le=1440, description="control steps from one sample to the next")] = 1
    feeder: FeederSpec = FeederSpec(name="four-bus")
    voltage: VoltageSpec = VoltageSpec()
    tariff: Tariff = SyntheticTariff()
    forecast: ForecastSpec = ForecastSpec()
    dso: DsoSpec | None = Field(None, description="an operator that shapes what is planned against; none: the tariff")
    relief: ReliefSpec | None = Field(
        None, description="an operator that asks chargers, heat pumps and stores to relieve its head transformer"
    )
    profiles_file: str | None = Field(
        None,
        description="CSV of loads [kW], PV [kW/kWp], chargers and heat pumps [kW per kW], relative to the scenario",
    )
    profiles: Literal["measured", "repeated"] = Field(
        "measured", description="weeks of the embedded extract as measured, or repeated over the year as a stand-in"
    )
    prosumers: Annotated[tuple[ProsumerSpec, ...], Field(strict=False)] = tuple(
        ProsumerSpec(id=f"home-{bus}", bus=bus) for bus in (2, 3, 4)
    )
    population: PopulationSpec | None = Field(None, description="prosumers to be drawn, instead of a list of them")
    prosumers_file: str | None = Field(None, description="CSV of prosumers, relative to the scenario; instead of both")

    @model_validator(mode="before")
    @classmethod
    def _one_source(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        given = [name for name in _SOURCES if data.get(name) not in (None, (), [])]
        if len(given) > 1:
            raise InputError("scenario", ", ".join(given), f"{len(given)} of them", "one of these, not several")
        return {**data, "prosumers": ()} if given and given != ["prosumers"] else data

    @field_validator("start")
    @classmethod
    def _in_utc(cls, start: datetime) -> datetime:
        if start.second or start.microsecond:
            raise InputError("scenario", "", start.isoformat(), "a full minute")
        if not 1900 <= start.year < 2200:  # pandas ends in 2262, and a year 0219 is a slip
            raise InputError("scenario", "", start.isoformat(), "a year from 1900 to 2199")
        return start.astimezone(UTC)

    @field_validator("record")
    @classmethod
    def _known(cls, record: tuple[str, ...]) -> tuple[str, ...]:
        return chosen_columns(record)

    @field_validator("profiles_file", "prosumers_file")
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
        return validated(cls, data, where)

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a TOML file; file names in it are relative to its folder, and absolute in the result.

        Raises
        ------
        InputErrors
            When it cannot be read, is no TOML, or is no scenario.
        """
        data = read_toml(path)
        place_files(data, path.parent)
        return cls.from_dict(data, str(path))

    def to_toml(self) -> str:
        """The scenario as TOML, with every default written out; `from_toml` gives an equal one back.

        Of a population or a file it names that, not the prosumers who came of it.
        """
        return toml_text(self.model_dump(exclude_none=True, exclude={"prosumers"} if self.has_source else None))

    def changed(self, changes: Mapping[str, Any], where: str = "changes") -> Self:
        """The same scenario with some fields changed, by dotted names, e.g. ``{"voltage.dead_pu": 0.03}``.

        ``prosumers.NAME.field`` changes one prosumer, ``prosumers.*.field`` all of them, of a population once they
        are drawn: they are then a list of their own; ``tariff.demand_charges.NAME.field`` likewise. A new
        ``tariff.kind`` takes the place of the old tariff with all its fields, demand charges too, a new ``dso.signal``
        that of the old one with its parameters; of a feeder's name and file, and of prosumers, population and
        prosumers_file, the one that is given takes the place of the others. What a population depends on draws it
        anew.

        Raises
        ------
        InputErrors
            When a name is not that of a field, or the result is no scenario.
        """
        data = self.model_dump(exclude_none=True, exclude={"prosumers"})
        if changes.get("tariff.kind", self.tariff.kind) != self.tariff.kind:
            data["tariff"] = {}
        if self.dso is not None and changes.get("dso.signal", self.dso.signal) != self.dso.signal:
            data["dso"]["parameters"] = {}
        for given, replaced in (("name", "file"), ("file", "name")):
            if f"feeder.{given}" in changes:
                data["feeder"].pop(replaced, None)
        self._choose_source(data, changes, where)
        apply_changes(data, changes, where, ProsumerSpec)
        changed = type(self).from_dict(data, where)
        same = all(getattr(changed, name) == getattr(self, name) for name in _DRAWN_FROM)
        return changed.model_copy(update={"prosumers": self.prosumers}) if changed.has_source and same else changed

    @property
    def has_source(self) -> bool:
        """Whether the prosumers come of a population or a file rather than of the scenario itself."""
        return self.population is not None or self.prosumers_file is not None

    def _choose_source(self, data: dict[str, Any], changes: Mapping[str, Any], where: str) -> None:
        """Leave in `data` the prosumers, the population or the file that the changes are about."""
        listed = touches(changes, "prosumers")
        if listed and self.has_source and not self.prosumers:
            key = next(key for key in changes if touches({key: None}, "prosumers"))
            allowed = "population.FIELD; single prosumers once they are drawn, see `cosim population`"
            if self.population is None:
                allowed = f"a change of the file, {self.prosumers_file}"
            raise InputErrors([InputError(where, key, changes[key], allowed)])
        for given, replaced in (("population", "prosumers_file"), ("prosumers_file", "population")):
            if listed or touches(changes, given):
                data.pop(replaced, None)
        if listed or not (self.has_source or any(touches(changes, name) for name in _SOURCES)):
            data["prosumers"] = list(self.prosumers)


FILE_FIELDS = ("profiles_file", "prosumers_file", "feeder.file", "tariff.file")
"""Fields that name a file to be read."""

_SOURCES = ("prosumers", "population", "prosumers_file")
_DRAWN_FROM = ("population", "prosumers_file", "seed", "feeder")


def place_files(data: Mapping[str, Any], folder: Path) -> None:
    """Make the file names in the plain data of a scenario, relative to `folder` until now, absolute."""
    for field in FILE_FIELDS:
        *tables, key = field.split(".")
        table = data.get(tables[0]) if tables else data
        if isinstance(table, dict) and isinstance(table.get(key), str):
            table[key] = str(folder.resolve() / table[key])


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
