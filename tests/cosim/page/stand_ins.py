"""A run, a board and a gallery without a model behind them: what a player does with them can be watched."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from cosim.page.pictures import Picture
from feeders.errors import InputError

__all__ = ["Board", "Gallery", "Live", "Settings"]


@dataclass(frozen=True)
class Settings:
    rule: str = "prc"
    pv_kwp: float = 5.0


class Board:
    """Two controls, one of them live."""

    initial = Settings()

    def changed(self, settings: Settings, name: Any, value: Any) -> Settings:
        if name not in ("rule", "pv_kwp") or value != value or value == "nonsense":
            raise InputError("page", str(name), value, "something sensible")
        return replace(settings, **{name: value})

    def needs_reset(self, old: Settings, new: Settings) -> list[str]:
        return ["PV"] if old.pv_kwp != new.pv_kwp else []

    def applied(self, running: Settings, wanted: Settings) -> Settings:
        return replace(running, rule=wanted.rule)


@dataclass
class Live:
    """A day of some steps, each of which waits for `gate` where there is one."""

    settings: Settings
    n_steps: int = 96
    gate: threading.Semaphore | None = None
    breaks_at: int = -1
    step_number: int = 0
    closed: bool = False
    failed: str | None = None
    names: tuple[str, ...] = ("near", "far")
    log: deque[Any] = field(default_factory=deque)
    changes: list[Settings] = field(default_factory=list)
    began: threading.Event = field(default_factory=threading.Event)

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.settings.rule,)

    @property
    def finished(self) -> bool:
        return self.step_number >= self.n_steps

    @property
    def clock_text(self) -> str:
        return f"{self.step_number // 4:02d}:{self.step_number % 4 * 15:02d}"

    def step(self) -> None:
        self.began.set()
        if self.gate is not None:
            self.gate.acquire()
        if self.step_number == self.breaks_at:
            raise RuntimeError("no usable power flow in /home/someone/feeders/kerber.json")
        self.step_number += 1

    def change(self, settings: Settings) -> None:
        if settings.rule != self.settings.rule:
            self.changes.append(settings)
            self.settings = replace(self.settings, rule=settings.rule)

    def summary(self) -> pd.DataFrame:
        return pd.DataFrame({"rule": self.labels})

    def close(self) -> None:
        self.closed = True


class Gallery:
    """Draws blank pictures and counts them."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.broken = ""
        self.closed = False

    def fit(self, pixels_per_inch: float) -> bool:
        return False

    def seen(self, live: Live, tab: str) -> list[str]:
        return ["map-0", tab]

    def key(self, name: str, live: Live, chosen: str) -> object:
        return (id(live), live.step_number, live.labels, chosen if name != "wallets" else "")

    def draw(self, name: str, live: Live, chosen: str) -> Picture:
        if name == self.broken:
            raise ValueError(f"cannot draw {name}")
        self.drawn.append(name)
        return Picture(b"", 1, 1, f"{name} at {live.step_number} of {chosen}")

    def close(self) -> None:
        self.closed = True
