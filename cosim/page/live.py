"""A run as a page watches it: one rule or two on the same homes and the same day, step by step; without a browser."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from datetime import datetime, timedelta

import pandas as pd

from cosim.failure import RunFailure
from cosim.incidents import Incidents
from cosim.job import COMPARED
from cosim.model import CoSimulation
from cosim.page.controls import Board, Settings
from cosim.page.run_log import LogEntry, new_log
from cosim.page.side import LOCAL, Side, in_feeder_order
from cosim.page.wallets import Wallets
from cosim.plots.data import FeederState, HomeDay, Homes
from cosim.scenario import Scenario
from feeders import Feeder
from feeders.errors import CosimError, InputError, InputErrors

__all__ = ["Live", "LogEntry"]

_LABELS = {"none": "no rule", "prc": "PRC", "anrc": "ANRC", "ieee1547-b": "IEEE 1547-B"}


class Live:
    """One co-simulation of copies of a feeder: the rules that are shown, one without a rule, one without optimisation.

    All copies have the same homes, day and seed and live in lock-step, so that gain kept and LCG of what has been lived
    so far are known after every step; at the end they are those of `cosim.run`. Prosumers are in feeder order
    everywhere, from the source to the end, and `row` counts them so. Only the present day is kept. Where one copy has
    no usable power flow, the run ends for all.

    A `Live` belongs to one thread at a time.

    Parameters
    ----------
    board : Board
        The controls.
    settings : Settings
        Where they stand.
    threads : int
        Threads that plan.

    Attributes
    ----------
    settings : Settings
        What it was made with, and what has been changed in it since.
    model : CoSimulation
        The copies: the sides that are shown come first.
    log : deque of LogEntry
        What happened, the newest first; bounded.
    failed : str or None
        Why the run ended before its end; all up to then stays readable.

    Raises
    ------
    InputErrors
        When the settings ask for what cannot be simulated.
    """

    def __init__(self, board: Board, settings: Settings, threads: int = 1) -> None:
        self.board, self.settings = board, settings
        scenario = board.scenario(settings)
        rules = (settings.rule, *([settings.other_rule] if settings.other_rule else []))
        shown = [scenario.model_copy(update={"rule": rule, "record": ()}) for rule in rules]
        copies: list[Scenario] = [*shown, *(scenario.changed(changes) for changes in COMPARED.values())]
        self.model = CoSimulation(copies, feeder=board.feeder(settings), threads=threads)
        self.failed: str | None = None
        self.log: deque[LogEntry] = new_log()
        self._refused: tuple[str, float] | None = None
        self._prosumers, self._rows = in_feeder_order(self.model)
        self._sides = [Side(self.model, side, self._rows[side], self._prosumers) for side in range(len(shown))]
        self._wallets = Wallets(self.model, self._prosumers, self._rows)
        n = len(self._prosumers)
        self._incidents = Incidents(self.model)
        self._note("run", f"{n} homes on {self.feeder.name}, {self.feeder.n_buses} buses; {settings.mode}")

    @property
    def labels(self) -> tuple[str, ...]:
        """The rules that are shown, as people read them; two alike are told apart by letters."""
        rules = [self.model.settings[side].rule for side in range(len(self._sides))]
        labels = [_LABELS.get(rule, rule) for rule in rules]
        if len(set(labels)) < len(labels):
            labels = [f"{label} {letter}" for label, letter in zip(labels, "AB", strict=True)]
        return tuple(labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The prosumers, from the source to the end of the feeder."""
        return tuple(self._prosumers["prosumer"])

    @property
    def feeder(self) -> Feeder:
        """The wires, the same for all copies."""
        return self.model.grid.feeder

    @property
    def step_number(self) -> int:
        """Market steps lived."""
        return self.model.clock.step

    @property
    def n_steps(self) -> int:
        """Market steps of the whole run."""
        return self.model.clock.n_steps

    @property
    def finished(self) -> bool:
        """Whether there is nothing more to live: at the end, or after a failure."""
        return self.failed is not None or self.model.clock.finished

    @property
    def time(self) -> datetime:
        """Local time now: the beginning of the step to come."""
        return self._after(self.step_number * self.model.settings[0].market_step_min)

    @property
    def clock_text(self) -> str:
        """Local time now, for people."""
        return _clock_text(self.time)

    def step(self) -> None:
        """Live one market step; at the end, or after a failure, nothing.

        A power flow without a solution ends the run: see `failed`.
        """
        if self.finished:
            return
        try:
            self.model.step()
        except Exception as error:  # a rule or a prosumer of the user's own may raise anything
            self.failed = self._reason(error)
            if self.model.failure is None:  # else it is among the incidents
                self._note("failure", self.failed)
        else:
            for side in self._sides:
                side.traces.add()
        self._tell_incidents()
        if self.model.clock.finished:
            self._note("run", "the end")

    def change(self, settings: Settings) -> list[str]:
        """Let what can change while it lives be as in these settings, from the next step on.

        Returns
        -------
        list of str
            Labels of the controls that wait for a reset: at the end, and after a failure, all that differ.

        Raises
        ------
        InputError, InputErrors
            For a tariff that this run cannot take; the one there is stays, and the same is not tried again.
        """
        if self.finished:
            controls = self.board.controls.values()
            return [c.label for c in controls if getattr(self.settings, c.name) != getattr(settings, c.name)]
        wanted = self.board.applied(self.settings, settings)
        if wanted != self.settings:
            self._apply(wanted)
        return self.board.needs_reset(self.settings, settings)

    def state(self, side: int) -> FeederState:
        """The feeder after the last control step; NaN before the first."""
        return self._sides[side].state()

    def homes(self, side: int) -> Homes:
        """The prosumers in the last market step; NaN before the first, but for what is in the battery."""
        return self._sides[side].homes()

    def home_day(self, side: int, row: int) -> HomeDay:
        """The day of one prosumer, by its place in feeder order: the present day, or the last one at the end."""
        return self._sides[side].home_day(row)

    def wallets(self) -> pd.DataFrame:
        """What each prosumer has paid, kept and spilled so far; see `cosim.page.wallets.Wallets.table`."""
        return self._wallets.table()

    def summary(self) -> pd.DataFrame:
        """Key figures so far, one row per side; see `cosim.page.wallets.Wallets.summary`."""
        return self._wallets.summary(self.labels)

    def close(self) -> None:
        """Let go of the model and all that was kept of it; nothing else may be asked afterwards."""
        self.model.close()
        del self.model, self._sides, self._wallets, self._incidents

    def _apply(self, wanted: Settings) -> None:
        for side, name in enumerate(("rule", "other_rule")[: len(self._sides)]):
            rule, before = getattr(wanted, name), self.labels[side]
            if rule != getattr(self.settings, name):
                self.model.change_rule(rule, side)
                self._note("change", f"rule changed from {before} to {self.labels[side]}", self.labels[side])
        old, prices = self.settings, (wanted.tariff, wanted.kappa)
        self.settings = replace(wanted, tariff=old.tariff, kappa=old.kappa)
        if prices == (old.tariff, old.kappa):
            self._refused = None
        elif prices != self._refused:
            self._reprice(wanted)

    def _reprice(self, wanted: Settings) -> None:
        try:
            self.model.change_tariff(self.board.tariff(wanted))
        except (InputError, InputErrors) as error:
            self._refused = (wanted.tariff, wanted.kappa)
            self._note("refused", str(error))
            raise
        self.settings, self._refused = wanted, None
        self._note("change", f"tariff is {wanted.tariff}, kappa {wanted.kappa:g}")

    def _reason(self, error: Exception) -> str:
        if isinstance(error, RunFailure):
            return f"{self._copy_names[error.copy]}: {error}"
        return str(error) if isinstance(error, CosimError) else f"{type(error).__name__}: {error}"

    @property
    def _copy_names(self) -> tuple[str, ...]:
        """All copies, as people read them."""
        return (*self.labels, "without rule", "without optimisation")

    def _tell_incidents(self) -> None:
        """Note what began in the last step on the sides that are shown, and whatever ended the run."""
        for incident in self._incidents.since_last():
            if incident.copy < len(self._sides) or incident.kind == "failure":
                minutes = incident.minute * self.model.settings[0].control_step_min
                self._note(incident.kind, incident.text, self._copy_names[incident.copy], minutes)

    def _note(self, kind: str, text: str, side: str = "", minutes: float | None = None) -> None:
        """Put an entry in front, of now or of some minutes after the start."""
        at = self.time if minutes is None else self._after(minutes)
        self.log.appendleft(LogEntry(self.step_number, _clock_text(at), side, kind, text))

    def _after(self, minutes: float) -> datetime:
        return (self.model.settings[0].start + timedelta(minutes=minutes)).astimezone(LOCAL)


def _clock_text(at: datetime) -> str:
    return f"{at:%a} {at.day} {at:%b %Y, %H:%M}"
