"""What engines share: slack voltage and taps that change during a run, and results in the net."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from pandapower.auxiliary import pandapowerNet

from feeders.engines.base import ComplexArray, FloatArray, check_slack_vm_pu, chosen_powers
from feeders.engines.pandapower_run import set_powers, write_results
from feeders.feeder import Feeder
from feeders.nodal import NodalModel

__all__ = ["AdjustableEngine", "PerTaps"]

_TAP_STATES_MAX = 64  # a transformer has some 20 positions

Model = TypeVar("Model")


class AdjustableEngine(ABC):
    """An engine but for its equations; see `feeders.engines.base.Engine` for what its methods promise."""

    name: ClassVar[str]

    def __init__(self, feeder: Feeder) -> None:
        self.feeder = feeder
        self.notes: list[str] = []
        self.revision = 0
        self._slack_vm_pu: float | None = None  # the net's own
        self._taps: dict[int | str, int] = {}  # those that are not the net's own
        self._powers = (np.zeros(feeder.n_buses), np.zeros(feeder.n_buses))
        self._models = PerTaps(feeder, lambda tapped: tapped.nodal)

    @abstractmethod
    def solve(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> FloatArray: ...

    @abstractmethod
    def _apply(self, slack_vm_pu: float | None, taps: dict[int | str, int]) -> None:
        """Take these for the solves to come, or raise and leave all as it was."""

    @abstractmethod
    def node_voltages(self, p_kw: ArrayLike, q_kvar: ArrayLike) -> ComplexArray: ...

    @property
    def nodal(self) -> NodalModel:
        model = self._models(self._taps)
        if self._slack_vm_pu is None:
            return model
        return replace(model, slack_vm_pu=np.full_like(model.slack_vm_pu, self._slack_vm_pu))

    @property
    def taps(self) -> dict[int | str, float]:
        own = {key: changer.position for key, changer in self.feeder.controls.tap_changers.items()}
        return own | self._taps

    def set_slack_vm_pu(self, vm_pu: float) -> None:
        self.adjust(check_slack_vm_pu(vm_pu), self._taps)

    def set_taps(self, taps: Mapping[int | str, int]) -> None:
        self.adjust(self._slack_vm_pu, self.feeder.controls.positions({**self._taps, **taps}))

    def adjust(self, slack_vm_pu: float | None, taps: dict[int | str, int]) -> None:
        """Set both: the slack voltage (None: the net's own), and the taps that are not the net's own."""
        self._apply(slack_vm_pu, taps)
        self._slack_vm_pu, self._taps = slack_vm_pu, taps
        self.revision += 1

    def write_results(self, p_kw: ArrayLike | None = None, q_kvar: ArrayLike | None = None) -> pandapowerNet:
        p, q = chosen_powers(self.feeder, self._powers, p_kw, q_kvar)
        vm_pu = self.solve(p, q)
        set_powers(self.feeder.net, self.feeder, p, q)
        self.feeder.controls.put(self.feeder.net, self._slack_vm_pu, self._taps)
        write_results(self.feeder, vm_pu)
        return self.feeder.net


class PerTaps(Generic[Model]):
    """What an engine builds of a feeder, once for each state of its taps; the 64 used last are kept."""

    def __init__(self, feeder: Feeder, build: Callable[[Feeder], Model]) -> None:
        self._feeder, self._build = feeder, build
        self._built: OrderedDict[frozenset[tuple[int | str, int]], Model] = OrderedDict()

    def __call__(self, taps: Mapping[int | str, int]) -> Model:
        state = frozenset(taps.items())
        if state not in self._built:
            self._built[state] = self._build(self._feeder.with_taps(taps) if taps else self._feeder)
        self._built.move_to_end(state)
        if len(self._built) > _TAP_STATES_MAX:
            self._built.popitem(last=False)
        return self._built[state]
