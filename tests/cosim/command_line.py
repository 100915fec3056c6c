"""Calling the command line from tests: in this process, and in one of its own."""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from cosim.commands import main

__all__ = ["COSIM", "Ended", "call", "start"]

COSIM = [sys.executable, "-c", "from cosim.commands import main; main()"]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def call(*args: object) -> Ended:
    """Run `cosim ARGS` in this process, through the entry point of the installed command."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    before = signal.getsignal(signal.SIGINT)
    try:
        with (
            patch.object(sys, "argv", ["cosim", *map(str, args)]),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        signal.signal(signal.SIGINT, before)
    return Ended(code, out.getvalue(), err.getvalue())


def start(*args: object, folder: Path) -> Ended:
    """Run `cosim ARGS` in a process of its own, in a folder, its output piped."""
    done = subprocess.run(
        [*COSIM, *map(str, args)],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)
