"""Batteries and hot-water stores that serve their own homes, or the region, in one market step: a closed form.

Virtual prices of electricity (`agents.prosumer.virtual_prices`) order what a step may do: self-consumption first,
charge the battery before the thermal store, discharge the thermal store before the battery. Where no branch of the grid
is at its limit, the optimum of the power flow with these prices is that order itself, here without any solver:

- surplus (net power <= 0) goes into the battery, then through the heat pump into the thermal store, then to the grid;
- demand is met by the thermal store (up to the heat demand), then by the battery, then by the grid;
- ``scope="home"`` does so for the net power of each home, ``"region"`` for their sum, where stores of one kind have one
  price and give or take in proportion to what they can;
- stores that charge from the grid below a cap on the region's load fill four tiers, the last one in proportion:
  batteries from their homes' own surplus, batteries from the grid, thermal stores from own surplus, and from the grid.
  In the region there are no own homes, and so only two: batteries, thermal stores.

Neither kind of store loses energy, so that power times time is what it gains.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agents.prosumer.behind_meter import BehindMeter, Scope
from agents.prosumer.store_priority import BATTERY, TES, decide, fill_room
from feeders.errors import InputError, InputErrors

__all__ = ["SCOPES", "Asked", "Step", "Stores", "net_and_room", "serve_step"]

Array = npt.NDArray[np.float64]

SCOPES: tuple[Scope, ...] = ("home", "region")


@dataclass(frozen=True)
class Stores:
    """Energy in the stores of n homes.

    Attributes
    ----------
    battery_kwh : array, shape (n,)
        In the batteries.
    tes_kwh : array, shape (n,)
        In the thermal stores [kWh thermal].
    """

    battery_kwh: Array
    tes_kwh: Array

    @classmethod
    def empty(cls, n: int) -> Stores:
        """Nothing in any of them."""
        return cls(np.zeros(n), np.zeros(n))

    def check(self, assets: BehindMeter) -> None:
        """Refuse energies that the stores cannot hold, beyond rounding.

        Raises
        ------
        InputErrors
            Naming the home.
        """
        problems = []
        for name, capacity in (("battery_kwh", assets.battery_kwh), ("tes_kwh", assets.tes_kwh)):
            energy = getattr(self, name)
            if energy.shape != capacity.shape:
                problems.append(InputError("stores", name, energy.shape, f"one value per home, {len(assets)}"))
                continue
            rounding = 1e-9 * (1.0 + capacity)
            for row in np.flatnonzero(~((energy >= -rounding) & (energy <= capacity + rounding)))[:1]:
                allowed = f"0 to {capacity[row]:g} kWh"
                problems.append(InputError("stores", f"{assets.ids[row]}.{name}", float(energy[row]), allowed))
        if problems:
            raise InputErrors(problems)


@dataclass(frozen=True)
class Step:
    """What n homes use and get in one market step.

    Attributes
    ----------
    p_net_kw : array, shape (n,)
        Load and charger less PV, without the heat pump.
    heat_kw : array, shape (n,)
        Heat demand [kW thermal], >= 0.
    cop : float or array, shape (n,)
        Heat per electric energy of the heat pumps, > 0.
    step_h : float
        Length of the step [h].
    """

    p_net_kw: Array
    heat_kw: Array
    cop: float | Array
    step_h: float = 0.25


@dataclass(frozen=True)
class Asked:
    """What the operator asks of stores in one step, as a row of `Directives`; by default nothing.

    Attributes
    ----------
    heat_cap : float
        The most heat, as a share of what the heat pump can give; binds charging of thermal stores. (Demand is cut
        before, by whoever makes up for it later.)
    charge_from_grid : bool
        Whether stores charge from the grid too: its price is below what charging is worth.
    station_cap_kw : float
        Where they do, they charge no more than what brings the region's load there. Where load alone is above, they
        neither charge nor are they discharged for it.
    hold : bool
        Whether stores may not be discharged: its price is above that of the grid.
    """

    heat_cap: float = 1.0
    charge_from_grid: bool = False
    station_cap_kw: float = np.inf
    hold: bool = False


def serve_step(
    step: Step, stores: Stores, assets: BehindMeter, scope: Scope = "home", asked: Asked | None = None
) -> tuple[Array, Array]:
    """What batteries and thermal stores do in one step.

    Parameters
    ----------
    step : Step
    stores : Stores
        At the beginning of the step.
    assets : BehindMeter
    scope : "home" or "region"
        Whom storage serves.
    asked : Asked, optional

    Returns
    -------
    p_battery_kw : array, shape (n,)
        > 0 charges.
    q_tes_kw : array, shape (n,)
        Heat into the thermal stores [kW thermal], > 0 charges. The heat pump draws ``(heat_kw + q_tes_kw) / cop``.

    Raises
    ------
    InputError, InputErrors
        For an unknown scope, arrays that are not one value per home, values that are not finite, no heat demand (< 0)
        or no COP (<= 0).
    """
    asked = Asked() if asked is None else asked
    if scope not in SCOPES:
        raise InputError("self-consumption", "scope", scope, " or ".join(SCOPES))
    p_net_kw, room_kw, cop = net_and_room(step, stores, assets, asked.heat_cap)
    p_stores_kw = np.zeros((2, len(assets)))
    decide(p_net_kw, room_kw, scope == "region", asked.charge_from_grid, asked.station_cap_kw, asked.hold, p_stores_kw)
    return p_stores_kw[BATTERY], p_stores_kw[TES] * cop


def net_and_room(step: Step, stores: Stores, assets: BehindMeter, heat_cap: float = 1.0) -> tuple[Array, Array, Array]:
    """Net power with heat pumps and stores at rest (n,), room of the stores (4, n), both [kW electric]; COP (n,).

    Raises
    ------
    InputErrors
        As `serve_step`.
    """
    n = len(assets)
    cop = np.full(n, step.cop) if np.ndim(step.cop) == 0 else np.asarray(step.cop)
    columns = {
        "p_net_kw": (step.p_net_kw, -np.inf),
        "heat_kw": (step.heat_kw, 0.0),
        "cop": (cop, np.nextafter(0.0, 1.0)),
        "battery_kwh": (stores.battery_kwh, -np.inf),
        "tes_kwh": (stores.tes_kwh, -np.inf),
    }
    problems = [
        InputError("self-consumption", name, values.shape, f"finite values of {n} homes, heat >= 0 and COP > 0")
        for name, (values, least) in columns.items()
        if values.shape != (n,) or not (np.isfinite(values) & (values >= least)).all()
    ]
    if not step.step_h > 0 or not heat_cap >= 0:
        problems.append(
            InputError("self-consumption", "step_h, heat_cap", (step.step_h, heat_cap), "above 0; 0 or more")
        )
    if problems:
        raise InputErrors(problems)
    room_kw = np.empty((4, n))
    fill_room(
        stores.battery_kwh,
        stores.tes_kwh,
        assets.battery_kwh,
        assets.battery_kw,
        assets.tes_kwh,
        assets.hp_kw,
        step.heat_kw,
        cop,
        heat_cap,
        step.step_h,
        room_kw,
    )
    return step.p_net_kw + step.heat_kw / cop, room_kw, cop
