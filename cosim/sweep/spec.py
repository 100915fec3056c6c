"""What a sweep's file says: a base scenario, and how the runs of the sweep differ from it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError

from cosim.errors import input_errors, known_key
from cosim.scenario import Scenario, place_files, read_toml
from cosim.strict import Strict
from cosim.sweep.flat import flat
from cosim.sweep.random_design import RandomSpec
from cosim.sweep.spec_checks import findings
from cosim.toml import toml_text
from feeders.errors import InputError, InputErrors

__all__ = ["Limits", "SweepSpec"]

Changes = dict[str, Any]

_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"


class Limits(Strict):
    """What one run may take."""

    timeout_s: Annotated[float, Field(gt=0)] = Field(3600.0, description="wall-clock time of one run [s]")
    memory_mb: Annotated[float, Field(gt=0)] | None = Field(None, description="resident memory of its process [MB]")
    attempts: Annotated[int, Field(ge=1, le=10)] = Field(2, description="tries of a run whose process dies")


class SweepSpec(Strict):
    """A sweep: all its parts crossed with each other, see `cosim.sweep.design`.

    Changes are by dotted names, as in `Scenario.changed`; `from_dict` and `from_toml` take nested tables too, and check
    what concerns several parts.

    Attributes
    ----------
    name : str
        By default that of the file.
    base : Scenario
        What all runs start from; in a file ``scenario = "FILE.toml"`` or an inline table ``[base]``.
    replications : int, optional
        Runs of each case with seeds of their own, spawned from `seed`; the r-th has the same seed in every case.
    seed : int
        From which the seeds of replications and the samples of a random design come.
    references : bool
        Whether runs are also made without rules and without optimisation, to compare with.
    limits : Limits
        What one run may take.
    set : dict
        Changes for all runs; those of the design come on top.
    grid : dict of list
        Values of a field, for each field.
    levels : dict of dict of dict
        Changes of each named level, for each axis by its name.
    cases : tuple of dict
        Changes of each case; ``name`` is the case's own.
    random : RandomSpec, optional
        A Latin hypercube.
    """

    name: Annotated[str, Field(pattern=_NAME)] = "sweep"
    base: Scenario = Scenario()
    replications: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    references: bool = True
    limits: Limits = Limits()
    set: Changes = Field({})
    grid: dict[str, list[Any]] = Field({})
    levels: dict[str, dict[str, Changes]] = Field({})
    cases: Annotated[tuple[Changes, ...], Field(strict=False)] = ()
    random: RandomSpec | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "sweep", folder: Path = Path()) -> Self:
        """Build from plain data, of which ``base`` may be a `Scenario`; all errors at once.

        Parameters
        ----------
        data : mapping
            As in a sweep's file.
        where : str
            What the data are from, for messages.
        folder : Path
            Against which the names of files in it are resolved.

        Raises
        ------
        InputErrors
        """
        plain = flat({key: part for key, part in data.items() if key in _KEYS}, folder)
        wrong = [*_unknown(data, where), *_choose_base(plain, where, folder)]
        try:
            spec = cls.model_validate(plain)
        except ValidationError as error:
            wrong += input_errors(error, plain, where, cls)
            bad = {str(item["loc"][0]) for item in error.errors(include_url=False)}
            spec = cls.model_validate({key: part for key, part in plain.items() if key not in bad})
        wrong += findings(spec, where)
        if wrong:
            raise InputErrors(wrong)
        return spec

    @classmethod
    def from_toml(cls, path: Path) -> Self:
        """Read a TOML file; names of files in it are relative to its folder.

        Raises
        ------
        InputErrors
            When it, or the scenario that it names, cannot be read, or is not what it should be.
        """
        data = read_toml(path)
        named = {"name": path.stem} if re.match(_NAME, path.stem) else {}
        return cls.from_dict({**named, **data}, str(path), path.parent)

    def to_toml(self) -> str:
        """The sweep as TOML with its base scenario written out and names of files absolute; `from_toml` reads it."""
        data = self.model_dump(exclude={"base"}, exclude_none=True, exclude_defaults=True)
        data["limits"] = self.limits.model_dump(exclude_none=True)
        data["base"] = self.base.model_dump(exclude_none=True, exclude={"prosumers"} if self.base.has_source else None)
        return toml_text({"name": self.name, "references": self.references, **data})


_KEYS = ("name", "scenario", *(name for name in SweepSpec.model_fields if name != "name"))


def _unknown(data: Mapping[str, Any], where: str) -> Iterator[InputError]:
    for key, value in data.items():
        if key in Scenario.model_fields and key not in _KEYS:
            yield InputError(where, key, value, f"set.{key} for all runs, or grid.{key} for each of several values")
        elif key not in _KEYS:
            yield InputError(where, key, value, known_key(key, _KEYS))


def _choose_base(data: dict[str, Any], where: str, folder: Path) -> list[InputError]:
    """Put the base scenario in the place of the name of its file, or of its plain data; gives what is wrong with it."""
    file, base = data.pop("scenario", None), data.pop("base", None)
    if file is not None and base is not None:
        return [InputError(where, "scenario", file, "either scenario, a file, or [base], not both")]
    if file is not None and not isinstance(file, str):
        return [InputError(where, "scenario", file, "the name of a scenario's file, relative to the sweep's")]
    try:
        if file is not None:
            data["base"] = Scenario.from_toml(folder / file)
        elif isinstance(base, Mapping):
            plain = deepcopy(dict(base))
            place_files(plain, folder)
            data["base"] = Scenario.from_dict(plain, f"{where}: [base]")
        elif base is not None:
            data["base"] = base  # a scenario, or what the model refuses
    except InputErrors as errors:
        return errors.errors
    return []
