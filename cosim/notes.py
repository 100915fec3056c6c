"""What a scenario does that whoever runs it may not expect, in a line each."""

from __future__ import annotations

from cosim.scenario import Scenario

__all__ = ["scenario_notes"]


def scenario_notes(scenario: Scenario) -> list[str]:
    """Notes on a scenario whose prosumers have been drawn or read."""
    return [*_on_charges(scenario), *_on_devices(scenario)]


def _on_devices(scenario: Scenario) -> list[str]:
    people = scenario.prosumers
    idle = sum(p.tes_kwh > 0 and p.optimise and p.strategy == "arbitrage" for p in people)
    found = [f"hot-water storage of {idle} prosumers stays idle: their strategy is arbitrage"] if idle else []
    if scenario.relief is None:
        return found
    asked = {
        "cur-a": any(p.ev_charger_kw for p in people),
        "cur-b": any(p.hp_kw for p in people),
        **dict.fromkeys(("pro-a", "pro-b"), any(p.optimise and p.strategy == "self-consumption" for p in people)),
    }
    nobody = [name for name in scenario.relief.measures if not asked[name]]
    return found + ([f"relief by {', '.join(nobody)} has nobody to ask"] if nobody else [])


def _on_charges(scenario: Scenario) -> list[str]:
    charged = [charge.name for charge in scenario.tariff.demand_charges if charge.price > 0]
    if not charged or scenario.dso is None or not any(prosumer.optimise for prosumer in scenario.prosumers):
        return []
    several = f"demand charges {', '.join(charged)} are" if len(charged) > 1 else f"demand charge {charged[0]} is"
    return [f"the {several} planned against and billed, but the operator's rehearsals count energy prices alone"]
