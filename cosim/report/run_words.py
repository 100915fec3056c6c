"""What was run, in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.prosumer import RULES
from cosim.data import TIMEZONE
from cosim.outcome import Run
from cosim.report.html import Html, element, pairs
from cosim.report.numbers import counted, fixed, listed
from cosim.scenario import Scenario

__all__ = ["failed_words", "feeder_name", "run_lead", "tariff_words"]

RULE_NAMES = {
    "none": "no inverter rule",
    "prc": "the rule PRC",
    "anrc": "the rule ANRC",
    "hybrid": "the hybrid rule",
    "ieee1547-b": "the curves of IEEE 1547, category B",
}
_MODES = {
    "closed-loop": "in closed loop",
    "open-loop": "in open loop",
    "settled": "settled within each control step",
}
_REFERENCES = {
    "uncontrolled": "nobody acts",
    "full-pv": "nobody acts and PV feeds in in full",
    "optimised": "all optimise",
}
_FORECASTS = {
    "perfect": "perfect: what is planned with is what comes",
    "persistence": "persistence: as the day before",
    "noisy": "noisy",
}


def run_lead(run: Run) -> Html:
    """One sentence on what was run, and the facts behind it."""
    scenario = run.scenario
    sentence = (
        f"{counted(len(run.prosumers), 'prosumer')} on the feeder {feeder_name(scenario)}, "
        f"{counted(scenario.days, 'day')} from {_first_day(scenario)}, under {_rule(scenario)} "
        f"{_MODES[scenario.mode]}, with {tariff_words(scenario).split(':')[0]}."
    )
    return Html(element("p", sentence, class_="lead") + pairs(list(_facts(run)), "facts"))


def failed_words(run: Run) -> Html | None:
    """That a run failed, when and why; nothing of one that did not."""
    if run.failure is None:
        return None
    planned = run.scenario.days * 24 * 60 // run.scenario.control_step_min
    return element(
        "div",
        element("p", element("strong", "This run failed."), " ", run.failure),
        element(
            "p",
            f"It lived {run.control_steps:,} of {planned:,} control steps. Part of a day is no day: there are no "
            "indices and no bills of it. What follows is what was recorded up to then.",
        ),
        class_="failed",
        role="note",
    )


def feeder_name(scenario: Scenario) -> str:
    """The name of a scenario's feeder, or of its file, wherever that lies."""
    return scenario.feeder.name or Path(scenario.feeder.file or "").name


def tariff_words(scenario: Scenario) -> str:
    """The tariff in a line, what it charges beside its prices too."""
    tariff = scenario.tariff
    words = [tariff.describe().replace(getattr(tariff, "file", None) or "\0", _file_name(tariff))]
    words += [f"selling at {fixed(100 * tariff.kappa, 0)} % of the buying price"] if tariff.kappa != 1.0 else []
    charges = [charge.name for charge in tariff.demand_charges]
    words += [f"demand charge {listed(charges)}"] if charges else []
    words += [f"{tariff.fixed_per_day:g} a day fixed"] if tariff.fixed_per_day else []
    return "; ".join(words)


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    scenario = run.scenario
    people = scenario.prosumers
    yield "Feeder", f"{feeder_name(scenario)}; power flow by {run.engine}"
    if people:
        serve = sum(p.optimise and p.strategy == "self-consumption" for p in people)
        parts = [
            f"{sum(p.optimise for p in people) - serve:,} plan",
            *([f"{serve:,} serve themselves"] if serve else []),
        ]
        parts += [f"{sum(p.pv_kwp > 0 for p in people):,} have PV"]
        parts += [f"{sum(p.battery_kwh > 0 for p in people):,} a battery"]
        parts += [
            f"{n:,} {what}"
            for field, what in (("ev_charger_kw", "a charger"), ("hp_kw", "a heat pump"), ("tes_kwh", "a heat store"))
            if (n := sum(getattr(p, field) > 0 for p in people))
        ]
        yield "Prosumers", f"{len(people):,}: {', '.join(parts)}"
    yield "Rule", "; ".join(_rules(scenario))
    yield "Voltages", _voltages(scenario)
    yield "Mode", _mode(scenario)
    yield "Prices", tariff_words(scenario)
    yield "Forecast", _FORECASTS[scenario.forecast.kind]
    if scenario.dso is not None:
        yield "Operator", f"rehearses each evening and publishes by the signal {scenario.dso.signal}"
    if scenario.relief is not None:
        yield "Relief", f"asks each evening for {', '.join(scenario.relief.measures)}"
    yield "Steps", f"plans every {scenario.market_step_min} min, rule and power flow every {_step(scenario)}"
    yield "Seed", str(scenario.seed)


def _rule(scenario: Scenario) -> str:
    return RULE_NAMES.get(scenario.rule, f"the rule {scenario.rule}")


def _rules(scenario: Scenario) -> Iterator[str]:
    rule = RULES.get(scenario.rule)
    words = (
        (rule.__doc__ or "").strip().splitlines()[0].rstrip(".").replace("`", "")
        if rule is not None and rule.__doc__
        else ""
    )
    yield f"{scenario.rule}: {words}" if words else scenario.rule
    own: dict[str, int] = {}
    for prosumer in scenario.prosumers:
        if prosumer.rule not in (None, scenario.rule):
            own[str(prosumer.rule)] = own.get(str(prosumer.rule), 0) + 1
    yield from (f"{name} instead for {counted(count, 'prosumer')}" for name, count in sorted(own.items()))


def _voltages(scenario: Scenario) -> str:
    band = scenario.voltage
    return f"limits {band.vm_min_pu:g} and {band.vm_max_pu:g} p.u.; dead band 1 ± {band.dead_pu:g} p.u."


def _mode(scenario: Scenario) -> str:
    if scenario.mode == "closed-loop":
        return f"closed loop: an inverter reads the voltage of the control step before, {_step(scenario)} ago"
    if scenario.mode == "open-loop":
        return f"open loop: inverters read the voltages of a run in which {_REFERENCES[scenario.open_loop_reference]}"
    return "settled: rule and power flow are repeated within each control step until they rest"


def _step(scenario: Scenario) -> str:
    return f"{scenario.control_step_min} min"


def _first_day(scenario: Scenario) -> str:
    start = scenario.start.astimezone(ZoneInfo(TIMEZONE))
    return f"{start:%A} {start.day} {start:%B %Y} {start:%H:%M} ({TIMEZONE})"


def _file_name(tariff: object) -> str:
    return Path(getattr(tariff, "file", None) or "").name
