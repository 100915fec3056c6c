"""What guards the tests of the page can fail: each kind of complaint is made once, and a missing browser is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.cosim.page.browser.chromium import MISSING, PLACES, browser_or_reason, find_chromium, started
from tests.cosim.page.browser.watched import Watch

PAGES = {
    "/quiet": "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>fine",
    "/elsewhere": "<script>fetch('http://192.0.2.1/spy').catch(() => 0)</script>",  # RFC 5737: nobody's address
    "/named": "<script>fetch('http://cdn.example/script.js').catch(() => 0)</script>",
    "/socket": "<script>new WebSocket('ws://192.0.2.1:8765/talk')</script>",
    "/missing": "<script>fetch('/no-such-file')</script>",
    "/console": "<script>console.warn('careful'); console.error('oh no')</script>",
    "/script": "<script>throw new Error('broken')</script>",
}
COMPLAINTS = {
    "/elsewhere": "asked elsewhere: http://192.0.2.1/spy",
    "/named": "asked elsewhere: http://cdn.example/script.js",
    "/socket": "asked elsewhere: ws://192.0.2.1:8765/talk",
    "/missing": "failed: 404 GET",
    "/console": "error: console: oh no",
    "/script": "error: script: ",
}


class Handler(BaseHTTPRequestHandler):
    """Serves `PAGES`."""

    def do_GET(self) -> None:
        text = PAGES.get(self.path)
        body = b"" if text is None else f"<!doctype html><link rel=icon href='data:,'>{text}".encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Be silent."""


def installed(*programs: str) -> Callable[[str], str | None]:
    """A `shutil.which` of a machine with these programs."""
    return lambda name: name if name in programs else None


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def host() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture
def watch(browser: Browser, host: str) -> Iterator[tuple[Watch, Page]]:
    watch, context = Watch(host), browser.new_context()
    watch.attach(context)
    yield watch, context.new_page()
    context.close()


def test_a_quiet_page_has_nothing_to_complain_of(watch: tuple[Watch, Page], host: str) -> None:
    seen, page = watch
    page.goto(f"http://{host}/quiet", wait_until="networkidle")
    assert seen.complaints() == []
    assert f"http://{host}/quiet" in seen.asked


@pytest.mark.parametrize(("path", "complaint"), COMPLAINTS.items())
def test_each_kind_of_trouble_is_told(watch: tuple[Watch, Page], host: str, path: str, complaint: str) -> None:
    seen, page = watch
    page.goto(f"http://{host}{path}")
    for _ in range(50):
        if any(text.startswith(complaint) for text in seen.complaints()):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"{complaint!r} is not among {seen.complaints()}")


def test_a_browser_is_looked_for_in_its_places() -> None:
    assert find_chromium({}, installed(PLACES[1])) == PLACES[1]
    assert find_chromium({}, installed("google-chrome")) == "google-chrome"
    assert find_chromium({}, installed()) is None


def test_a_browser_that_is_named_is_taken_and_no_other() -> None:
    here = installed("/my/browser", PLACES[0])
    assert find_chromium({"COSIM_CHROMIUM": "/my/browser"}, here) == "/my/browser"
    assert find_chromium({"COSIM_CHROMIUM": "/not/there"}, here) is None


def test_without_a_browser_tests_are_skipped_with_a_reason() -> None:
    with pytest.raises(pytest.skip.Exception, match=MISSING):
        browser_or_reason({}, installed())


def test_without_a_browser_tests_fail_in_continuous_integration() -> None:
    with pytest.raises(pytest.fail.Exception, match=MISSING):
        browser_or_reason({"CI": "true"}, installed())
