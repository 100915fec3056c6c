"""The page of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cosim.outcome import Run
from cosim.report.glossary import PROSUMERS, glossary
from cosim.report.html import Html
from cosim.report.making import again_section, file_section, run_command, versions_table
from cosim.report.page import Part, page
from cosim.report.run_figures import figure_section
from cosim.report.run_keys import key_section
from cosim.report.run_tables import bill_section, prosumer_section, rehearsal_section
from cosim.report.run_words import failed_words, run_lead

__all__ = ["run_page"]


def run_page(run: Run, manifest: Mapping[str, Any], folder: Path) -> str:
    """What a run came to, as HTML.

    Parameters
    ----------
    run : Run
        As it was read back.
    manifest : mapping
        Its own.
    folder : Path
        Where it is; its name is not in the page.
    """
    lead = Html(run_lead(run) + (failed_words(run) or ""))
    return page("Run of a scenario", run.scenario.name, lead, list(_parts(run, manifest, folder)))


def _parts(run: Run, manifest: Mapping[str, Any], folder: Path) -> Iterator[Part]:
    found: list[tuple[str, str, Html | None]] = [
        ("key", "Key figures", key_section(run)),
        ("prosumers", "Prosumers", prosumer_section(run)),
        ("figures", "Figures", figure_section(run, manifest)),
        ("bills", "Bills", bill_section(run)),
        ("operator", "Operator", rehearsal_section(run)),
        ("glossary", "Words", glossary(PROSUMERS)),
        ("scenario", "Scenario", _scenario(folder)),
        ("again", "Make it again", _again(manifest)),
    ]
    yield from ((place, title, part) for place, title, part in found if part is not None)


def _scenario(folder: Path) -> Html:
    text = (folder / "scenario.toml").read_text(encoding="utf-8")
    return file_section("scenario", "The scenario", "scenario.toml", text)


def _again(manifest: Mapping[str, Any]) -> Html:
    plugins = [str(plugin) for plugin in manifest.get("plugins", [])]
    command = run_command("scenario.toml", plugins, references=manifest.get("references", True) is not False)
    facts = [
        ("run", manifest.get("run_id")),
        ("finished at (UTC)", manifest.get("finished_at")),
        ("seconds it took", manifest.get("seconds")),
        ("power flow", manifest.get("engine")),
        ("code", manifest.get("code")),
    ]
    versions = versions_table(facts, manifest.get("versions", {}))
    return again_section("In the folder of this run", command, manifest, versions)
