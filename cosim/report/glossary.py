"""What the indices mean, in a line or two each."""

from __future__ import annotations

from collections.abc import Sequence

from cosim.report.html import Html, element, pairs, section

__all__ = ["COMPARISON", "PROSUMERS", "glossary"]

Terms = Sequence[tuple[str, str]]

PROSUMERS: Terms = (
    (
        "Cost (currency)",
        "The whole bill of the run: energy bought less energy sold, demand charges, fixed charge. Above zero it is "
        "paid, below zero earned.",
    ),
    (
        "Gain (currency)",
        "Cost without optimisation less cost: what planning battery and flexible load saves under the rule. Below "
        "zero the rule costs more than planning ever saved.",
    ),
    (
        "Gain kept (%)",
        "Share of that gain, as it would be without any rule, that is left under the rule. 100 %: the rule takes "
        "nothing. Below zero: it takes more than all of it. Nobody has one whose planning saves nothing.",
    ),
    (
        "LCG (%), loss of consumer gain",
        "Rise of the cost over that without any rule, relative to its size. Above zero the rule costs something. "
        "A cost near zero makes the percentage large and of little meaning: gain kept is then the index to read.",
    ),
    (
        "Curtailed energy (kWh), TCE",
        "Total curtailed energy: what the sun offered and the inverter had to spill.",
    ),
    (
        "CVC (p.u.), cumulative voltage correction",
        "Sum over all control steps of how far the voltage is beyond the permissible deviation (the dead band). Zero: "
        "never beyond it.",
    ),
    (
        "Beyond the limits (min)",
        "Time with the voltage above the upper or below the lower limit of the scenario, which is not the dead band.",
    ),
    (
        "Turned back",
        "Control steps at which the voltage went back by more than 0.001 p.u. after moving as much: inverters that "
        "overshoot and swing to and fro, called hunting.",
    ),
    (
        "Steps not ok",
        "Control steps in which a prosumer could not reach what the rule permits (range missed), could make no new "
        "plan and kept the last one (plan kept), did not come to rest (not settled), or followed a plan that was left "
        "to the general solver, as with prices below zero (LP fallback, which is as good a plan).",
    ),
    (
        "Electrical distance (ohm)",
        "Impedance between the bus and the source: the farther, the more its voltage moves with its power.",
    ),
)

COMPARISON: Terms = (
    ("Head less end (% points)", "Mean gain kept of the electrically nearest tenth less that of the farthest tenth."),
    ("Worst tenth (%)", "Mean gain kept of the tenth of the prosumers that keeps least."),
    (
        "Gini, Jain",
        "How unevenly gain kept is spread. Gini: 0 where all keep the same; Jain: 1 where all keep the same.",
    ),
    ("Gain lost (%)", "What the rule takes from all together, of what optimisation would have saved them."),
    ("CVC cut (%)", "How far the sum of all CVC is below that of the same case without a rule."),
)


def glossary(*terms: Terms) -> Html:
    """The section that explains them."""
    items = [(element("dfn", name), text) for some in terms for name, text in some]
    signs = element(
        "p",
        "Signs: active power is above zero where it is consumed or imported, below where it is exported; a battery's "
        "is above zero while it charges; an inverter's reactive power is above zero where it is injected. Voltages are "
        "in per unit (p.u.) of the nominal voltage. Money is in the currency of the tariff.",
    )
    return section("glossary", "What the words mean", pairs(items, "terms"), signs)
