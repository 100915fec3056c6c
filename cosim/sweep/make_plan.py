"""From a sweep's file to its plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cosim.results import library_versions
from cosim.scenario import Scenario
from cosim.sweep.design import Point, axes_of, points
from cosim.sweep.identity import Identities, code_version
from cosim.sweep.plan import Plan, PlannedRun
from cosim.sweep.spec import SweepSpec
from cosim.sweep.spec_checks import findings, given_fields
from feeders.errors import InputError, InputErrors

__all__ = ["plan_from_spec", "plan_of"]

_ENOUGH = 1000  # wrong runs, until no more are looked at for other errors


def plan_of(path: Path, changes: Mapping[str, Any] | None = None, plugins: Sequence[Path] = ()) -> Plan:
    """The plan of a sweep's file; see `plan_from_spec`."""
    return plan_from_spec(SweepSpec.from_toml(path), changes, plugins, where=str(path))


def plan_from_spec(
    spec: SweepSpec, changes: Mapping[str, Any] | None = None, plugins: Sequence[Path] = (), *, where: str = "sweep"
) -> Plan:
    """All runs of a sweep, each with its scenario and its id.

    Files that scenarios read are hashed but not checked, nor are their prosumers drawn: what is wrong there fails the
    runs concerned, not the sweep.

    Parameters
    ----------
    spec : SweepSpec
        What to run.
    changes : mapping, optional
        For all runs, as ``[set]`` in the file and over it: the command line's.
    plugins : sequence of Path
        Python files of a user's own that runs need.
    where : str
        What the sweep is from, for messages.

    Raises
    ------
    InputErrors
        When any run is no scenario, each problem once however many runs have it; when two runs are the same; when
        `changes` are about what the design changes; when a plugin is not there.
    """
    wrong = [*findings(spec, where), *_without_effect(spec, changes or {}), *_unreadable(plugins)]
    if wrong:
        raise InputErrors(wrong)
    base = spec.base.changed(spec.set, where).changed(changes or {}, "--set")
    axes = axes_of(spec, base)
    everywhere = list(points(axes))
    scenarios = _scenarios(spec, base, everywhere, where)
    code = code_version(plugins)
    identities = Identities(code, references=spec.references)
    runs = [
        PlannedRun(number, identities.id_of(scenario), point.fields, scenario)
        for number, (point, scenario) in enumerate(zip(everywhere, scenarios, strict=True))
    ]
    _require_different(runs, where)
    return Plan(
        name=spec.name,
        toml=spec.model_copy(update={"base": base, "set": {}}).to_toml(),
        runs=runs,
        code=code,
        inputs=dict(sorted(identities.hashes.items())),
        libraries=library_versions(),
        plugins=tuple(str(Path(plugin).absolute()) for plugin in plugins),
        references=spec.references,
        timeout_s=spec.limits.timeout_s,
        memory_mb=spec.limits.memory_mb,
        attempts=spec.limits.attempts,
        axes={axis.name: len(axis.levels) for axis in axes},
    )


def _scenarios(spec: SweepSpec, base: Scenario, everywhere: Sequence[Point], where: str) -> list[Scenario]:
    """The scenario of every point, or all that is wrong with any of them."""
    first: dict[tuple[int, int], Point] = {}
    for point in everywhere:
        for level in enumerate(point.places):
            first.setdefault(level, point)
    # What is wrong with one level is wrong with all its points: one of each tells it.
    _changed(spec, base, {id(point): point for point in first.values()}.values(), where)
    return _changed(spec, base, everywhere, where)


def _changed(spec: SweepSpec, base: Scenario, some: Iterable[Point], where: str) -> list[Scenario]:
    found: list[Scenario] = []
    wrong: dict[tuple[object, ...], InputError] = {}
    n_wrong = 0
    drawn = spec.random.fields if spec.random is not None else {}
    for point in some:
        try:
            found.append(base.changed(point.changes, where))
        except InputErrors as errors:
            n_wrong += 1
            for error in errors.errors:
                once = error.field in drawn or error.allowed.startswith("a known key")  # whatever the value
                wrong.setdefault((error.field, error.allowed, None if once else repr(error.value)), error)
        if n_wrong >= _ENOUGH:
            break
    if wrong:
        raise InputErrors(list(wrong.values()))
    return found


def _without_effect(spec: SweepSpec, changes: Mapping[str, Any]) -> list[InputError]:
    given = dict(given_fields(spec))
    if spec.replications is not None:
        given["seed"] = "replications"
    return [
        InputError("--set", name, value, f"a field that the design leaves alone: {given[name]} changes it in every run")
        for name, value in changes.items()
        if name in given
    ]


def _unreadable(plugins: Sequence[Path]) -> list[InputError]:
    return [
        InputError("--plugin", "file", str(plugin), "a Python file that is there")
        for plugin in plugins
        if not Path(plugin).is_file()
    ]


def _require_different(runs: Sequence[PlannedRun], where: str) -> None:
    numbers: dict[str, list[int]] = {}
    for run in runs:
        numbers.setdefault(run.id, []).append(run.number)
    alike = [several for several in numbers.values() if len(several) > 1]
    if not alike:
        return
    shown = "; ".join(" and ".join(map(str, several[:4])) for several in alike[:5])
    first = ", ".join(f"{name} {value}" for name, value in runs[alike[0][0]].fields.items())
    more = f" and {len(alike) - 5} more" if len(alike) > 5 else ""
    allowed = f"a design whose runs all differ: these are the same scenario ({first}, ...)"
    raise InputErrors([InputError(where, "runs", f"{shown}{more}", allowed)])
