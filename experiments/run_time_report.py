"""Text, files and figure of the study of run times."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.figure import Figure

from cosim.plots import COLOURS, STYLES, save_figure

if TYPE_CHECKING:
    from experiments.run_time import Answer

__all__ = ["report", "sizes_figure", "write_answer"]

_SMALL, _LABEL = 7.5, 9.0
_BUSY = 0.25  # of a core's worth of load per core, from which on others were at work


def report(answer: Answer) -> str:
    """Where it was measured, published beside ours beside peers, and how a day grows."""
    return "\n".join([*_where(answer), "", *_beside(answer.table), "", *_growth(answer), "", *_first(answer)])


def write_answer(answer: Answer, folder: Path) -> None:
    """Write table.csv, sizes.csv, machine.json, report.md and the figure."""
    for name, table in {"table": answer.table, "sizes": answer.sizes}.items():
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")
    machine = {**answer.machine, "first_day_s": answer.first}
    (folder / "machine.json").write_text(json.dumps(machine, indent=2) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(f"# Run times\n\n{report(answer)}\n", encoding="utf-8")
    save_figure(sizes_figure(answer.sizes, _published_day(answer.table)), folder / "run-time.png")


def sizes_figure(sizes: pd.DataFrame, published_s: float) -> Figure:
    """Seconds of a day against the number of prosumers, ours by forecast and the peers'; the published day a star."""
    figure = Figure(figsize=(5.4, 3.8), layout="constrained")
    ax = figure.subplots()
    names = {"noisy": "ours, every plan made anew", "perfect": "ours, plans that come true are followed"}
    for index, (kind, rows) in enumerate(sizes.groupby("forecast", sort=False)):
        spread = [rows["seconds"] - rows["fastest"], rows["slowest"] - rows["seconds"]]
        ax.errorbar(
            rows["prosumers"],
            rows["seconds"],
            yerr=spread,
            color=COLOURS[index],
            linestyle=STYLES[index],
            marker="os"[index % 2],
            markersize=4,
            linewidth=1.0,
            capsize=2,
            label=names.get(str(kind), str(kind)),
        )
    peer = sizes.drop_duplicates("prosumers")
    style: dict[str, Any] = {
        "color": COLOURS[2],
        "linestyle": STYLES[2],
        "marker": "^",
        "markersize": 4,
        "linewidth": 1.0,
    }
    ax.plot(peer["prosumers"], peer["peer_s"], label="1440 runpp and 96 linprog each, scaled", **style)
    ax.plot([1], [published_s], "*", color=COLOURS[3], markersize=9, label="published, one house plans, four buses")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("prosumers on mv-oberrhein (179 buses)", fontsize=_LABEL)
    ax.set_ylabel("seconds for a day of 1440 minutes", fontsize=_LABEL)
    ax.tick_params(labelsize=_SMALL)
    ax.grid(color="0.9", linewidth=0.6)
    ax.legend(fontsize=_SMALL, frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return figure


def _published_day(table: pd.DataFrame) -> float:
    return float(table.loc[table["what"].str.startswith("a day"), "published_s"].iloc[0])


def _where(answer: Answer) -> Iterator[str]:
    m, s = answer.machine, answer.settings
    yield f"Measured on {m['processor']}, {m['cores']} cores, Python {m['python']}; medians of {s.repeats} repeats."
    if m["load"] is not None and m["load"] > _BUSY * m["cores"]:
        yield f"The load before it began was {m['load']:.1f}: others were at work, and times are longer than need be."
    yield "Published: HP, Intel i7 1.90 GHz, Matlab 2021a and MATPOWER, means of 10,000 runs: another machine, and "
    yield "another language. Only the peers' times, of the same run, compare with ours beyond an order of magnitude."
    yield "Published plans: 0.0168 s is read as that of all 96 of a day."


def _beside(table: pd.DataFrame) -> Iterator[str]:
    yield "| what | way | seconds | fastest .. slowest | published | published / this |"
    yield "|---|---|---:|---:|---:|---:|"
    for row in table.to_dict("records"):
        published = row["published_s"]
        known = published is not None and published == published
        beside = f"{published:g} | {published / row['seconds']:.3g}" if known else "- | -"
        spread = f"{row['fastest']:.3g} .. {row['slowest']:.3g}"
        yield f"| {row['what']} | {row['way']} | {row['seconds']:.3g} | {spread} | {beside} |"


def _growth(answer: Answer) -> Iterator[str]:
    yield "| prosumers | forecast | seconds a day | fastest .. slowest | ms per prosumer | peers' seconds | ratio |"
    yield "|---:|---|---:|---:|---:|---:|---:|"
    for row in answer.sizes.to_dict("records"):
        yield (
            f"| {row['prosumers']} | {row['forecast']} | {row['seconds']:.3g} | {row['fastest']:.3g} .. "
            f"{row['slowest']:.3g} | {row['ms_per_prosumer']:.3g} | {row['peer_s']:.3g} | "
            f"{row['peer_s'] / row['seconds']:.3g} |"
        )
    yield ""
    yield "Noisy: the forecast errs, and every plan is made anew. Perfect: a plan that came true is followed further."
    yield f"A day not lived within {answer.settings.seconds:g} s is scaled from the market steps that were."
    yield "Peers: 1440 times pandapower's runpp on this feeder and, for each prosumer, 96 times linprog with the "
    yield "published rows; both from a few, in this run."


def _first(answer: Answer) -> Iterator[str]:
    for name, found in answer.first.items():
        what = "with compiled code kept from earlier" if name == "kept" else "with nothing compiled before"
        yield (
            f"A new process, {what}: {found['start']:.3g} s to start and import, {found['first']:.3g} s for its first "
            f"four-bus day, {found['second']:.3g} s for the second."
        )
    if "from nothing" not in answer.first:
        yield "Compiling from nothing, once after each installation, is measured with --set compile_time=true."
