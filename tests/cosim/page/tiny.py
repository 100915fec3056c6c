"""A page that says when it comes and goes, for tests of what serves it."""

from __future__ import annotations

from collections.abc import Callable

import solara

from cosim.page import given

__all__ = ["Page"]


@solara.component
def Page() -> None:  # noqa: N802
    """A button that counts, and lines on standard output."""
    count, set_count = solara.use_state(0)

    def lived() -> Callable[[], None]:
        print("page opened", flush=True)
        return lambda: print("page closed", flush=True)

    solara.use_effect(lived, [])
    solara.Button(f"{given.scenario.name}: {count}", on_click=lambda: set_count(count + 1), classes=["tiny-button"])
