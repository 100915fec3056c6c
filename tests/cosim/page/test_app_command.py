"""``cosim app`` up to the moment it serves: what it refuses, and what it listens to."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cosim.commands.app as command
from cosim.page.address import Address, checked_token, take_address
from feeders.errors import CosimError, InputError
from tests.cosim.command_line import call

TOKEN = "correct-horse-battery"


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """What would be served; nothing is."""
    calls: list[dict[str, Any]] = []

    def serve(page: str, base: object, address: Address, **more: Any) -> None:
        calls.append({"page": page, "base": base, "address": address, "bound": address.socket.getsockname(), **more})

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COSIM_TOKEN", raising=False)
    monkeypatch.setattr("cosim.page.serve.serve", serve)
    return calls


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of 127.0.0.1 that somebody listens to."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_it_serves_this_machine_alone(served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")
    ended = call("app", "--port", 0, "--set", "rule=prc", "--no-open")
    assert (ended.code, ended.err) == (0, "stopped\n")
    (found,) = served
    assert found["bound"][0] == "127.0.0.1"
    port = found["bound"][1]
    assert found["address"].names == {f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"}
    assert found["address"].url == f"http://127.0.0.1:{port}/"
    assert (found["base"].rule, found["open_browser"], found["page"]) == ("prc", False, command.PAGE)
    assert found["address"].socket.fileno() == -1  # closed afterwards


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("none.toml", "none.toml"),
        ("--set rule=prk", "the default scenario with --set: rule"),
        ("--set days=0", "days"),
        ("--plugin none.py", "none.py: plugin"),
        ("--token short", "--token"),
        ("--host 0.0.0.0", "for --host 0.0.0.0, which other machines can reach, 16 to 128"),
        ("--host ::", "which other machines can reach"),
        ("--host no.such.name.invalid", "--host"),
        ("--host 192.0.2.1 --token auto", "--host"),  # RFC 5737: nobody's
        ("--host=", "--host"),
    ],
)
def test_what_is_wrong_is_one_line(args: str, said: str, served: list[dict[str, Any]]) -> None:
    ended = call("app", *args.split(), "--port", 0)
    assert (ended.code, ended.out, served) == (2, "", [])
    (line,) = ended.err.splitlines()
    assert line.startswith("error: ")
    assert said in line


def test_several_errors_are_a_line_each(served: list[dict[str, Any]]) -> None:
    ended = call("app", "--set", "planner=x", "--set", "mode=x")
    assert ended.code == 2
    assert len(ended.err.splitlines()) == 2


def test_a_short_token_is_not_repeated(served: list[dict[str, Any]]) -> None:
    assert "hunter2" not in call("app", "--token", "hunter2").err


def test_a_port_in_use(taken: int, served: list[dict[str, Any]]) -> None:
    ended = call("app", "--port", taken)
    assert ended.code == 2
    assert ended.err == (
        f"error: port {taken} of 127.0.0.1 is in use; another with --port, any free one with --port 0\n"
    )
    assert served == []


def test_a_port_of_two_that_start_at_once_is_the_first_ones() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with take_address("127.0.0.1", port, None), pytest.raises(CosimError, match="in use"):
        take_address("127.0.0.1", port, None)


@pytest.mark.parametrize("name", ["solara", "uvicorn", "starlette", "ipyvuetify", "mesa"])
def test_a_missing_library(name: str, monkeypatch: pytest.MonkeyPatch, served: list[dict[str, Any]]) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda each: None if each == name else found(each))
    ended = call("app", "--port", 0)
    assert ended.code == 2
    assert ended.err == (
        "error: the page needs libraries that are not installed: pip install 'cosim-prosumers[page]'\n"
    )


def test_a_library_that_leaves_the_page_blank(monkeypatch: pytest.MonkeyPatch, served: list[dict[str, Any]]) -> None:
    version = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "3.1.0" if name == "ipyvuetify" else version(name))
    ended = call("app", "--port", 0)
    assert (ended.code, ended.err) == (
        2,
        "error: the page stays blank with ipyvuetify 3.1.0: pip install 'ipyvuetify<3'\n",
    )


def test_other_commands_do_not_load_what_serves() -> None:
    code = (
        "import json, sys, cosim.page, cosim.commands.main\n"
        "heavy = ('solara', 'uvicorn', 'starlette', 'ipywidgets', 'ipyvuetify', 'reacton', 'mesa.visualization')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert json.loads(done.stdout) == []


def test_beyond_this_machine_with_a_token(served: list[dict[str, Any]]) -> None:
    assert call("app", "--host", "0.0.0.0", "--port", 0, "--token", TOKEN).code == 0
    address = served[0]["address"]
    assert served[0]["bound"][0] == "0.0.0.0"
    assert address.url.endswith(f":{address.port}/?token={TOKEN}")
    assert f"{socket.gethostname().lower()}:{address.port}" in address.names
    assert f"127.0.0.1:{address.port}" in address.names
    assert f"evil.example:{address.port}" not in address.names


def test_a_token_by_the_environment(served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Other users of the machine see what is on a command line."""
    monkeypatch.setenv("COSIM_TOKEN", TOKEN)
    assert call("app", "--port", 0).code == 0
    assert served[0]["address"].token == TOKEN


def test_a_token_made_here_is_another_each_time() -> None:
    first, second = checked_token("auto"), checked_token("auto")
    assert first is not None
    assert first != second
    assert checked_token(first) == first
    assert len(first) == 32  # 24 bytes in base 64
    assert checked_token(None) is None


@given(st.text(max_size=200))
def test_a_token_fits_into_addresses_and_cookies(text: str) -> None:
    plain = 16 <= len(text) <= 128 and all(c.isascii() and (c.isalnum() or c in "-_") for c in text)
    if plain:
        assert checked_token(text) == text
    elif text != "auto":
        with pytest.raises(InputError):
            checked_token(text)


def test_names_of_port_80_go_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Listening(socket.socket):
        def bind(self, address: Any) -> None:
            super().bind((address[0], 0))

        def getsockname(self) -> Any:
            return ("127.0.0.1", 80)

    monkeypatch.setattr(socket, "socket", Listening)
    with take_address("localhost", 80, None) as address:
        assert {"127.0.0.1", "localhost", "[::1]", "localhost:80"} <= address.names
