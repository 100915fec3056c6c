"""The controls beside the pictures, and what of them waits for a reset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import reacton.ipyvuetify as v
import solara

from cosim.page.control import Control, Settings

__all__ = ["ControlPanel"]


@solara.component_vue("control.vue")
def _Control(  # noqa: N802
    name: str = "",
    label: str = "",
    unit: str = "",
    help: str = "",
    kind: str = "number",
    choices: list[str] = [],  # noqa: B006 - a trait's default
    low: float = 0.0,
    high: float = 1.0,
    step: float = 0.1,
    live: bool = False,
    value: Any = None,
    move: int = 0,
    again: int = 0,
    event_change: Callable[[Any], None] | None = None,
) -> None:
    """See control.vue."""


@solara.component
def ControlPanel(  # noqa: N802
    controls: Mapping[str, Control],
    settings: Settings,
    moves: Mapping[str, int],
    pending: tuple[str, ...],
    again: int,
    on_change: Callable[[Any], None],
    on_reset: Callable[[], None],
) -> None:
    """All controls, those that act at once before the others, and a notice of what waits for a reset.

    Parameters
    ----------
    controls : mapping of str to Control
    settings : Settings
        Where they stand.
    moves : mapping of str to int
        The last move of each control that these settings know of, as its browser counts them.
    pending : tuple of str
        Labels of what waits.
    again : int
        Counts changes that were refused: the controls go back to where they stood.
    on_change : callable
        Called with ``{"name": name, "value": value, "move": move}`` from the browser, which is not to be trusted.
    on_reset : callable
    """
    live = [control for control in controls.values() if control.live]
    rest = [control for control in controls.values() if not control.live]
    with v.Html(tag="aside", class_="cosim-controls", attributes={"aria-label": "Settings"}):
        with v.Html(tag="div", class_="cosim-controls-list"):
            for title, group in (("From the next step on", live), ("With the next reset", rest)):
                v.Html(tag="h2", class_="cosim-controls-title", children=[title])
                for control in group:
                    _One(control, getattr(settings, control.name), moves.get(control.name, 0), again, on_change)
        _Pending(pending, on_reset)


@solara.component
def _One(control: Control, value: Any, move: int, again: int, on_change: Callable[[Any], None]) -> None:  # noqa: N802
    _Control(
        name=control.name,
        label=control.label,
        unit=control.unit,
        help=control.help,
        kind=control.kind,
        choices=list(control.choices),
        low=control.low,
        high=control.high,
        step=control.step,
        live=control.live,
        value=value,
        move=move,
        again=again,
        event_change=on_change,
    )


@solara.component
def _Pending(pending: tuple[str, ...], on_reset: Callable[[], None]) -> None:  # noqa: N802
    """Always there, so that nothing moves when it has something to say."""
    some = bool(pending)
    with v.Html(tag="div", class_="cosim-foot cosim-foot-some" if some else "cosim-foot"):
        text = f"Waiting for reset: {', '.join(pending)}" if some else ""
        v.Html(tag="div", class_="cosim-pending", attributes={"role": "status"}, children=[text])
        button = v.Btn(small=True, depressed=True, color="#B45309", dark=True, children=["Reset now"])
        v.use_event(button, "click", lambda *_: on_reset())
