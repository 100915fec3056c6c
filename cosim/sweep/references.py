"""Costs that runs of a sweep compare theirs with, lived once for all runs that share them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cosim.job import COMPARED
from cosim.scenario import Scenario
from cosim.sweep.identity import Identities
from cosim.sweep.places import Places

__all__ = ["SharedCosts"]

Array = npt.NDArray[np.float64]

_COSTS, _DIGEST = "costs", "sha256"


class SharedCosts:
    """The `cosim.job.Costs` of a run of a sweep: those of the same homes under another rule are the same.

    They are kept in the sweep's folder, so that they reach all workers; nothing depends on whether they are there, and
    a file that is not as it was written does not count.
    """

    def __init__(self, folder: Path, scenario: Scenario, code: str) -> None:
        self._folder = Places(folder).references
        self._scenario = scenario
        self._identities = Identities(code, references=False)

    def __call__(self, name: str, live: Callable[[], Array | None]) -> Array | None:
        """Costs [currency], shape (n_prosumers,), or None where the run without rule or optimisation failed."""
        path = self._folder / f"{self._key(name)}.json"
        kept = _read(path)
        if kept is not None:
            return kept
        lived = live()
        if lived is not None:
            with suppress(OSError):  # then the next run lives it again
                _write(path, lived)
        return lived

    def _key(self, name: str) -> str:
        """A hash of all that the costs depend on: the scenario but for its rule, its name and what it records."""
        drawn_later = self._scenario.has_source
        changes = {key: to for key, to in COMPARED[name].items() if not (drawn_later and key.startswith("prosumers."))}
        return self._identities.id_of(self._scenario.changed({**changes, "name": name, "record_every": 1}))


def _read(path: Path) -> Array | None:
    try:
        found = json.loads(path.read_bytes())
        costs = found[_COSTS]
        return np.array(costs, dtype=np.float64) if found[_DIGEST] == _digest(costs) else None
    except (OSError, ValueError, TypeError, KeyError):  # not there, or damaged
        return None


def _write(path: Path, costs: Array) -> None:
    """Put a file in its place in one step; of several processes that do so at a time any, since they write the same."""
    path.parent.mkdir(exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    listed = costs.tolist()  # written in full: a float read back is the same
    new.write_text(json.dumps({_COSTS: listed, _DIGEST: _digest(listed)}), encoding="ascii")
    new.replace(path)


def _digest(costs: list[float]) -> str:
    return hashlib.sha256(json.dumps(costs).encode()).hexdigest()
