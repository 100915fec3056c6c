"""All that the rest of a run depends on at the end of a day, as arrays by name: read off a model, put into another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from cosim.model import CoSimulation

__all__ = ["restore_state", "state_of"]

Array = npt.NDArray[np.float64]

_SHADOW = "shadow."


def state_of(model: CoSimulation, shadow: CoSimulation | None) -> dict[str, Array]:
    """See `CoSimulation.state`; `shadow` is the run without rules that an open loop reads, where there is one."""
    found = {"population.state": model.population.state, "tally.sums": model.tally.sums}
    kept = {name: value for name, value in vars(model.ledger).items() if isinstance(value, np.ndarray)}
    found |= {f"ledger.{name}": value for name, value in kept.items() if value.flags.writeable}
    found |= {f"accounts.{name}": value for name, value in model.accounts.state().items()}
    if model.population.devices is not None and model.device_books is not None:
        found |= {f"devices.{name}": value for name, value in model.population.devices.state().items()}
        found |= {f"device_books.{name}": value for name, value in model.device_books.state().items()}
    for copy, relief in model.reliefs.items():
        found |= {f"reliefs.{copy}.{name}": value for name, value in relief.state().items()}
    found["clock.step"] = np.array(model.clock.step, dtype=float)
    if shadow is not None:
        found |= {f"{_SHADOW}{name}": value for name, value in shadow.state().items()}
    return found


def restore_state(model: CoSimulation, shadow: CoSimulation | None, state: Mapping[str, Array]) -> None:
    """See `CoSimulation.restore`."""
    own = model.state()
    for name, value in own.items():  # all of them first, so that it is all or nothing
        if value.shape != state[name].shape:
            raise ValueError(f"{name}: shape {state[name].shape} instead of {value.shape}")
    for name, value in own.items():
        value[...] = state[name]
    model.clock.step = int(state["clock.step"])
    model.record.go_on(model.clock.step * model.clock.controls_per_step)
    model.running, model.failure = not model.clock.finished, None
    if shadow is not None:
        shadow.restore({name.removeprefix(_SHADOW): state[name] for name in own if name.startswith(_SHADOW)})
