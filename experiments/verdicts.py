"""What must hold, what was measured, and what was published beside what comes out here, as studies print it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Claim", "Timing", "Verdict", "claims_table", "verdict_lines"]


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


class Verdict(NamedTuple):
    """Something that must hold, whether it does in every draw, and the numbers."""

    what: str
    holds: bool
    numbers: str


@dataclass(frozen=True)
class Timing:
    """A line of the study's log: what was measured, and what is asked of it.

    Attributes
    ----------
    what : str
    value : float
    limit : float, optional
        What it must stay below.
    unit : str
        Seconds by default.
    """

    what: str
    value: float
    limit: float | None = None
    unit: str = "s"

    @property
    def holds(self) -> bool:
        """Whether it is below its limit, if there is one."""
        return self.limit is None or self.value < self.limit


_WORDS = {True: "comes out", False: "does not", None: "in part"}


def claims_table(claims: Iterable[Claim]) -> Iterator[str]:
    """The lines of a Markdown table, one per claim."""
    yield "| claim | published | ours | |"
    yield "|---|---|---|---|"
    for claim in claims:
        yield f"| {claim.what} | {claim.published} | {claim.ours} | {_WORDS[claim.holds]} |"


def verdict_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """One line each, PASS or FAIL first."""
    for verdict in verdicts:
        yield f"- {'PASS' if verdict.holds else 'FAIL'}: {verdict.what}: {verdict.numbers}"
