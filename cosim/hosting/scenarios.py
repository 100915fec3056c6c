"""Days that differ from the expected one by chance: what hosting capacity is asked for under uncertainty.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity": Gaussian noise on the
base profiles of solar radiation, temperature and price (alike at all nodes) and of fixed load (of each node its own),
all independent. Its size is not published; 10 % is an assumption, as are the cuts below.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from agents.prosumer.fleet import FleetInputs
from feeders.errors import InputError

__all__ = ["noisy", "scenarios"]

Array = npt.NDArray[np.float64]

_CUT = 3.0  # standard deviations, so that no single draw in thousands decides a capacity
_MOST_PV = 1.5  # what `FleetInputs` allows: a day's peak is not the most that the sun can do


def noisy(inputs: FleetInputs, seed: int | np.random.SeedSequence, sigma: float = 0.1) -> FleetInputs:
    """One scenario: the inputs with Gaussian noise, drawn anew for each step and cut at 3 standard deviations.

    PV, load and price are multiplied by ``1 + sigma e``: nights stay dark, and a load keeps its power factor.
    Temperature gets ``sigma (max - min) e`` of the day's own range, as a percentage of degrees Celsius means nothing.
    Results are kept physical: PV within 0 and 1.5 of the rating, loads not turned around by noise.

    Parameters
    ----------
    inputs : FleetInputs
        The expected day.
    seed : int or SeedSequence
        Each quantity has a stream of its own, so that one does not move with the size of another.
    sigma : float
        Standard deviation of the noise, as a share; 0 gives the inputs back.

    Raises
    ------
    InputError
        For a sigma below 0 or not finite.
    """
    if not (np.isfinite(sigma) and sigma >= 0):
        raise InputError("scenario", "sigma", sigma, "a share, 0 or more")
    root = seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    # Made by hand, not spawned: spawning changes the parent, and a second call would give another scenario.
    keys = [np.random.SeedSequence(root.entropy, spawn_key=(*root.spawn_key, k)) for k in range(4)]
    pv, load, warmth, price = (np.random.default_rng(key) for key in keys)
    steps, per_bus = inputs.pv_share.shape, inputs.p_load_kw.shape
    load_factor = np.maximum(1 + _noise(load, per_bus, sigma), 0.0)
    return replace(
        inputs,
        p_load_kw=inputs.p_load_kw * load_factor,
        q_load_kvar=inputs.q_load_kvar * load_factor,
        pv_share=np.clip(inputs.pv_share * (1 + _noise(pv, steps, sigma)), 0.0, _MOST_PV),
        t_out_c=inputs.t_out_c + np.ptp(inputs.t_out_c) * _noise(warmth, steps, sigma),
        price=inputs.price * (1 + _noise(price, steps, sigma)),
    )


def scenarios(inputs: FleetInputs, n: int, seed: int = 0, sigma: float = 0.1) -> list[FleetInputs]:
    """`n` scenarios; number k is the same however many there are, and is ``noisy(inputs, SeedSequence([seed, k]))``.

    Raises
    ------
    InputError
        For fewer than one, and for a sigma that `noisy` refuses.
    """
    if n < 1:
        raise InputError("scenarios", "n", n, "1 or more")
    return [noisy(inputs, np.random.SeedSequence([seed, k]), sigma) for k in range(n)]


def _noise(rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> Array:
    found: Array = sigma * np.clip(rng.standard_normal(shape), -_CUT, _CUT)
    return found
