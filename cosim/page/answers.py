"""Answers of our own, and what every answer tells the browser to forbid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from http import HTTPStatus
from typing import Any

__all__ = ["answer", "with_headers"]

Headers = Sequence[tuple[bytes, bytes]]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    # Not no-referrer: with it a browser sends `Origin: null` even to ourselves when a closed tab says so.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


async def answer(send: Send, status: HTTPStatus, text: str, headers: Headers = ()) -> None:
    """Send a plain answer that no browser runs, frames or keeps."""
    start = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"cache-control", b"no-store"),
        *_ALWAYS,
        *headers,
    ]
    await send({"type": "http.response.start", "status": int(status), "headers": start})
    await send({"type": "http.response.body", "body": text.encode()})


def with_headers(send: Send, host: str) -> Send:
    """A `send` that adds what the browser shall forbid, and keeps cookies from scripts and from other sites.

    Vue 2 compiles templates in the browser, which needs ``unsafe-eval``, and the page's own scripts are in its text,
    which needs ``unsafe-inline``. What they can reach is this server alone.

    Parameters
    ----------
    host : str
        What the browser calls us, checked before.
    """
    policy = (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' ws://{host}; "
        "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [(name, _guarded(name, value)) for name, value in message.get("headers", [])]
            message = {**message, "headers": [*kept, (b"content-security-policy", policy.encode()), *_ALWAYS]}
        await send(message)

    return sending


def _guarded(name: bytes, value: bytes) -> bytes:
    """A cookie for this session of the browser, for requests alone, and from this page alone."""
    if name.lower() != b"set-cookie":
        return value
    return value.partition(b";")[0] + b"; Path=/; HttpOnly; SameSite=Strict"
