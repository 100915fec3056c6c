"""What a coordinated dispatch aims for, and how it is solved."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DispatchSettings", "Weights"]


@dataclass(frozen=True)
class Weights:
    """Weights of the objective's terms, in currency, so that they can be read beside the price of import.

    The terms are Nair et al.'s (ACOPF for the dynamic case); the source gives no weights, these are chosen here: energy
    that is lost or curtailed dear, wear cheap, so that prices decide among what is free of both.

    Attributes
    ----------
    curtailment : float
        Per kWh of PV curtailed.
    losses : float
        Per kWh lost in the grid.
    sunny_charging : float
        Reward per kWh that batteries and cars charge, times the share of PV that the sun allows then.
    discomfort : float
        Per K and h off the set-point, of each room.
    hp_cycling : float
        Per kW that a heat pump's power changes from step to step.
    battery_cycling, ev_cycling : float
        Per kWh charged or discharged.
    ev_tracking : float
        Per kWh that a car's battery is short of its target, at each step in which it is at home.
    import_price : float
        Factor on the price of import.
    """

    curtailment: float = 1.0
    losses: float = 0.1
    sunny_charging: float = 0.005
    discomfort: float = 0.02
    hp_cycling: float = 0.001
    battery_cycling: float = 0.01
    ev_cycling: float = 0.01
    ev_tracking: float = 0.001
    import_price: float = 1.0


@dataclass(frozen=True)
class DispatchSettings:
    """How a dispatch is solved.

    Attributes
    ----------
    weights : Weights
    curtailable : bool
        Whether PV may be curtailed at all; hosting capacity means that it is not.
    exclusive : bool
        Whether charging and discharging at once is ruled out where a solution does it.
    passes : int
        Most rounds of program and AC power flow.
    agree_pu : float
        Rounds end when the AC power flow finds nothing outside and its voltages are those of the program within this
        [p.u.],
    gap : float
        or it finds nothing outside and the operation costs at most this share more than the program's bound. Where no
        round gets there the best one counts.
        At 1 or more any confirmed dispatch will do, and losses have no price: prices of nodes then lack theirs.
    sides : int
        Of the polygon within the circle of rated current or power.
    reserve_pu : float
        Kept free of each voltage limit in the program, as the AC power flow judges [p.u.].
    """

    weights: Weights = Weights()
    curtailable: bool = True
    exclusive: bool = True
    passes: int = 6
    agree_pu: float = 1e-6
    gap: float = 1e-3
    sides: int = 24
    reserve_pu: float = 0.0
