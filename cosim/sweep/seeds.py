"""Seeds of replications."""

from __future__ import annotations

import numpy as np

__all__ = ["replication_seeds"]


def replication_seeds(seed: int, n: int) -> list[int]:
    """Seeds of n replications, spawned from one: 0 <= seed < 2**63; those of fewer are the first of those of more.

    The r-th replication of every case of a sweep has the same one (common random numbers), so that rules meet the
    same populations and forecasts, and differences between them are free of the spread between populations.
    """
    children = np.random.SeedSequence(seed).spawn(n)
    return [int(child.generate_state(1, np.uint64)[0] >> np.uint64(1)) for child in children]
