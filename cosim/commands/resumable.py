"""How commands end whose work goes on from where it was: what to type to go on, and the exit code."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from cosim.sweep import SweepInterrupted, SweepStopped

__all__ = ["resumable"]

_SAID_ONCE = ("--resume", "--renew", "--retry-failed")


@contextmanager
def resumable() -> Iterator[None]:
    """Say how to go on where a sweep could not, exit code 1, or was interrupted, 130."""
    try:
        yield
    except SweepStopped as error:
        typer.echo(f"stopped: {error}; to go on: {_again()}", err=True)
        raise typer.Exit(1) from None
    except SweepInterrupted as error:
        typer.echo(f"{error}; to go on: {_again()}", err=True)
        raise typer.Exit(130) from None


def _again() -> str:
    """The command that goes on with what this one began."""
    given = [word for word in sys.argv[1:] if word not in _SAID_ONCE]
    return shlex.join(["cosim", *given, "--resume"])
