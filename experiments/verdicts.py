"""What was published beside what comes out here, as studies print it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["Claim", "claims_table"]


class Claim(NamedTuple):
    """A published claim.

    Attributes
    ----------
    what : str
        What is claimed, or measured.
    published, ours : str
        The published figure and ours, with units.
    holds : bool, optional
        Whether it comes out here; None for in part.
    """

    what: str
    published: str
    ours: str
    holds: bool | None


_WORDS = {True: "comes out", False: "does not", None: "in part"}


def claims_table(claims: Iterable[Claim]) -> Iterator[str]:
    """The lines of a Markdown table, one per claim."""
    yield "| claim | published | ours | |"
    yield "|---|---|---|---|"
    for claim in claims:
        yield f"| {claim.what} | {claim.published} | {claim.ours} | {_WORDS[claim.holds]} |"
