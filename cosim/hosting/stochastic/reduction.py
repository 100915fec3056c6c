"""Few scenarios that stand for many: the middles of clusters, and the extremes.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", Accelerating 2-SSP:
k-means over the profiles, as many clusters as the elbow of what is left within them says, and the most severe
scenarios kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.cluster.vq import ClusterError, kmeans2

from agents.prosumer.fleet import FleetInputs
from feeders.errors import InputError

__all__ = ["Reduction", "elbow", "extremes", "profiles", "reduced", "within_clusters"]

Array = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_STARTS = 10  # of k-means, the best of which is taken
_MOST_CLUSTERS = 12


@dataclass(frozen=True)
class Reduction:
    """Some of the scenarios, and how many each stands for.

    Attributes
    ----------
    chosen : array of int
        Positions of scenarios that are kept, ascending.
    weights : array
        Probability of each; they sum to 1.
    extremes : dict of str to int
        Which are kept as extremes, by what they are an extreme of.
    spread : array
        Sum of squares within clusters for 1, 2, ... clusters, over that for one.
    elbow : int
        Number of clusters after which `spread` falls little.
    """

    chosen: IntArray
    weights: Array
    extremes: dict[str, int]
    spread: Array
    elbow: int


def profiles(scenarios: Sequence[FleetInputs]) -> Array:
    """What scenarios are compared by, shape (S, 4 T): load of the whole feeder, sun, temperature and price.

    Each over the root mean square of its own deviations, so that none counts more for its unit.
    """
    kinds = (
        [s.p_load_kw.sum(axis=1) for s in scenarios],
        [s.pv_share for s in scenarios],
        [s.t_out_c for s in scenarios],
        [s.price for s in scenarios],
    )
    blocks = []
    for kind in kinds:
        off = np.array(kind) - np.mean(kind, axis=0)
        size = float(np.sqrt(np.mean(off**2)))
        blocks.append(off / size if size > 0 else off)
    return np.hstack(blocks)


def extremes(scenarios: Sequence[FleetInputs]) -> dict[str, int]:
    """The most severe scenarios: most sun over load in an hour, most load in an hour, and the warmest day.

    Sun and load are compared as shares: PV's of its rating, the load's of the largest among all scenarios.
    """
    load = np.array([s.p_load_kw.sum(axis=1) for s in scenarios])
    surplus = np.array([s.pv_share for s in scenarios]) - load / max(float(load.max()), np.finfo(float).tiny)
    warmth = np.array([s.t_out_c.mean() for s in scenarios])
    return {
        "surplus": int(np.argmax(surplus.max(axis=1))),
        "load": int(np.argmax(load.max(axis=1))),
        "warmth": int(np.argmax(warmth)),
    }


def within_clusters(points: Array, most: int = _MOST_CLUSTERS, seed: int = 0) -> Array:
    """Sum of squares within clusters for 1 to `most` of them, as a share of that for one; not rising."""
    found = [_clusters(points, k, seed)[1] for k in range(1, min(most, len(points)) + 1)]
    return np.minimum.accumulate(np.array(found) / max(found[0], np.finfo(float).tiny))


def elbow(spread: Array) -> int:
    """Where a falling curve bends most: the number furthest below the line from its first to its last point."""
    if len(spread) < 3:
        return len(spread)
    line = np.linspace(spread[0], spread[-1], len(spread))
    return int(np.argmax(line - spread)) + 1


def reduced(scenarios: Sequence[FleetInputs], n: int | None = 5, seed: int = 0) -> Reduction:
    """`n` of the scenarios: the extremes, and of as many clusters as are left over the member nearest to the middle.

    Every scenario counts for the kept one that is nearest to it.

    Parameters
    ----------
    scenarios : sequence of FleetInputs
    n : int or None
        How many; None for the elbow's number of clusters and the extremes beside them.
    seed : int
        Of k-means' first middles.

    Raises
    ------
    InputError
        If fewer than one scenario is asked for, or more than there are.
    """
    if n is not None and not 1 <= n <= len(scenarios):
        raise InputError("scenarios", "n", n, f"from 1 to the {len(scenarios)} there are")
    points = profiles(scenarios)
    spread = within_clusters(points, seed=seed)
    bend = elbow(spread)
    severe = extremes(scenarios)
    if n is not None:  # with room for fewer, the first ones: what PV and loads are limited by
        severe = dict(list(severe.items())[: max(n - 1, 0)])
    kept = set(severe.values())
    wanted = min(n if n is not None else len(kept) + bend, len(scenarios))
    chosen = kept | set(_middles(points, kept, wanted - len(kept), seed))
    order = np.array(sorted(chosen), dtype=np.int64)
    nearest = np.argmin(_distances(points, points[order]), axis=1)
    weights = np.bincount(nearest, minlength=len(order)) / len(scenarios)
    return Reduction(order, weights, severe, spread, bend)


def _middles(points: Array, kept: set[int], k: int, seed: int) -> list[int]:
    """Scenarios nearest to the middles of `k` clusters of those that are not kept anyway."""
    others = np.array([i for i in range(len(points)) if i not in kept], dtype=np.int64)
    if k < 1 or not len(others):
        return []
    middles, _ = _clusters(points[others], k, seed)
    found: list[int] = []
    for middle in middles:
        for i in np.argsort(_distances(points[others], middle[None])[:, 0], kind="stable"):
            if int(others[i]) not in found:
                found.append(int(others[i]))
                break
    return found


def _clusters(points: Array, k: int, seed: int) -> tuple[Array, float]:
    """Middles of k clusters, and the sum of squares within them; the best of some starts."""
    best: tuple[Array, float] | None = None
    for start in range(_STARTS if k > 1 else 1):
        rng = np.random.default_rng([seed, k, start])
        first = points[rng.choice(len(points), k, replace=False)]
        try:
            middles = kmeans2(points, first, minit="matrix", iter=50, missing="raise")[0]
        except ClusterError:  # a middle that lost all its members
            middles = first
        left = float(_distances(points, middles).min(axis=1).sum())
        if best is None or left < best[1]:
            best = middles, left
    assert best is not None
    return best


def _distances(points: Array, others: Array) -> Array:
    """Squared distances, shape (points, others)."""
    found: Array = ((points[:, None] - others[None]) ** 2).sum(axis=2)
    return found
