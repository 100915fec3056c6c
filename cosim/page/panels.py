"""What surrounds the pictures: the bar on top, key figures, log, messages."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import astuple
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd
import reacton.ipyvuetify as v
import solara

from cosim.page.player import PACES, Player

if TYPE_CHECKING:
    from cosim.page.live import LogEntry

__all__ = ["Bar", "KeyFigures", "Message", "RunLog", "log_html", "summary_html"]

_HEADS = {
    "rule": ("Rule", 0),
    "gain_kept_near_percent": ("Gain kept, near third (%)", 1),
    "gain_kept_far_percent": ("Gain kept, far third (%)", 1),
    "rule_cost_near": ("Rule costs a near home (currency)", 3),
    "rule_cost_far": ("Rule costs a far home (currency)", 3),
    "curtailed_kwh": ("Curtailed (kWh)", 1),
    "vm_min_pu": ("Lowest voltage (p.u.)", 4),
    "vm_max_pu": ("Highest voltage (p.u.)", 4),
    "minutes_beyond_limits": ("Beyond limits (min)", 0),
}
"""What a column of key figures is called, and its decimals."""


@solara.component
def Bar(player: Player, state: tuple[Any, ...], pace: str, on_pace: Callable[[Any], None]) -> None:  # noqa: N802
    """Title, clock and buttons.

    Parameters
    ----------
    player : Player
    state : tuple
        Clock, step, steps in all, whether it plays, whether it has finished, what it is busy with: of the frame shown.
    pace : str
        One of `PACES`.
    on_pace : callable
        Called with another one.
    """
    clock, step, n_steps, playing, finished, busy = state
    ready = n_steps > 0
    with v.Html(tag="header", class_="cosim-bar"):
        v.Html(tag="h1", class_="cosim-title", children=["Prosumers on a feeder"])
        with v.Html(tag="div", class_="cosim-clock", attributes={"role": "timer"}):
            v.Html(tag="span", class_="cosim-time", children=[clock or busy or "preparing the run"])
            v.Html(tag="span", class_="cosim-count", children=[f"step {step} of {n_steps}" if ready else ""])
        with v.Html(tag="div", class_="cosim-buttons"):
            _Button(
                "Pause" if playing else "Play",
                "mdi-pause" if playing else "mdi-play",
                "cosim-play",
                not ready or finished,
                player.pause if playing else player.play,
            )
            _Button("Step", "mdi-skip-next", "cosim-step", not ready or finished or playing, player.step)
            _Button("Reset", "mdi-restart", "cosim-reset", False, player.reset)
            v.Select(
                class_="cosim-pace",
                items=list(PACES),
                v_model=pace,
                on_v_model=on_pace,
                dense=True,
                outlined=True,
                dark=True,
                hide_details=True,
                attributes={"aria-label": "Speed"},
            )
        v.Html(
            tag="div",
            class_="cosim-progress cosim-progress-busy" if busy else "cosim-progress",
            style_="" if busy else f"width: {100 * step / n_steps if ready else 0:.2f}%",
        )


@solara.component
def _Button(text: str, icon: str, name: str, disabled: bool, on_click: Callable[[], None]) -> None:  # noqa: N802
    button = v.Btn(
        class_=f"cosim-button {name}",
        depressed=True,
        color="#1F6FA8",
        dark=True,
        disabled=disabled,
        children=[v.Icon(left=True, small=True, children=[icon]), text],
    )
    v.use_event(button, "click", lambda *_: on_click())


@solara.component
def Message(text: str, on_close: Callable[[], None]) -> None:  # noqa: N802
    """What went wrong, over the page's lower edge, so that nothing moves; empty and unseen when nothing did."""
    with v.Html(tag="div", class_="cosim-error" if text else "cosim-error cosim-none", attributes={"role": "alert"}):
        v.Html(tag="span", children=[text])
        button = v.Btn(icon=True, small=True, dark=True, children=["✕"], attributes={"aria-label": "Close"})
        v.use_event(button, "click", lambda *_: on_close())


@solara.component
def KeyFigures(html: str) -> None:  # noqa: N802
    """The table of `summary_html`."""
    solara.HTML(unsafe_innerHTML=html, classes=["cosim-summary"])


@solara.component
def RunLog(html: str) -> None:  # noqa: N802
    """The table of `log_html`."""
    solara.HTML(unsafe_innerHTML=html, classes=["cosim-log"])


def summary_html(table: pd.DataFrame | None) -> str:
    """Key figures as a table: a row for each side, a cell for each of `cosim.page.wallets.SUMMARY`, a dash for none."""
    if table is None:
        return ""
    heads = [_HEADS.get(name, (name, 2)) for name in table.columns]
    head = "".join(f"<th>{escape(text)}</th>" for text, _ in heads)
    rows = "".join(
        f"<tr>{''.join(_cell(value, digits) for value, (_, digits) in zip(row, heads, strict=True))}</tr>"
        for row in table.itertuples(index=False)
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def log_html(entries: Sequence[LogEntry]) -> str:
    """What happened, as given, as a table."""
    rows = "".join(
        f'<tr class="cosim-log-{escape(entry.kind)}">'
        + "".join(f"<td>{escape(str(cell))}</td>" for cell in astuple(entry))
        + "</tr>"
        for entry in entries
    )
    head = "".join(f"<th>{name}</th>" for name in ("Step", "Time", "Rule", "What", "Details"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(value: object, digits: int) -> str:
    if not isinstance(value, int | float):
        return f"<th>{escape(str(value))}</th>"
    return f"<td>{value:.{digits}f}</td>" if math.isfinite(value) else "<td>\N{EN DASH}</td>"
