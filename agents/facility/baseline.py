"""The facility without its plant: what it would draw if nobody had invested in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from agents.facility.needs import Needs
from agents.facility.plant import Plant
from agents.facility.schedule import Flows, Schedule
from feeders.errors import InputError

__all__ = ["baseline"]


def baseline(plant: Plant, needs: Needs) -> Schedule:
    """The schedule in which an electric chiller meets the whole cooling load as it comes, and a boiler the heat.

    There is neither store nor sun nor generator. Chiller and boiler have the COP and the efficiency of the plant's own,
    and the rating that it takes: without stores, they would have been bought for the highest load.

    Raises
    ------
    InputError
        For a cooling load without a chiller, or a heat load without a boiler.
    """
    for load, has, what in ((needs.cooling_kw, plant.chiller, "chiller"), (needs.heat_kw, plant.boiler, "boiler")):
        if load.any() and has is None:
            raise InputError("baseline", what, None, f"a {what}, as there is a load for it")
    chiller, boiler = plant.chiller, plant.boiler
    bare = Plant(
        chiller=chiller and replace(chiller, rating_kw=max(chiller.rating_kw, float(needs.cooling_kw.max()))),
        boiler=boiler and replace(boiler, rating_kw=max(boiler.rating_kw, float(needs.heat_kw.max()))),
    )
    drawn = needs.cooling_kw / chiller.cop if chiller else np.zeros(needs.n_steps)
    zero = np.zeros(needs.n_steps)
    flows = Flows(
        import_kw=needs.electric_kw + drawn,
        export_kw=zero,
        chiller_kw=needs.cooling_kw,
        absorption_kw=zero,
        boiler_kw=needs.heat_kw,
        solar_kw=zero,
        dump_kw=zero,
        pv_kw=zero,
        fuel_cell_kw=zero,
        generator_kw=zero,
    )
    return Schedule(bare, needs, flows, {})
