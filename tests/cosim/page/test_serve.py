"""The real server in a process of its own: what it listens to, whom it refuses, and how it ends.

The environment and the folder it starts in try to make it another one.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from cosim.scenario import Scenario

ROOT = Path(__file__).parents[3]
TOKEN = "correct-horse-battery"
START = """
import cosim.commands.app, cosim.page.solara_setup as setup
cosim.commands.app.PAGE = "tests.cosim.page.tiny:Page"
setup.KEPT_S, setup.MOST_PAGES = 1, 3
from cosim.commands import main
main()
"""
QUICK = {"NUMBA_DISABLE_JIT": "1"}  # three prosumers step as fast without, and a first time compiles for half a minute
HOSTILE = {
    "HOST": "0.0.0.0",
    "SOLARA_HOST": "0.0.0.0",
    "SOLARA_TELEMETRY_MIXPANEL_ENABLE": "True",
    "SOLARA_MODE": "development",
    "SOLARA_APP": "no.such.page",
    "SOLARA_ASSETS_PROXY": "False",
    "SOLARA_ASSETS_FONTAWESOME_PATH": "/by-environment.css",
    "VSCODE_PID": "1",  # Solara then leaves scripts to a public server
    "COSIM_TOKEN": TOKEN,
}
# stands in for the library that reads .env files, which is not installed with ours
DOTENV = "import os\ndef load_dotenv():\n    os.environ['SOLARA_ASSETS_FONTAWESOME_PATH'] = '/by-dotenv.css'\n"


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    cache: str | None
    text: str


@dataclass
class Server:
    """A running `cosim app`."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    port: int = 0

    def read(self) -> None:
        assert self.process.stdout is not None
        self.lines += (line.rstrip() for line in self.process.stdout)

    def wait_for(self, text: str, times: int = 1, patience_s: float = 60) -> str:
        """A line with a text in it; fails when it does not come."""
        until = monotonic() + patience_s
        while monotonic() < until:
            found = [line for line in self.lines if text in line]
            if len(found) >= times:
                return found[-1]
            if self.process.poll() is not None:  # then this is all there will be
                until = min(until, monotonic() + 1)
            sleep(0.02)
        raise AssertionError(f"no {text!r} in {self.lines}")

    def count(self, text: str) -> int:
        return sum(text in line for line in self.lines)

    def ask(self, path: str = "/", method: str = "GET", **headers: str) -> Answer:
        usual = {"Cookie": f"cosim-{self.port}={TOKEN}"}
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            asked.request(method, path, headers=usual | {name.replace("_", "-"): v for name, v in headers.items()})
            with asked.getresponse() as answer:
                return Answer(
                    answer.status, answer.getheader("cache-control"), answer.read().decode("utf-8", "replace")
                )
        finally:
            asked.close()

    def socket(self, kernel: str, page: str = "p", **more: Any) -> ClientConnection:
        usual: dict[str, Any] = {
            "origin": f"http://127.0.0.1:{self.port}",
            "additional_headers": {"Cookie": f"cosim-{self.port}={TOKEN}; solara-session-id={kernel}"},
            "max_size": None,
            "proxy": None,
        }
        url = f"ws://127.0.0.1:{self.port}/jupyter/api/kernels/{kernel}/channels?session_id={page}"
        return connect(url, **{**usual, **more})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("app")
    (folder / "s.toml").write_text(Scenario().to_toml())
    (folder / "dotenv.py").write_text(DOTENV)
    (folder / ".env").write_text("SOLARA_THEME_TITLE=by-dotenv\n")
    process = subprocess.Popen(
        [sys.executable, "-c", START, "app", "s.toml", "--port", "0", "--no-open"],
        cwd=folder,
        env={**os.environ, **QUICK, **HOSTILE, "PYTHONPATH": f"{ROOT}:{folder}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    running = Server(process)
    reading = threading.Thread(target=running.read, daemon=True)
    reading.start()
    try:
        said = running.wait_for("the page is at ", patience_s=180)
        found = re.fullmatch(
            rf"the page is at http://127\.0\.0\.1:(\d+)/\?token={TOKEN} \(.* s; Ctrl-C ends it\)", said
        )
        assert found is not None
        running.port = int(found[1])
        yield running
    finally:
        process.kill()
        process.wait()
        reading.join()
        assert process.stdout is not None
        process.stdout.close()


def message(kind: str, **content: Any) -> str:
    header = {"msg_id": uuid4().hex, "msg_type": kind, "username": "", "session": "s", "version": "5.2", "date": ""}
    rest = {"parent_header": {}, "metadata": {}, "channel": "shell", "buffers": []}
    return json.dumps({"header": header, "content": content, **rest})


def open_page(socket: ClientConnection) -> dict[str, dict[str, Any]]:
    """Start the page as a browser does; its widgets by their ids."""
    widgets: dict[str, dict[str, Any]] = {}
    socket.send(message("comm_open", comm_id="c", target_name="solara.control", data={}))
    run = {"method": "run", "args": {"path": "/", "dark": False, "themes": {"light": {}, "dark": {}}, "appName": None}}
    socket.send(message("comm_msg", comm_id="c", data=run))
    while True:
        text = socket.recv(timeout=60)
        if isinstance(text, bytes):
            continue
        told = json.loads(text)
        content = told["content"]
        if told["header"]["msg_type"] == "comm_open":
            widgets[content["comm_id"]] = content["data"]["state"]
        elif content.get("data", {}).get("method") == "finished":
            return widgets


def button_of(widgets: dict[str, dict[str, Any]]) -> str:
    return next(each for each, state in widgets.items() if "tiny-button" in (state.get("class_") or ""))


def shows(socket: ClientConnection, text: str) -> str:
    """All that is told until a text is in it."""
    told = ""
    while f'"{text}"' not in told:
        told += str(socket.recv(timeout=60))
    return told


def test_it_listens_to_this_machine_alone(server: Server) -> None:
    listening = [each for each in psutil.Process(server.process.pid).net_connections("inet") if each.status == "LISTEN"]
    assert [(each.laddr.ip, each.laddr.port) for each in listening] == [("127.0.0.1", server.port)]
    assert psutil.Process(server.process.pid).children() == []


def test_the_page_is_ours_whatever_the_environment_says(server: Server) -> None:
    page = server.ask().text
    assert "<title>four-bus - cosim</title>" in page
    assert "by-environment" not in page
    assert "by-dotenv" not in page
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page)  # nothing from elsewhere


def test_scripts_come_from_this_machine_or_not_at_all(server: Server) -> None:
    asked = re.findall(r"/_solara/cdn/[^\"']+\.(?:js|css)", server.ask().text)
    assert len(asked) >= 5
    for path in asked:
        answer = server.ask(path)
        assert (answer.status, answer.cache) == (200, "public, max-age=31536000, immutable")
    began = monotonic()
    assert server.ask("/_solara/cdn/no-such-thing@1.0.0/x.js").status == 404
    assert monotonic() - began < 5  # Solara's own would have asked the internet four times, with pauses


@pytest.mark.parametrize("path", ["/_solara/cdn/../../../../etc/passwd", "/_solara/cdn/%2e%2e/%2e%2e/x", "/resourcez"])
def test_what_is_not_served(path: str, server: Server) -> None:
    assert server.ask(path).status == 404


def test_who_is_refused(server: Server) -> None:
    assert server.ask(Cookie="").status == 403
    assert server.ask(Host=f"evil.example:{server.port}").status == 403
    assert server.ask(Origin="http://evil.example").status == 403
    assert server.ask(Sec_Fetch_Site="cross-site").status == 403
    assert server.ask(f"/?token={TOKEN}", Cookie="").status == 303


@pytest.mark.parametrize(
    "more",
    [
        {"origin": "http://evil.example"},
        {"origin": None},
        {"additional_headers": {}},
        {"additional_headers": {"Cookie": "cosim=wrong-horse-battery"}},
    ],
)
def test_sockets_that_are_refused(more: dict[str, Any], server: Server) -> None:
    with pytest.raises(InvalidStatus, match="403"), server.socket("refused", **more):
        pass


def test_a_foreign_host_cannot_open_a_socket(server: Server) -> None:
    key = base64.b64encode(bytes(16)).decode()
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": key}
    path, own = "/jupyter/api/kernels/k/channels?session_id=p", f"127.0.0.1:{server.port}"
    assert server.ask(path, Host=own, Origin=f"http://{own}", **upgrade).status == 101  # so it is not the rest of it
    foreign = f"evil.example:{server.port}"
    assert server.ask(path, Host=foreign, Origin=f"http://{foreign}", **upgrade).status == 403


def test_each_page_has_its_own_state_and_ends_when_it_is_closed(server: Server) -> None:
    closed = server.count("page closed")
    with server.socket("one") as one, server.socket("two") as two:
        button = button_of(open_page(one))
        open_page(two)
        one.send(message("comm_msg", comm_id=button, data={"method": "custom", "content": {"event": "click"}}))
        shows(one, "four-bus: 1")
        two.send(message("comm_info_request"))
        reply = ""
        while "comm_info_reply" not in reply:
            assert "four-bus: 1" not in reply
            reply = str(two.recv(timeout=60))
    server.wait_for("page closed", times=closed + 2)  # a connection that broke: after KEPT_S


def test_a_closed_tab_ends_its_run_at_once(server: Server) -> None:
    """The beacon of a closed tab comes while its connection may still be open."""
    closed = server.count("page closed")
    with server.socket("three", page="p3") as three:
        open_page(three)
        path, origin = "/_solara/api/close/three?session_id=p3", f"http://127.0.0.1:{server.port}"
        assert server.ask(path, "POST", Origin=origin).status == 200
        assert server.count("page closed") == closed + 1


def test_crafted_messages_do_nothing(server: Server, tmp_path: Path) -> None:
    """Each of the first three does what it says where it is not dropped; ipyvue 1.13 made them up for its own use."""
    (tmp_path / "secret").write_text("nobody's business")
    with server.socket("four") as four:
        widgets = open_page(four)
        template = next(each for each, has in widgets.items() if "Template" in has["_model_name"] and "events" in has)
        imports = {"create_widget": ["this", "s"], "props": {}, "id": "x"}  # prints the Zen of Python when imported
        names = {"update_ref": str(tmp_path / "secret"), "prop": "template_file", "id": template}
        reads = {"update_ref": {"functionRef": "__init__"}, "prop": "x", "id": template}
        for content in (imports, names, reads, {"event": "click", **imports}):
            four.send(message("comm_msg", comm_id=template, data={"method": "custom", "content": content}))
        four.send("{")
        four.send("[" * 50_000)
        four.send(b"\xff\xff\xff\xff" * 4)
        four.send(message("comm_msg", comm_id="nobody", data={"method": "request_state"}))
        four.send(message("execute_request", code="print('executed')", silent=False))
        four.send(message("shutdown_request"))
        click = {"method": "custom", "content": {"event": "click"}}
        four.send(message("comm_msg", comm_id=button_of(widgets), data=click))
        assert "nobody's business" not in shows(four, "four-bus: 1")
    assert server.count("executed") == 0
    assert server.count("Beautiful is better than ugly") == 0
    assert server.count("was dropped") == 1


def test_a_huge_message_ends_its_connection_alone(server: Server) -> None:
    with server.socket("five") as five:
        five.send(message("kernel_info_request", padding="x" * 200_000))
        shows(five, "kernel_info_reply")
        five.send("x" * 300_000)
        with pytest.raises(ConnectionClosed) as ended:
            while True:
                five.recv(timeout=60)
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1009  # RFC 6455: too big
    assert server.ask().status == 200


def test_one_page_too_many(server: Server) -> None:
    server.wait_for("page closed", times=server.count("page opened"))
    sleep(1.5)  # those that never showed a page end silently
    with ExitStack() as pages:
        for name in ("a", "b", "c"):
            each = pages.enter_context(server.socket(name))
            each.send(message("kernel_info_request"))
            shows(each, "kernel_info_reply")
        assert server.ask().status == 503
        with pytest.raises(InvalidStatus, match="403"), server.socket("d"):
            pass
        with server.socket("a", page="again"):  # one of the three, once more
            pass


def test_ctrl_c_while_it_starts(tmp_path: Path) -> None:
    slow = (
        "import time, cosim.page.serve as serve\n"
        "serve.page_app = lambda *_: (print('starting', flush=True), time.sleep(60))\n"
    )
    starting = subprocess.Popen(
        [sys.executable, "-c", slow + START, "app", "--port", "0", "--no-open"],
        cwd=tmp_path,
        env={**os.environ, **QUICK, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with starting:
        assert starting.stdout is not None
        assert starting.stdout.readline() == "starting\n"
        starting.send_signal(signal.SIGINT)
        assert starting.wait(timeout=30) == 130
        assert "Traceback" not in (rest := starting.stdout.read())
        assert rest.endswith("interrupted\n")


def test_ctrl_c_ends_it_with_pages_open(server: Server) -> None:
    until = monotonic() + 20
    while server.ask().status != 200 and monotonic() < until:
        sleep(0.1)
    with server.socket("last") as last:
        open_page(last)
        closed = server.count("page closed")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=30) == 0
    server.wait_for("stopped")
    assert server.count("page closed") == closed + 1
    assert server.count("Traceback") == 0
    assert server.count("Warning") == 0
    with pytest.raises(OSError):
        server.ask()
