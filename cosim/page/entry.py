"""What the server serves: ``Page`` and its ``Layout``."""

from __future__ import annotations

import solara

from cosim.page import given
from cosim.page.page import Explorer, Plain

__all__ = ["Layout", "Page"]

Layout = Plain


@solara.component
def Page() -> None:  # noqa: N802 - the name that Solara looks for
    """The page of the scenario that is served."""
    Explorer(given.scenario)
