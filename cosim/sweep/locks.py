"""Who may work in the folder of a sweep: one process, or several that have a share of its runs each."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path

from cosim.locks import LockedError, locked
from feeders.errors import CosimError, InputError

__all__ = ["OccupiedError", "check_shard", "others_at_work", "setting_up", "take"]

Shard = tuple[int, int]

_SETTING_UP_S = 600.0  # longer than it takes to look at many runs or to write their table


class OccupiedError(CosimError):
    """A folder in which another sweep works."""


def check_shard(shard: Shard | None) -> None:
    """Refuse a share that is none.

    Raises
    ------
    InputError
    """
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise InputError("--shard", "k/n", f"{shard[0]}/{shard[1]}", "k from 1 to n, e.g. 2/8")


def setting_up(folder: Path, stack: ExitStack) -> None:
    """Keep other shards from changing what all share, until `stack` is closed; wait for them if need be.

    Raises
    ------
    OccupiedError
    """
    try:
        stack.enter_context(locked(folder / "lock-set-up", wait_s=_SETTING_UP_S))
    except LockedError as error:
        raise OccupiedError(f"{folder}: still being set up by {error.holder}") from None


def take(folder: Path, shard: Shard | None, stack: ExitStack) -> bool:
    """Take the folder, all of it or a shard's share, until `stack` is closed; `setting_up` must be held.

    Gives whether that keeps others out: not where the file system has no locks.

    A whole sweep holds ``lock`` alone. Shards hold it together, and each its own; their number is the same for all
    that work at once, so that no run is in the share of two.

    Raises
    ------
    OccupiedError
        When somebody works there whom this would meet; says who.
    """
    try:
        sure = stack.enter_context(locked(folder / "lock", shared=shard is not None))
        for (k, n), holder in others_at_work(folder, shard).items():
            if shard is not None and n != shard[1]:
                raise OccupiedError(
                    f"{folder}: shard {k}/{n} works here ({holder}); shards that work at once are of the same number, "
                    f"not /{shard[1]}"
                )
        if shard is not None:
            stack.enter_context(locked(folder / _name(shard)))
    except LockedError as error:
        shards = others_at_work(folder, None).items() if shard is None else ()
        who = ", ".join(f"{holder} (shard {k}/{n})" for (k, n), holder in shards) or error.holder
        raise OccupiedError(f"{folder}: another sweep works here: {who}") from None
    return sure


def others_at_work(folder: Path, shard: Shard | None) -> dict[Shard, str]:
    """Shards other than this one that are held now, with their holders; `setting_up` must be held."""
    found = {}
    for path in sorted(folder.glob("lock-*-of-*")):
        _, k, _, n = path.name.split("-")
        if (int(k), int(n)) != shard:
            with suppress(FileNotFoundError):
                try:
                    with locked(path, shared=True):
                        pass
                except LockedError as error:
                    found[int(k), int(n)] = error.holder
    return found


def _name(shard: Shard) -> str:
    return f"lock-{shard[0]}-of-{shard[1]}"
