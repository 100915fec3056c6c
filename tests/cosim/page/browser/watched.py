"""All that a page asks for and complains about, so that a test can demand that there was nothing of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError, WebSocket

__all__ = ["Watch"]

OWN = ("data", "blob", "about")
"""Schemes of what never leaves the page."""


@dataclass
class Watch:
    """What pages of a context asked for, and their complaints.

    Attributes
    ----------
    host : str
        The only host with its port that may be asked, e.g. ``127.0.0.1:8765``.
    asked : list of str
        Every address asked for, of websockets too.
    foreign, failed, errors : list of str
        Addresses elsewhere; answers from 400 on and requests without one; errors of the console and of scripts.
    """

    host: str
    asked: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        """Watch all pages of a context, those to come too."""
        context.on("request", self._request)
        context.on("response", self._response)
        context.on("requestfailed", self._failure)
        context.on("console", self._console)
        context.on("weberror", self._script)
        context.on("page", self._page)

    def complaints(self) -> list[str]:
        """One line each of all that must not be."""
        kinds = {"asked elsewhere": self.foreign, "failed": self.failed, "error": self.errors}
        return [f"{kind}: {text}" for kind, texts in kinds.items() for text in texts]

    def _is_foreign(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme not in OWN and parts.netloc != self.host

    def _note(self, url: str) -> None:
        self.asked.append(url)
        if self._is_foreign(url):
            self.foreign.append(url)

    def _request(self, request: Request) -> None:
        self._note(request.url)

    def _page(self, page: Page) -> None:
        page.on("websocket", self._websocket)

    def _websocket(self, socket: WebSocket) -> None:
        self._note(socket.url)
        socket.on("socketerror", lambda error: self.failed.append(f"{socket.url}: {error}"))

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.request.method} {response.url}")

    def _failure(self, request: Request) -> None:
        # A page that is closed or loaded anew drops what it waits for.
        if request.failure != "net::ERR_ABORTED":
            self.failed.append(f"{request.failure} {request.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"console: {message.text}")

    def _script(self, error: WebError) -> None:
        self.errors.append(f"script: {error.error}")
