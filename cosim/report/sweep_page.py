"""The page of a sweep, as far as it is."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pandas as pd

from cosim.compare.fields import varying
from cosim.report.glossary import COMPARISON, PROSUMERS, glossary
from cosim.report.html import Html, element
from cosim.report.making import again_section, file_section, versions_table
from cosim.report.numbers import counted, listed
from cosim.report.page import Part, page
from cosim.report.sweep_comparison import comparison_section
from cosim.report.sweep_tables import design_section, failure_section, fields_of, status_section
from cosim.sweep import Sweep

__all__ = ["sweep_page"]


def sweep_page(sweep: Sweep) -> str:
    """What a sweep came to, or how far it is, as HTML."""
    failures = sweep.failures
    return page("Sweep over scenarios", str(sweep.manifest["name"]), _lead(sweep), list(_parts(sweep, failures)))


def _parts(sweep: Sweep, failures: pd.DataFrame) -> Iterator[Part]:
    found: list[tuple[str, str, Html | None]] = [
        ("status", "Status", status_section(sweep, failures)),
        ("design", "Design", design_section(sweep.plan)),
        ("failures", "Failures", failure_section(sweep, failures)),
        ("comparison", "Comparison", comparison_section(sweep, failures)),
        ("glossary", "Words", glossary(COMPARISON, PROSUMERS[:6])),
        ("file", "Sweep file", _file(sweep)),
        ("again", "Make it again", _again(sweep)),
    ]
    yield from ((place, title, part) for place, title, part in found if part is not None)


def _lead(sweep: Sweep) -> Html:
    """One sentence on what is run."""
    plan = sweep.plan
    axes = [
        counted(int(plan[name].nunique(dropna=False)), "value") + f" of {name}"
        for name in varying(plan, fields_of(plan))
    ]
    seeds = plan["seed"].nunique()
    axes += [counted(int(seeds), "seed")] if seeds > 1 else []
    over = f": {listed(axes)}" if axes else ""
    always = "" if sweep.manifest["references"] else " Runs are not compared with runs without rules and optimisation."
    feeders = listed((str(name) for name in plan["feeder.name"].drop_duplicates()), 4)
    days = plan["days"].drop_duplicates().tolist()
    each = counted(int(days[0]), "day") if len(days) == 1 else f"{min(days)} to {max(days)} days"
    return element("p", f"{counted(len(plan), 'run')} of {each} on {feeders}{over}.{always}", class_="lead")


def _file(sweep: Sweep) -> Html:
    text = (sweep.folder / "sweep.toml").read_text(encoding="utf-8")
    return file_section("file", "The sweep and its scenario", "sweep.toml", text)


def _again(sweep: Sweep) -> Html:
    manifest = sweep.manifest
    facts = [("code", manifest.get("code")), ("plan (SHA-256)", manifest.get("plan"))]
    facts += [("plugin", plugin) for plugin in manifest.get("plugins", [])]
    plugins = "".join(f" --plugin {shlex.quote(str(plugin))}" for plugin in manifest.get("plugins", []))
    versions = versions_table(facts, manifest.get("libraries", {}))
    where = "In the folder of this sweep"
    return again_section(where, f"cosim sweep sweep.toml{plugins} --out NEW_DIR", manifest, versions)
