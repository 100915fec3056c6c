"""The system's own Chromium: where it is, how it is started, and what becomes of tests where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

__all__ = ["FLAGS", "MISSING", "PLACES", "browser_or_reason", "find_chromium", "started"]

PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium: install Debian's chromium, or name one in COSIM_CHROMIUM"

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-dev-shm-usage",  # containers have little of it
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # no other host is reached, by its number neither
)


def find_chromium(environ: Mapping[str, str], which: Callable[[str], str | None] = shutil.which) -> str | None:
    """The program to start: that of COSIM_CHROMIUM and no other if it is set, else the first that is installed."""
    named = environ.get("COSIM_CHROMIUM")
    if named:
        return which(named)
    return next(filter(None, map(which, (*PLACES, *NAMES))), None)


def browser_or_reason(environ: Mapping[str, str], which: Callable[[str], str | None] = shutil.which) -> str:
    """The program to start; without one the test is skipped, and fails where CI is set: there it has to run."""
    found = find_chromium(environ, which)
    if found is not None:
        return found
    if environ.get("CI"):
        pytest.fail(MISSING, pytrace=False)
    pytest.skip(MISSING)


@contextmanager
def started() -> Iterator[Browser]:
    """A headless browser.

    Playwright runs an event loop in the thread that holds it: one that lives for a module only leaves the
    tests of other modules theirs.
    """
    program = browser_or_reason(os.environ)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(Path(program)), headless=True, args=list(FLAGS))
        yield browser
        browser.close()
