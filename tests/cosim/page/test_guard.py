"""Who is let in: each request goes straight into the guard, without a network, and an inner application counts."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.page.guard import CDN, Guard

NAMES = {"127.0.0.1:8765", "localhost:8765", "[::1]:8765"}
OURS = "http://127.0.0.1:8765"
TOKEN = "correct-horse-battery"
SOCKET = "/jupyter/api/kernels/k-1/channels"
QUERY = "session_id=p-1"


@dataclass
class Inner:
    """An application that answers everything, and remembers what it was asked and told."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)
    cookie: bytes = b""
    fails: bool = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append(dict(scope))
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            while (message := await receive())["type"] != "websocket.disconnect":
                self.told.append(message)
        if self.fails:
            raise KeyError("secret")
        if scope["type"] == "http":
            headers = [(b"content-type", b"text/html")] + ([(b"set-cookie", self.cookie)] if self.cookie else [])
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"page"})


@dataclass
class Door:
    """A guard, and those behind it."""

    token: str | None = None
    room: bool = True
    inner: Inner = field(default_factory=Inner)
    files: Inner = field(default_factory=Inner)

    def ask(self, path: str = "/", *, kind: str = "http", method: str = "GET", **more: Any) -> list[dict[str, Any]]:
        """All that is sent as an answer; ``headers`` are pairs of text, ``without`` leaves out usual ones."""
        sent: list[dict[str, Any]] = []
        usual = {"host": "127.0.0.1:8765"} | ({"origin": OURS} if kind == "websocket" else {})
        usual = {name: value for name, value in usual.items() if name not in more.get("without", ())}
        pairs = [*usual.items(), *more.get("headers", [])]
        incoming = [*more.get("incoming", []), {"type": "websocket.disconnect", "code": 1000}]
        scope = {
            "type": kind,
            "scheme": "ws" if kind == "websocket" else "http",
            "path": path,
            "query_string": more.get("query", QUERY).encode(),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
        }
        if kind == "http":
            scope["method"] = method

        async def receive() -> Any:
            return incoming.pop(0)

        async def send(message: Any) -> None:
            sent.append(message)

        guard = Guard(self.inner, self.files, NAMES, 8765, self.token, lambda _: self.room)
        asyncio.run(guard(scope, receive, send))
        return sent

    def status(self, path: str = "/", **more: Any) -> int:
        """The status of a request, and whether it reached anyone behind the guard agrees with it."""
        before = len(self.inner.asked) + len(self.files.asked)
        status = int(self.ask(path, **more)[0]["status"])
        assert (len(self.inner.asked) + len(self.files.asked) > before) == (status == 200)
        return status

    def opens(self, path: str = SOCKET, **more: Any) -> bool:
        """Whether a websocket is accepted; one that is not reaches nobody."""
        first = self.ask(path, kind="websocket", **more)[0]["type"]
        assert (first == "websocket.accept") == bool(self.inner.asked)
        return first == "websocket.accept"


def headers_of(sent: list[dict[str, Any]]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_the_page_and_its_socket_are_let_in() -> None:
    assert Door().status() == 200
    assert Door().opens()
    assert Door().status(headers=[("origin", OURS), ("sec-fetch-site", "same-origin")]) == 200


@pytest.mark.parametrize("host", ["localhost:8765", "LOCALHOST:8765", "[::1]:8765"])
def test_our_other_names(host: str) -> None:
    assert Door().status(without=["host"], headers=[("host", host)]) == 200
    origin = ("origin", f"http://{host}")
    assert Door().opens(without=["host", "origin"], headers=[("host", host), origin])


FOREIGN = [
    "evil.example:8765",
    "127.0.0.1",
    "127.0.0.1:80",
    "localhost",
    "127.0.0.1:8765.evil.example",
    "",
    "a@127.0.0.1:8765",
]


@pytest.mark.parametrize("host", FOREIGN)
def test_a_foreign_host_is_refused(host: str) -> None:
    """A site that has pointed its own name at 127.0.0.1 (DNS rebinding) still calls us by that name."""
    headers = [("host", host), ("origin", f"http://{host}")]
    assert Door().status(without=["host"], headers=headers) == 403
    assert not Door().opens(without=["host", "origin"], headers=headers)


def test_a_host_must_be_sent_once() -> None:
    assert Door().status(without=["host"]) == 403
    assert Door().status(headers=[("host", "127.0.0.1:8765")]) == 403


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40))
def test_no_other_host_or_origin_is_ours(text: str) -> None:
    if text.lower() not in NAMES:
        assert Door().status(without=["host"], headers=[("host", text)]) == 403
    if text.lower() != OURS:
        assert Door().status(headers=[("origin", text)]) == 403
        assert not Door().opens(without=["origin"], headers=[("origin", text)])


ORIGINS = [
    "http://evil.example",
    "https://127.0.0.1:8765",
    "http://127.0.0.1:8766",
    "http://127.0.0.1",
    "http://localhost:8765",  # ours, but not the one it calls us by
    "http://127.0.0.1:8765.evil.example",
    "null",
    "",
]


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    assert Door().status(headers=[("origin", origin)]) == 403
    assert Door().status("/_solara/api/close/k-1", method="POST", headers=[("origin", origin)]) == 403
    assert not Door().opens(without=["origin"], headers=[("origin", origin)])


def test_a_socket_needs_an_origin() -> None:
    assert not Door().opens(without=["origin"])


def test_two_origins_are_one_too_many() -> None:
    assert not Door().opens(headers=[("origin", OURS)])


@pytest.mark.parametrize("site", ["cross-site", "same-site", "whatever"])
def test_what_another_site_asks_for_is_refused(site: str) -> None:
    """Images and scripts of ours in a page of another's send no Origin, but this."""
    assert Door().status(headers=[("sec-fetch-site", site)]) == 403
    assert not Door().opens(headers=[("sec-fetch-site", site)])


@pytest.mark.parametrize("path", ["/", "/static/highlight.css", "/static/assets/style.css", CDN + "a@1.2.3/b.css"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "CONNECT", "get"])
def test_what_is_read_is_only_read(path: str, method: str) -> None:
    assert Door().status(path, method=method) == 405
    assert Door().status(path, method="HEAD") == 200


NOT_HERE = [
    "/readyz",
    "/resourcez",
    "/jupyter/api/kernels/k-1",
    "/jupyter/api/kernels/k-1/channels",
    "/_solara/api/evict/k-1",
    "/_solara/auth/login",
    "/static/public/x.js",
    "/static/",
    "/static/.hidden",
    "/static/../app.py",
    "/static/assets/..",
    "/static//etc/passwd",
    "/jupyter/nbextensions/../../etc/passwd",
    "/jupyter/nbextensions/a/../b.js",
    "/jupyter/nbextensions/.git/config",
    CDN,
    CDN + "../../../etc/passwd",
    CDN + "a/..",
    CDN + "a/./b",
    CDN + "/etc/passwd",
    CDN + "a\\..\\b",
    CDN + "a%2f..%2fb",
    CDN + "a\0b",
    CDN + "a\n",
    "/\n",
    "//",
    "/about",
    "",
]


@pytest.mark.parametrize("path", NOT_HERE)
def test_what_the_page_never_asks_for(path: str) -> None:
    assert Door().status(path) == 404
    assert not Door().opens(path + "x")


@given(st.lists(st.sampled_from(["a", "..", ".", "/", "\\", "%", "\0", "@", "static", CDN]), max_size=8).map("".join))
def test_no_path_leads_up(path: str) -> None:
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in path.removeprefix("/").split("/")):
        assert Door().status("/" + path) == 404 or path == ""


@pytest.mark.parametrize(
    "path", [SOCKET + "/x", "/jupyter/api/kernels/../channels", "/jupyter/api/kernels/k/shell", "/"]
)
def test_other_sockets(path: str) -> None:
    assert not Door().opens(path)


@pytest.mark.parametrize("query", ["", "session_id=", "session_id=../x", "session_id=" + "a" * 65, "xsession_id=p-1"])
def test_a_session_has_a_plain_name(query: str) -> None:
    assert not Door().opens(query=query)
    assert Door().status("/_solara/api/close/k-1", method="POST", query=query) == 405


def test_the_beacon_of_a_closed_tab_is_posted() -> None:
    assert Door().status("/_solara/api/close/k-1", method="POST", headers=[("origin", OURS)]) == 200
    assert Door().status("/_solara/api/close/k-1", method="GET") == 405
    assert Door().status("/_solara/api/close/" + "k" * 65, method="POST") == 404


def test_files_never_reach_the_page() -> None:
    """Solara would fetch what it does not have from the internet."""
    door = Door()
    assert door.status(CDN + "a@1.2.3/b.css") == 200
    assert not door.inner.asked


def test_one_page_too_many() -> None:
    door = Door(room=False)
    assert door.status() == 503
    assert not door.opens()
    assert door.status("/static/highlight.css") == 200


def test_every_answer_says_what_to_forbid() -> None:
    for door, path in ((Door(), "/"), (Door(), "/readyz"), (Door(token=TOKEN), "/"), (Door(), CDN + "a@1.2.3/b.css")):
        headers = headers_of(door.ask(path))
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"


def test_the_page_reaches_this_server_alone() -> None:
    policy = dict(
        directive.strip().split(" ", 1) for directive in headers_of(Door().ask())["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert policy["connect-src"] == "'self' ws://127.0.0.1:8765"
    assert policy["script-src"] == "'self' 'unsafe-inline' 'unsafe-eval'"
    for directive in ("object-src", "base-uri", "form-action"):
        assert policy[directive] == "'none'"
    assert "http:" not in "".join(policy.values())
    assert "*" not in "".join(policy.values())


def test_cookies_of_the_page_are_kept_close() -> None:
    cookie = b"solara-session-id=7; expires=Fri, 01 Jan 2038 00:00:00 GMT; Path=/; SameSite=none; Secure"
    found = headers_of(Door(inner=Inner(cookie=cookie)).ask())["set-cookie"]
    assert found == "solara-session-id=7; Path=/; HttpOnly; SameSite=Strict"


def test_headers_of_proxies_are_dropped() -> None:
    """Solara would put a ``script-name`` into the page, and believe any ``x-forwarded-host``."""
    door = Door()
    made_up = ["Script-Name", "x-script-name", "x-forwarded-host", "X-Forwarded-Proto", "x-forwarded-for", "forwarded"]
    door.ask(headers=[(name, "evil.example") for name in made_up])
    assert [name for name, _ in door.inner.asked[0]["headers"]] == [b"host"]


def with_cookie(value: str, name: str = "cosim-8765") -> dict[str, Any]:
    return {"headers": [("cookie", f"other=1; {name}={value}; more=2")]}


def test_a_token_is_shown_once_and_kept() -> None:
    door = Door(token=TOKEN)
    sent = door.ask(query=f"token={TOKEN}")
    headers = headers_of(sent)
    assert (sent[0]["status"], headers["location"], headers["cache-control"]) == (303, "/", "no-store")
    morsel = SimpleCookie(headers["set-cookie"])["cosim-8765"]
    assert (morsel.value, morsel["samesite"], morsel["httponly"], morsel["path"]) == (TOKEN, "Strict", True, "/")
    assert not door.inner.asked
    assert door.status(**with_cookie(morsel.value)) == 200
    assert Door(token=TOKEN).opens(**with_cookie(morsel.value))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "token=",
        "token=wrong-horse-battery",
        f"token={TOKEN}x",
        f"token={TOKEN}&token=x",
        f"tok={TOKEN}",
        "token=%FF",
    ],
)
def test_a_wrong_token_is_refused(query: str) -> None:
    door = Door(token=TOKEN)
    sent = door.ask(query=query)
    assert sent[0]["status"] == 403
    assert "set-cookie" not in headers_of(sent)
    assert TOKEN.encode() not in sent[1]["body"]


@pytest.mark.parametrize("path", ["/", "/static/highlight.css", CDN + "a@1.2.3/b.css", "/jupyter/nbextensions/a/b.js"])
def test_nothing_is_shown_without_the_cookie(path: str) -> None:
    query = "" if path == "/" else f"token={TOKEN}"  # it is exchanged at the first address alone
    assert Door(token=TOKEN).status(path, query=query) == 403
    assert Door(token=TOKEN).status(path, **with_cookie("wrong-horse-battery")) == 403
    assert Door(token=TOKEN).status(path, **with_cookie(TOKEN, "cosim-8766")) == 403
    assert Door(token=TOKEN).status(path, **with_cookie(TOKEN)) == 200


def test_no_socket_and_no_close_without_the_cookie() -> None:
    assert not Door(token=TOKEN).opens()
    assert not Door(token=TOKEN).opens(query=f"{QUERY}&token={TOKEN}")
    assert not Door(token=TOKEN).opens(**with_cookie("x"))
    assert Door(token=TOKEN).status("/_solara/api/close/k-1", method="POST") == 403


def test_a_token_does_not_make_a_foreign_page_ours() -> None:
    foreign = [("origin", "http://evil.example"), ("cookie", f"cosim-8765={TOKEN}")]
    assert Door(token=TOKEN).status(headers=foreign) == 403
    assert not Door(token=TOKEN).opens(without=["origin"], headers=foreign)


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60))
def test_no_other_cookie_is_the_token(text: str) -> None:
    assert Door(token=TOKEN).status(headers=[("cookie", text)]) == 403


def test_a_token_shown_where_none_is_asked_for_does_no_harm() -> None:
    assert Door().status(query="token=x") == 200


GOOD = '{"header":{"msg_type":"kernel_info_request"},"channel":"shell","content":{}}'


def test_what_no_control_sends_is_dropped_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    door = Door()
    bad = [{"type": "websocket.receive", "text": "{"}, {"type": "websocket.receive", "bytes": b"\0\0"}] * 3
    door.opens(incoming=[{"type": "websocket.connect"}, *bad, {"type": "websocket.receive", "text": GOOD}])
    assert [message.get("text") for message in door.inner.told] == [None, GOOD]
    assert [record.getMessage() for record in caplog.records] == [
        "a message that no control of the page sends was dropped"
    ]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_failure_is_one_line_and_no_end(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    door = Door(inner=Inner(fails=True))
    door.ask("/" if kind == "http" else SOCKET, kind=kind)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "KeyError" in record.getMessage()
    assert record.exc_info is None


def test_the_life_of_the_server_is_handed_on() -> None:
    inner = Inner()
    guard = Guard(inner, Inner(), NAMES, 8765, TOKEN, lambda _: True)
    asyncio.run(guard({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert [scope["type"] for scope in inner.asked] == ["lifespan"]
