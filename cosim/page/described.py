"""What each control is called, how far it goes, and what the page says of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from cosim.page.control import Control
from cosim.page.homes import Sizes
from cosim.scenario import Scenario

__all__ = ["described"]

_MODES = ("closed-loop", "open-loop", "settled")
_SEEDS = 9_999


def described(choices: Mapping[str, tuple[str, ...]], sizes: Sizes, base: Scenario) -> dict[str, Control]:
    """The controls of a page in the order in which it shows them, by name.

    Parameters
    ----------
    choices : mapping of str to tuple of str
        Of the controls ``feeder``, ``rule``, ``other_rule``, ``tariff`` and ``day``.
    sizes : Sizes
        Of the scenario's homes; sliders go to twice as much at least.
    base : Scenario
        What the page begins with.
    """
    # A peak so far was metered under one tariff: with a charge on it, or on the day, another one begins anew.
    prices_live = not (base.tariff.demand_charges or base.tariff.fixed_per_day) and base.dso is None
    found = [
        Control("feeder", "Feeder", "choice", _FEEDER, choices=choices["feeder"]),
        Control("rule", "Rule", "choice", _RULE, choices=choices["rule"], live=True),
        Control("other_rule", "Beside it", "choice", _OTHER_RULE, choices=choices["other_rule"], live=True),
        Control("share_percent", "Share of prosumers", "number", _SHARE, unit="%", high=100, step=5),
        _size("pv_kwp", "PV", "kWp", _PV, sizes.pv_kwp, 20.0),
        _size("battery_kwh", "Battery", "kWh", _BATTERY, sizes.battery_kwh, 20.0),
        _size("inverter_factor", "Inverter", "kVA/kW", _INVERTER, sizes.inverter_factor, 3.0),
        Control("kappa", "Kappa", "number", _KAPPA, high=1, step=0.05, live=prices_live),
        Control("tariff", "Tariff", "choice", _TARIFF, choices=choices["tariff"], live=prices_live),
        Control("mode", "Measurement", "choice", _MODE, choices=_MODES),
        Control("day", "Day" if base.days == 1 else "First day", "choice", _DAY, choices=choices["day"]),
        Control("seed", "Seed", "number", _SEED, high=max(_SEEDS, base.seed)),
    ]
    return {control.name: control for control in found}


def _size(name: str, label: str, unit: str, text: str, mean: float, usual: float) -> Control:
    """A size around what the scenario has: finer steps where that is small, longer ways where it is large."""
    high, step = usual, usual / 200 if usual >= 20 else 0.05
    if mean > usual / 2:
        high = _round_up(2 * mean)
        step = high / 200
    elif 0 < mean < step:
        step = 10.0 ** math.floor(math.log10(mean))
    return Control(name, label, "number", text, unit=unit, high=high, step=step)


def _round_up(value: float) -> float:
    """The next of 1, 2 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1.0, 2.0, 5.0, 10.0, 20.0) if factor * power >= value)


_FEEDER = (
    "The wires. Another feeder gets as many homes per connection point as the scenario's own has, of the same sizes; "
    "on medium voltage (case33bw, mv-oberrhein, parametric-12kv) single homes move the voltage little."
)
_RULE = (
    "What the DSO asks of inverters by the voltage they measure. PRC: they must help, with active and reactive power. "
    "ANRC: they must not make it worse. Hybrid: active power as ANRC, reactive power as PRC. None: anything goes."
)
_OTHER_RULE = "A second rule on the same homes, the same day and the same seed, to be compared with the first."
_SHARE = (
    "How many of the scenario's homes are prosumers. The others only consume: the same load, but no PV, no battery, "
    "no inverter, no plan, and no rule to obey."
)
_PV = "PV of a home that has PV, on average. Moving it makes all homes' PV larger or smaller by one factor."
_BATTERY = "Battery of a home that has one, on average, charged and discharged at the same C-rate whatever its size."
_INVERTER = (
    "Rating of the inverters over the larger of the PV and battery power behind them. An inverter grows with what is "
    "behind it."
)
_KAPPA = "Selling over buying price: 1 pays for exports what imports cost, 0 pays nothing."
_TARIFF = (
    "The price of energy. Flat is 0.30 per kWh unless the scenario has a flat price of its own; day-night, "
    "evening-peak and working-day-peak are illustrative, the Ontario ones published; synthetic real-time is a seeded "
    "generator, not a measured price."
)
_MODE = (
    "The voltage that rules read. Closed-loop: of the control step before, as real inverters do. Open-loop: of a run "
    "without control, as published. Settled: rule and power flow exchanged until they agree."
)
_DAY = "Measured days of 2016: a week of each season, with its homes' loads and its sun."
_SEED = (
    "Draws the homes of a population and where they are, which homes are prosumers, and, when it is moved, the "
    "synthetic price. Same seed, same day."
)
