"""What a child does before anything else: it sees to it that it ends with its parent, then loads what takes seconds.

Run by the path of this file, ``python -P cradle.py cosim.sweep.child PARENT``: nothing of the package comes before it.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys
from contextlib import suppress

__all__ = ["die_with_parent"]

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, be it in the middle of a long call into C."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library; the end of the input remains
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.name == "posix" and os.getppid() != parent:  # it ended before it was asked for
        os._exit(1)


if __name__ == "__main__":
    die_with_parent(int(sys.argv[2]))
    runpy.run_module(sys.argv[1], run_name="__main__")
