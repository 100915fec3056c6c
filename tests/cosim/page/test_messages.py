"""Messages that reach the page, and those that do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.page.messages import is_allowed


def message(kind: object = "comm_msg", **content: Any) -> str:
    """A message as a browser sends it."""
    return json.dumps(
        {
            "header": {"msg_type": kind, "msg_id": "1"},
            "parent_header": {},
            "channel": "shell",
            "content": content,
            "buffers": [],
        }
    )


def told(**data: Any) -> str:
    """A message to a widget."""
    return message(comm_id="w", data=data)


@pytest.mark.parametrize(
    "text",
    [
        message("kernel_info_request"),
        message("comm_info_request", target_name="jupyter.widget"),
        message("comm_close", comm_id="w", data={}),
        message("comm_open", comm_id="c", target_name="solara.control", data={}),
        message("comm_open", comm_id="c", target_name="jupyter.widget.control", data={}),
        told(method="update", state={"v_model": 3}, buffer_paths=[]),
        told(method="request_state"),
        told(method="request_states"),
        told(method="app-status"),
        told(method="custom", content={"event": "click", "data": {"isTrusted": True}}),
        told(method="custom", content={"event": "click"}),
        told(method="run", args={"path": "/", "dark": False, "themes": {}, "appName": None}),
    ],
)
def test_what_a_browser_sends_for_the_page(text: str) -> None:
    """Each as Chromium sent it while a page was opened, clicked, disconnected and closed."""
    assert is_allowed(text)


@pytest.mark.parametrize(
    "text",
    [
        None,  # binary
        "",
        "{",
        "[]",
        "1" * 5000,  # json: more digits than int() takes
        "[" * 100_000,
        json.dumps({"channel": "shell", "header": {"msg_type": "kernel_info_request"}}),
        json.dumps({"channel": "shell", "header": [], "content": {}}),
        json.dumps({"header": {"msg_type": "kernel_info_request"}, "content": {}}),
        json.dumps({"channel": [], "header": {"msg_type": "kernel_info_request"}, "content": {}}),
        message("execute_request", code="1"),
        message("shutdown_request"),
        message({}),
        message(None),
        message("comm_open", comm_id="c", target_name="jupyter.widget", data={}),  # makes any registered widget
        message("comm_open", comm_id=1, target_name="solara.control", data={}),
        message(data={"method": "request_state"}),
        message(comm_id="w", data=[]),
        told(),
        told(method="evict"),
        told(method="reload", path="/"),
        told(method=["update"]),
        told(method="update", state=[]),
        told(method="update", state={}, buffer_paths=[["value"]]),
        told(method="run", args={"appName": "another"}),
        told(method="run"),
        told(method="custom"),
        told(method="custom", content=[]),
        told(method="custom", content={"event": 1}),
        # ipyvue: imports a module, calls what it finds there; sets any attribute, calls any method; drops widgets
        told(method="custom", content={"create_widget": ["os", "abort"], "props": {}, "id": "x"}),
        told(method="custom", content={"event": "click", "create_widget": ["os", "abort"], "props": {}, "id": "x"}),
        told(
            method="custom", content={"event": "click", "update_ref": "/etc/passwd", "prop": "template_file", "id": "w"}
        ),
        told(method="custom", content={"event": "click", "destroy_widget": "w"}),
    ],
)
def test_what_no_control_sends(text: str | None) -> None:
    assert not is_allowed(text)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = st.sampled_from(
    ["header", "msg_type", "channel", "shell", "content", "comm_id", "data", "method", "custom", "event", "comm_msg"]
)


@given(st.text() | PLAIN.map(json.dumps) | st.dictionaries(WORDS, WORDS | PLAIN).map(json.dumps))
def test_garbled_messages_are_answered_with_no(text: str) -> None:
    assert not is_allowed(text)


@given(st.dictionaries(st.text(max_size=12) | WORDS, PLAIN | WORDS, max_size=4))
def test_nothing_rides_along_with_an_event(content: dict[str, Any]) -> None:
    expected = set(content) <= {"event", "data"} and isinstance(content.get("event"), str)
    assert is_allowed(told(method="custom", content=content)) is expected
