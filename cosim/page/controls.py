"""The page's controls: where they stand for a scenario, what may be asked of them, and the scenario they ask for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from agents.prosumer import RULES
from cosim.build import build_feeder
from cosim.page.choices import day_choices, feeder_choices, tariff_choices, with_kappa
from cosim.page.control import Control, Settings, checked_value
from cosim.page.described import described
from cosim.page.homes import Sizes, moved, resized, sharing
from cosim.population import resolve
from cosim.population_spec import PopulationSpec
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import FeederSpec, Scenario
from cosim.tariff import SyntheticTariff, Tariff
from cosim.validation import require_valid
from feeders import Feeder
from feeders.errors import InputError, InputErrors

__all__ = ["MOST_BUSES", "MOST_DAYS", "MOST_PROSUMERS", "Board", "Control", "Settings"]

MOST_PROSUMERS, MOST_DAYS, MOST_BUSES = 2_000, 31, 3_000
"""What a page takes: beyond these a step would keep people waiting, and `cosim run` is the way."""

_MOST_KEPT = 400_000  # prosumers times market steps of a day, of which a page keeps ten numbers for each side

_SIZES = ("pv_kwp", "battery_kwh", "inverter_factor")


class Board:
    """The controls of a page that shows a scenario.

    Where the controls stand at first the scenario is what `base` says, exactly; only what is moved departs from it, and
    what is moved back is as it was.

    Parameters
    ----------
    base : Scenario
        What the page begins with.

    Attributes
    ----------
    base : Scenario
        The same with its prosumers drawn or read.
    controls : dict of str to Control
        By name, in the order in which a page shows them.
    initial : Settings
        Where they stand at first.

    Raises
    ------
    InputErrors
        When the scenario cannot be simulated, or is too large for a page.
    """

    def __init__(self, base: Scenario) -> None:
        _require_small(base)
        self.base = require_valid(base)
        self._feeder = feeder = _built(base.feeder)
        _require_small(self.base, feeder)
        self._n_places = len(feeder.connection_buses)
        own_feeder, self._feeders = feeder_choices(base.feeder)
        own_tariff, self._tariffs = tariff_choices(base)
        own_day, self._days = day_choices(base)
        self._sizes = Sizes.of(self.base.prosumers)
        choices = {
            "feeder": tuple(self._feeders),
            "rule": tuple(RULES),
            "other_rule": ("", *RULES),
            "tariff": tuple(self._tariffs),
            "day": tuple(self._days),
        }
        self.controls = described(choices, self._sizes, base)
        at: dict[str, Any] = {
            "feeder": own_feeder,
            "tariff": own_tariff,
            "day": own_day,
            "rule": base.rule,
            "mode": base.mode,
        }
        numbers: dict[str, float] = {"share_percent": 100.0, "kappa": base.tariff.kappa}
        numbers |= {name: getattr(self._sizes, name) for name in _SIZES}
        on_grid: dict[str, Any] = {name: self.controls[name].on_grid(value) for name, value in numbers.items()}
        self.initial = Settings(other_rule=_beside(base.rule), seed=base.seed, **at, **on_grid)

    def changed(self, settings: Settings, name: Any, value: Any) -> Settings:
        """The settings with one control moved; numbers go to the nearest step of their control.

        Parameters
        ----------
        settings : Settings
            Where they stand.
        name, value : object
            As a browser sends them: anything at all.

        Raises
        ------
        InputError
            For a control that there is not, and a value that it does not take; the message says what is allowed.
        """
        control = self.controls.get(name) if isinstance(name, str) else None
        if control is None:
            shown = name if isinstance(name, str) else type(name).__name__
            raise InputError("page", "control", shown, f"one of: {', '.join(self.controls)}")
        update: dict[str, Any] = {control.name: checked_value(control, value)}
        return replace(settings, **update)

    def scenario(self, settings: Settings) -> Scenario:
        """What the controls ask for, its prosumers drawn; of `other_rule` it knows nothing.

        Raises
        ------
        InputErrors
            When it cannot be simulated, e.g. as a tariff has no prices for the day.
        """
        if replace(settings, other_rule=self.initial.other_rule) == self.initial:
            return self.base
        update: dict[str, Any] = {"rule": settings.rule, "mode": settings.mode, "seed": settings.seed}
        update |= {"start": self._days[settings.day], "feeder": self._feeders[settings.feeder]}
        update["tariff"] = self.tariff(settings)
        scenario = self.base.model_copy(update=update)
        try:
            feeder = self.feeder(settings)
            scenario = self._on_feeder(scenario, settings, feeder)
            _require_small(scenario, feeder)
            scenario = _with_homes(scenario, self._homes(scenario.prosumers, settings))
        except InputError as error:
            raise InputErrors([error]) from None
        return require_valid(scenario, feeder, "page")

    def feeder(self, settings: Settings) -> Feeder:
        """The feeder that the controls ask for, with a net of its own; a file is read once.

        Raises
        ------
        InputErrors
            When it cannot be built.
        """
        if settings.feeder == self.initial.feeder:
            return self._feeder.copy()
        return _built(self._feeders[settings.feeder])

    def tariff(self, settings: Settings) -> Tariff:
        """The tariff that the controls ask for."""
        tariff = self._tariffs[settings.tariff]
        if isinstance(tariff, SyntheticTariff) and settings.seed != self.initial.seed:
            tariff = tariff.model_copy(update={"seed": settings.seed})
        if (settings.tariff, settings.kappa) == (self.initial.tariff, self.initial.kappa):
            return tariff  # as it was given, also where its kappa is between two steps of the control
        as_given = settings.kappa == self.initial.kappa
        return with_kappa(tariff, self.base.tariff.kappa if as_given else settings.kappa)

    def applied(self, running: Settings, wanted: Settings) -> Settings:
        """What runs, with all of what is wanted that needs no reset."""
        live: dict[str, Any] = {
            name: getattr(wanted, name) for name in self.controls if self._is_live(name, running, wanted)
        }
        return replace(running, **live)

    def needs_reset(self, old: Settings, new: Settings) -> list[str]:
        """Labels of the controls that have moved and apply on reset alone."""
        differ = (name for name in self.controls if getattr(old, name) != getattr(new, name))
        return [self.controls[name].label for name in differ if not self._is_live(name, old, new)]

    def _is_live(self, name: str, old: Settings, new: Settings) -> bool:
        if name == "other_rule":  # to show one more rule, or one less, takes other copies of the feeder
            return bool(old.other_rule) == bool(new.other_rule)
        return self.controls[name].live

    def _on_feeder(self, scenario: Scenario, settings: Settings, feeder: Feeder) -> Scenario:
        """The scenario with the homes of its feeder and seed, drawn anew where these are not the base's."""
        same_feeder = settings.feeder == self.initial.feeder
        if same_feeder and (settings.seed == self.initial.seed or scenario.population is None):
            return scenario
        n = len(self.base.prosumers)
        if not same_feeder:
            n = max(1, round(n * len(feeder.connection_buses) / max(1, self._n_places)))
        if scenario.population is None:
            _require_few(n, scenario.market_step_min)
            return _with_homes(scenario, moved(scenario.prosumers, self._feeder, feeder, n))
        population = scenario.population if same_feeder else _elsewhere(scenario.population, n, feeder)
        scenario = scenario.model_copy(update={"population": population, "prosumers": ()})
        _require_small(scenario)
        return resolve(scenario, feeder)

    def _homes(self, homes: tuple[ProsumerSpec, ...], settings: Settings) -> tuple[ProsumerSpec, ...]:
        sizes = {
            name: getattr(self._sizes if getattr(settings, name) == getattr(self.initial, name) else settings, name)
            for name in _SIZES
        }
        if (new := Sizes(**sizes)) != self._sizes:
            homes = resized(homes, self._sizes, new)
        if settings.share_percent != self.initial.share_percent:
            homes = sharing(homes, settings.share_percent / 100, settings.seed)
        return homes


def _beside(rule: str) -> str:
    """The rule to begin with beside another: what the published comparison is about."""
    return "hybrid" if rule == "prc" else "prc"


def _with_homes(scenario: Scenario, homes: tuple[ProsumerSpec, ...]) -> Scenario:
    """The scenario with these homes: as a list of its own, where they are not those that it draws or reads."""
    if homes is scenario.prosumers:
        return scenario
    return scenario.model_copy(update={"prosumers": homes, "population": None, "prosumers_file": None})


def _elsewhere(population: PopulationSpec, n: int, feeder: Feeder) -> PopulationSpec:
    """The population on another feeder: places that are known by name are not there, and loads may not be."""
    load_kw = np.maximum(feeder.background_p_kw[feeder.bus_positions(feeder.connection_buses.tolist())], 0.0)
    unknown = population.placement == "given"
    missing = population.placement == "proportional-to-load" and not load_kw.sum() > 0
    placement = "random" if unknown or missing else population.placement
    return population.model_copy(update={"n": n, "placement": placement, "buses": ()})


def _built(spec: FeederSpec) -> Feeder:
    try:
        return build_feeder(spec)
    except InputError as error:
        raise InputErrors([error]) from None


def _require_small(scenario: Scenario, feeder: Feeder | None = None) -> None:
    """Raise `InputErrors` for a scenario that is too large for a page."""
    population = 0 if scenario.population is None else scenario.population.n
    _require_few(max(population, len(scenario.prosumers)), scenario.market_step_min)
    found = list(_too_large(scenario, feeder))
    if found:
        raise InputErrors(found)


def _require_few(n: int, market_step_min: int) -> None:
    most = min(MOST_PROSUMERS, _MOST_KEPT * market_step_min // (24 * 60))
    if n > most:
        allowed = f"at most {most} with market steps of {market_step_min} min on a page; more with `cosim run`"
        raise InputErrors([InputError("page", "prosumers", n, allowed)])


def _too_large(scenario: Scenario, feeder: Feeder | None) -> Iterator[InputError]:
    if scenario.days > MOST_DAYS:
        yield InputError("page", "days", scenario.days, f"at most {MOST_DAYS} on a page; more with `cosim run`")
    if feeder is not None and feeder.n_buses > MOST_BUSES:
        yield InputError("page", "feeder", f"{feeder.n_buses} buses", f"at most {MOST_BUSES} buses on a page")
