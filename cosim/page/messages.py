"""Which messages of a browser reach the page: those that its controls send, and no others.

The protocol is Jupyter's, and the libraries behind it do more than a page needs: ipyvue imports a module and calls a
function of it when a message says so (``create_widget``), and sets any attribute of a widget (``update_ref``);
ipywidgets makes any registered widget (``comm_open``). So each message is looked at first, and what is not known is
dropped.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["is_allowed"]

_PLAIN = ("kernel_info_request", "comm_info_request", "comm_close")
_TARGETS = ("solara.control", "jupyter.widget.control")
_METHODS = ("update", "request_state", "request_states", "app-status")
_CUSTOM = {"event", "data"}


def is_allowed(text: str | None) -> bool:
    """Whether a message is one that the page itself sends.

    Parameters
    ----------
    text : str or None
        The message; None for a binary one, which the page never sends.
    """
    if text is None:
        return False
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(message, dict) or message.get("channel") not in ("shell", "control"):
        return False
    header, content = message.get("header"), message.get("content")
    if not isinstance(header, dict) or not isinstance(content, dict):
        return False
    return _known(header.get("msg_type"), content)


def _known(kind: object, content: dict[str, Any]) -> bool:
    if kind == "comm_open":
        return content.get("target_name") in _TARGETS and isinstance(content.get("comm_id"), str)
    if kind == "comm_msg":
        data = content.get("data")
        return isinstance(content.get("comm_id"), str) and isinstance(data, dict) and _harmless(data)
    return kind in _PLAIN


def _harmless(data: dict[str, Any]) -> bool:
    """Whether the data of a ``comm_msg`` set what a control shows, tell an event, or start the page."""
    method = data.get("method")
    if data.get("buffer_paths"):
        return False
    if method == "custom":
        content = data.get("content")
        return isinstance(content, dict) and isinstance(content.get("event"), str) and content.keys() <= _CUSTOM
    if method == "run":
        args = data.get("args")
        return isinstance(args, dict) and args.get("appName") in (None, "__default__")
    return method in _METHODS and isinstance(data.get("state", {}), dict)
