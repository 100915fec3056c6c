"""What stands in front of the page: it lets in those who mean this page and come from it, and nobody else.

A server on 127.0.0.1 is within reach of every web site that is open in the same browser. So a request must name us
(else a site could point its own name at 127.0.0.1), come from our own page, ask for something that the page needs, and
know the token where there is one. All answers are refusals unless every check passes.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from cosim.page.answers import answer, with_headers
from cosim.page.messages import is_allowed

__all__ = ["CDN", "Guard", "cookie_name"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_log = logging.getLogger("cosim.page")

CDN = "/_solara/cdn/"
_FILE = r"(?!\.)[A-Za-z0-9_@.+-]+"  # no dot in front: neither hidden files nor a way up
_READ = re.compile(
    rf"/|/static/(?:assets/)?{_FILE}|/jupyter/nbextensions/(?:{_FILE}/)*{_FILE}|{CDN}(?:{_FILE}/)*{_FILE}"
)
_CLOSE = re.compile(r"/_solara/api/close/[A-Za-z0-9-]{1,64}")
_SOCKET = re.compile(r"/jupyter/api/kernels/([A-Za-z0-9-]{1,64})/channels")
_SESSION = re.compile(rb"(?:^|&)session_id=[A-Za-z0-9-]{1,64}(?:&|$)")
_PROXIES = (b"forwarded", b"script-name", b"x-script-name")  # no proxy is in front: who sends them makes them up


class _Refused(Exception):  # noqa: N818 - an answer, no failure
    def __init__(self, status: HTTPStatus, reason: str) -> None:
        self.status, self.reason = status, reason


class Guard:
    """An ASGI application around another one.

    Parameters
    ----------
    app : ASGI application
        Makes and runs the page.
    files : ASGI application
        Answers what begins with `CDN`, from files of this machine.
    names : collection of str
        Host headers that mean us, in lower case with the port.
    port : int
        Part of the cookie's name: browsers share cookies among the ports of a host.
    token : str or None
        What a visitor has to know: shown once in the first address, then kept in a cookie.
    has_room : callable
        Whether the session of a name may run; asked with ``""`` for a new one.
    """

    def __init__(
        self,
        app: App,
        files: App,
        names: Collection[str],
        port: int,
        token: str | None,
        has_room: Callable[[str], bool],
    ) -> None:
        self._app, self._files, self._names, self._token = app, files, names, token
        self._cookie, self._has_room = cookie_name(port), has_room

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        host = ""
        try:
            host = self._require_ours(scope)
            if await self._signed_in(scope, send):
                return
            self._require_known(scope)
        except _Refused as refused:
            await _refuse(scope, send, refused)
            return
        scope["headers"] = [each for each in scope["headers"] if not _of_a_proxy(each[0])]
        if scope["type"] == "websocket":
            await self._converse(scope, receive, send)
        else:
            await self._serve(scope, receive, with_headers(send, host))

    def _require_ours(self, scope: Scope) -> str:
        """Refuse those who do not mean us or come from elsewhere; the host they call us by."""
        host = (_only(scope, b"host") or "").lower()
        if host not in self._names:
            raise _Refused(HTTPStatus.FORBIDDEN, "this server has another name")
        origin = _only(scope, b"origin")
        if origin is None and scope["type"] == "websocket":
            raise _Refused(HTTPStatus.FORBIDDEN, "no page asks for this")
        if origin is not None and origin.lower() != f"http://{host}":
            raise _Refused(HTTPStatus.FORBIDDEN, "another page asks for this")
        if _only(scope, b"sec-fetch-site") not in (None, "same-origin", "none"):
            raise _Refused(HTTPStatus.FORBIDDEN, "another page asks for this; copy the address into the address bar")
        return host

    async def _signed_in(self, scope: Scope, send: Send) -> bool:
        """Refuse those who do not know the token; whether they have just shown it and have been sent on."""
        if self._token is None:
            return False
        if scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET":
            shown = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("token", [])
            if len(shown) == 1 and self._is_token(shown[0]):
                kept = f"{self._cookie}={self._token}; Path=/; HttpOnly; SameSite=Strict"
                await answer(send, HTTPStatus.SEE_OTHER, "", [(b"location", b"/"), (b"set-cookie", kept.encode())])
                return True
        if not any(self._is_token(each) for each in _cookies(scope, self._cookie)):
            raise _Refused(HTTPStatus.FORBIDDEN, "open the address with the token that was printed at the start")
        return False

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode("utf-8", "replace"), str(self._token).encode())

    def _require_known(self, scope: Scope) -> None:
        """Refuse what the page never asks for, and one page too many."""
        path = scope["path"]
        if scope["type"] == "websocket":
            kernel = _SOCKET.fullmatch(path)
            if kernel is None or not _SESSION.search(scope.get("query_string", b"")):
                raise _Refused(HTTPStatus.NOT_FOUND, "not here")
            self._require_room(kernel[1])
        elif _CLOSE.fullmatch(path):
            if scope["method"] != "POST" or not _SESSION.search(scope.get("query_string", b"")):
                raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "not in this way")
        elif not _READ.fullmatch(path):
            raise _Refused(HTTPStatus.NOT_FOUND, "not here")
        elif scope["method"] not in ("GET", "HEAD"):
            raise _Refused(HTTPStatus.METHOD_NOT_ALLOWED, "not in this way")
        elif path == "/":
            self._require_room("")

    def _require_room(self, session: str) -> None:
        if not self._has_room(session):
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "too many pages are open; close one and try again")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await (self._files if scope["path"].startswith(CDN) else self._app)(scope, receive, send)
        except Exception as error:
            _log.warning("an answer of the page failed: %s: %s", type(error).__name__, error)

    async def _converse(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on the messages that the page sends; drop others, and say so once for each connection."""
        warned = False

        async def looked_at() -> Message:
            nonlocal warned
            while True:
                message = await receive()
                if message["type"] != "websocket.receive" or is_allowed(message.get("text")):
                    return message
                if not warned:
                    _log.warning("a message that no control of the page sends was dropped")
                warned = True

        try:
            await self._app(scope, looked_at, send)
        except Exception as error:
            _log.warning("a connection of the page ended: %s: %s", type(error).__name__, error)


def cookie_name(port: int) -> str:
    """Name of the cookie that keeps the token."""
    return f"cosim-{port}"


async def _refuse(scope: Scope, send: Send, refused: _Refused) -> None:
    _log.info("refused %s %s: %s", scope["type"], scope["path"], refused.reason)
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it was accepted: the handshake gets a 403
    else:
        await answer(send, refused.status, refused.reason)


def _only(scope: Scope, name: bytes) -> str | None:
    """The value of a header, None if it was not sent; it must not be sent twice."""
    found = [value for each, value in scope["headers"] if each.lower() == name]
    if len(found) > 1:
        raise _Refused(HTTPStatus.FORBIDDEN, "a header came twice")
    return found[0].decode("latin-1") if found else None


def _cookies(scope: Scope, name: str) -> list[str]:
    """All values of a cookie: one set for a narrower path comes first, whoever set it."""
    sent = ";".join(value.decode("latin-1") for each, value in scope["headers"] if each.lower() == b"cookie")
    pairs = (pair.strip().partition("=") for pair in sent.split(";"))
    return [value for key, _, value in pairs if key == name]


def _of_a_proxy(name: bytes) -> bool:
    return name.lower() in _PROXIES or name.lower().startswith(b"x-forwarded-")
