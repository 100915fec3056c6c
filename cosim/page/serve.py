"""Serve the page: one process, one address, until Ctrl-C."""

from __future__ import annotations

import asyncio
import http.client
import logging
import os
import signal
import sys
import threading
import warnings
import webbrowser
from collections.abc import Callable, MutableMapping
from time import time
from types import FrameType
from typing import Any, NoReturn

import psutil
import uvicorn

from cosim.model import CoSimulation
from cosim.page import given
from cosim.page.address import Address
from cosim.page.assets import asset_folder, cdn_files, missing_assets
from cosim.page.guard import Guard, cookie_name
from cosim.page.solara_setup import has_room, page_app
from cosim.scenario import Scenario
from feeders.errors import CosimError

__all__ = ["serve"]

Say = Callable[[str], None]

_LARGEST_MESSAGE = 256 * 1024  # bytes from a browser; what a control sends has a few hundred
_MOST_CONNECTIONS = 256
_PATIENCE_S = 1  # for answers under way when it ends
_GIVE_UP_S = 3.0  # then it ends without waiting for anything
_LONG_S = 2.0  # compiled before, a first step takes less


def serve(page: str, base: Scenario, address: Address, *, open_browser: bool, say: Say) -> None:
    """Serve a page until the process is asked to end.

    Parameters
    ----------
    page : str
        Module and component, e.g. ``"cosim.page.entry:Page"``.
    base : Scenario
        What every new page begins with.
    address : Address
        Where.
    open_browser : bool
        Open it in the user's browser, where there is one.
    say : callable
        Given lines for the user: the address as soon as the page answers.

    Raises
    ------
    CosimError
        When files of the page are not installed.
    """
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, _end_the_start)
    # Solara advises https for pages in frames of others, which ours refuse to be in. Set before any thread may be
    # within a `catch_warnings`, which would undo it.
    warnings.filterwarnings("ignore", message="Cookies with samesite=none", category=UserWarning)
    given.give(base)
    warming = _warm_up(say)
    folder = asset_folder()
    inner = page_app(page, f"{base.name} - cosim", folder, f"http://{address.name}/")
    guarded = Guard(inner, cdn_files(folder), address.names, address.port, address.token, has_room)
    _require_assets(guarded, address)
    while warming.is_alive():  # a join without end would not see Ctrl-C everywhere
        warming.join(0.2)
    server = _Server(
        uvicorn.Config(
            guarded,
            loop="asyncio",  # Solara's threads ask for a loop in a way that others refuse
            lifespan="on",
            workers=1,
            log_config=None,
            log_level=logging.CRITICAL,  # refusals are no news; failures the guard tells
            access_log=False,
            proxy_headers=False,
            server_header=False,
            ws_max_size=_LARGEST_MESSAGE,
            ws_per_message_deflate=False,  # pictures are compressed already
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_PATIENCE_S,
        )
    )
    threading.Thread(target=_announce, args=(server, address, open_browser, say), daemon=True).start()
    server.run(sockets=[address.socket])


class _Server(uvicorn.Server):
    """Ends at the first signal, and is never kept from it for long."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Note that it shall end; uvicorn's own would raise the signal again afterwards."""
        self.force_exit = self.should_exit
        if not self.should_exit:
            give_up = threading.Timer(_GIVE_UP_S, _end_at_once, ["stopped, with work under way", 0])
            give_up.daemon = True
            give_up.start()
        self.should_exit = True


def _end_the_start(signum: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    """Nothing is being written: end without waiting for what is being compiled."""
    _end_at_once("interrupted", 128 + signum)


def _end_at_once(words: str, code: int) -> NoReturn:
    """End with what is still computing."""
    sys.stderr.write(f"{words}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _warm_up(say: Say) -> threading.Thread:
    """Step the default scenario once, so that the loops are compiled before the first page asks for them."""
    late = threading.Timer(_LONG_S, say, ["compiling, once: later starts are shorter"])
    late.daemon = True

    def once() -> None:
        late.start()
        try:
            CoSimulation(Scenario()).step()
        finally:
            late.cancel()

    warming = threading.Thread(target=once, name="warm-up", daemon=True)
    warming.start()
    return warming


def _announce(server: uvicorn.Server, address: Address, open_browser: bool, say: Say) -> None:
    """Say where the page is once it answers there."""
    while not server.started:
        if server.should_exit:
            return
        threading.Event().wait(0.02)
    host, port = address.socket.getsockname()[:2]
    asked = http.client.HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, timeout=30)
    try:
        asked.request("GET", "/", headers={key.decode(): value.decode() for key, value in _headers(address)})
        status = asked.getresponse().status
    except OSError:
        return  # it is ending already
    finally:
        asked.close()
    if status != 200:
        say(f"the page does not answer at {address.url} ({status})")
        return
    took_s = time() - psutil.Process().create_time()
    say(f"the page is at {address.url} ({took_s:.1f} s; Ctrl-C ends it)")
    if open_browser and _has_screen():
        webbrowser.open(address.url)


def _has_screen() -> bool:
    """Whether a browser would get a window; without one it would take the terminal."""
    if os.name != "posix" or sys.platform == "darwin":
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _require_assets(app: Guard, address: Address) -> None:
    missing = asyncio.run(missing_assets(lambda method, path: _ask(app, method, path, address)))
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise CosimError(
            f"files of the page are not installed: {missing[0]}{more}; pip install -U solara-assets 'ipyvuetify<3'"
        )


def _headers(address: Address) -> list[tuple[bytes, bytes]]:
    """Headers of a visitor who knows the token."""
    known = [(b"cookie", f"{cookie_name(address.port)}={address.token}".encode())] if address.token else []
    return [(b"host", address.name.encode()), *known]


async def _ask(app: Guard, method: str, path: str, address: Address) -> tuple[int, bytes]:
    """What the application answers, without a network: its status and body."""
    sent: list[MutableMapping[str, Any]] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": _headers(address),
        "client": ("127.0.0.1", 0),
        "server": (address.host, address.port),
    }

    async def receive() -> MutableMapping[str, Any]:
        await asyncio.Event().wait()  # there is nothing to say, and nobody leaves before the answer
        raise AssertionError

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])
