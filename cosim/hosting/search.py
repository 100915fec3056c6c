"""How a hosting capacity is searched for, where its file says so."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cosim.strict import Strict

__all__ = ["Search"]


class Search(Strict):
    """Modes of operation that are asked for, and how; see `cosim.hosting.find.find`."""

    modes: Annotated[tuple[Literal["static", "dynamic"], ...], Field(strict=False, min_length=1)] = (
        "static",
        "dynamic",
    )
    method: Literal["stepping", "one-shot"] = "one-shot"
