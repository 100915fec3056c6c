"""The page: controls, the maps of one or two rules side by side, key figures, and what lies behind them in tabs.

Each browser's page has a player of its own, which ends with it.
"""

from __future__ import annotations

from pathlib import Path

import reacton.ipyvuetify as v
import solara

from cosim.page.control_panel import ControlPanel
from cosim.page.frame import Frame
from cosim.page.panels import Bar, KeyFigures, Message, RunLog, log_html, summary_html
from cosim.page.picture_box import PictureBox
from cosim.page.player import TABS
from cosim.page.session import Session, Shown
from cosim.page.views import size_of
from cosim.scenario import Scenario

__all__ = ["Explorer", "Plain"]

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
_TAB_TITLES = {
    "profile": "Voltage along the feeder",
    "home": "One prosumer",
    "wallets": "Wallets",
    "log": "Log",
}


@solara.component
def Plain(children: list[solara.Element] = []) -> None:  # noqa: B006, N802 - as Solara calls a layout
    """A layout that adds nothing: the page has its own bars."""
    with v.Html(tag="div", class_="cosim-root"):
        for child in children:
            solara.display(child)


@solara.component
def Explorer(base: Scenario) -> None:  # noqa: N802
    """The whole page, for runs around a scenario."""
    session = solara.use_memo(lambda: Session(base), [])
    solara.use_effect(session.live, [])  # its cleanup runs when the tab is closed
    frame, shown = session.frame.value, session.shown.value
    player = session.player
    solara.Style(_STYLE)
    with v.Html(tag="div", class_="cosim-page"):
        state = (frame.clock, frame.step, frame.n_steps, frame.playing, frame.finished, frame.busy)
        Bar(player, state, shown.pace, session.on_pace)
        ControlPanel(
            session.board.controls,
            shown.settings,
            shown.moves,
            frame.pending,
            shown.again,
            session.on_change,
            player.reset,
        )
        with v.Html(tag="main", class_="cosim-main"):
            _Maps(session, frame)
            KeyFigures(summary_html(frame.summary))
            _Tabs(session, frame, shown)
        Message(session.message(frame, shown), session.on_close)


@solara.component
def _Maps(session: Session, frame: Frame) -> None:  # noqa: N802
    labels = frame.labels or ("\N{NO-BREAK SPACE}",) * (2 if frame.settings.other_rule else 1)
    with v.Html(tag="section", class_=f"cosim-maps cosim-maps-{len(labels)}"):
        for side, label in enumerate(labels):
            name = f"map-{side}"
            with v.Html(tag="div", class_="cosim-map").key(f"side-{side}"):
                v.Html(tag="h2", class_=f"cosim-side cosim-side-{side}", children=[label])
                PictureBox(
                    name,
                    frame.pictures.get(name),
                    size_of(name, len(labels)),
                    frame.chosen,
                    frame.busy or (frame.error and "no run"),
                    session.on_choose,
                    session.on_size if side == 0 else None,
                )
        with v.Html(tag="div", class_="cosim-scale").key("scale"):
            v.Html(tag="h2", class_="cosim-side", children=[" "])
            PictureBox("scale", frame.pictures.get("scale"), size_of("scale", len(labels)))
    PictureBox("key", frame.pictures.get("key"), size_of("key", len(labels)))


@solara.component
def _Tabs(session: Session, frame: Frame, shown: Shown) -> None:  # noqa: N802
    with v.Html(tag="section", class_="cosim-tabs"):
        with v.Html(tag="div", class_="cosim-tab-row"):
            _TabRow(shown.tab, session)
            _Chooser(frame.prosumers, frame.chosen, session)
        with v.Html(tag="div", class_="cosim-tab-panel"):
            if shown.tab == "log":
                RunLog(log_html(frame.log)).key("log")
            else:
                PictureBox(
                    shown.tab,
                    frame.pictures.get(shown.tab),
                    size_of(shown.tab, 1),
                    waiting=frame.busy,
                ).key(shown.tab)


@solara.component
def _TabRow(tab: str, session: Session) -> None:  # noqa: N802
    v.Tabs(
        v_model=TABS.index(tab),
        on_v_model=session.on_tab,
        height=36,
        children=[v.Tab(class_=f"cosim-tab-{name}", children=[_TAB_TITLES[name]]) for name in TABS],
    )


@solara.component
def _Chooser(prosumers: tuple[str, ...], chosen: str, session: Session) -> None:  # noqa: N802
    v.Autocomplete(
        class_="cosim-chooser",
        items=list(prosumers),
        v_model=chosen or None,
        on_v_model=session.on_choose,
        label="Prosumer",
        dense=True,
        outlined=True,
        hide_details=True,
    )
