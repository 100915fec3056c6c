"""What a scenario does that whoever runs it may not expect, in a line each."""

from __future__ import annotations

from cosim.scenario import Scenario

__all__ = ["scenario_notes"]


def scenario_notes(scenario: Scenario) -> list[str]:
    """Notes on a scenario whose prosumers have been drawn or read."""
    charged = [charge.name for charge in scenario.tariff.demand_charges if charge.price > 0]
    if not charged or scenario.dso is None or not any(prosumer.optimise for prosumer in scenario.prosumers):
        return []
    several = f"demand charges {', '.join(charged)} are" if len(charged) > 1 else f"demand charge {charged[0]} is"
    return [f"the {several} planned against and billed, but the operator's rehearsals count energy prices alone"]
