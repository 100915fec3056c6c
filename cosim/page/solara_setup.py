"""Solara as this page wants it, whatever the environment or a ``.env`` file says.

Solara reads its settings from variables ``SOLARA_...``, from ``HOST`` and from a ``.env`` file when it is imported, so
this is the one place that imports it first. Settings of ours are set again afterwards: a plugin may have imported it
earlier.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["KEPT_S", "MOST_PAGES", "has_room", "page_app"]

MOST_PAGES = 16
"""Pages at a time; each has a run of its own in memory."""

KEPT_S = 20
"""Seconds that a page whose connection broke has to come back before its run ends; a closed one ends at once."""


def page_app(page: str, title: str, folder: Path, url: str) -> Any:
    """The ASGI application of Solara for a page.

    Parameters
    ----------
    page : str
        Module and component, e.g. ``"cosim.page.entry:Page"``.
    title : str
        Shown in the browser's tab.
    folder : Path
        Scripts and styles, so that nothing is fetched from elsewhere.
    url : str
        Address of the server, with a slash at its end.
    """
    with _bare_environment():
        import solara.server.settings

        _settle(solara.server.settings, _settings(title, folder, url))
        _settle(solara.settings, {"assets": {"proxy": True, "cdn": "/_solara/cdn/"}})
        import solara.server.app as server
        import solara.server.starlette as web
    server.apps["__default__"] = server.AppScript(page)
    server.ensure_apps_initialized()  # imports the page: here, so that its errors are seen
    return web.app


def has_room(session: str) -> bool:
    """Whether a session runs already, or one more may."""
    from solara.server.kernel_context import contexts

    return session in contexts or len(contexts) < MOST_PAGES


def _settings(title: str, folder: Path, url: str) -> dict[str, dict[str, Any]]:
    return {
        "telemetry": {"mixpanel_enable": False},
        "main": {
            "mode": "production",
            "use_pdb": False,
            "tracer": False,
            "timing": False,
            "root_path": "",
            "base_url": url,
            "host": "127.0.0.1",
            "platform": sys.platform,
            "experimental_performance": False,
            "resourcez_token": "",
        },
        "theme": {"variant": "light", "loader": "plain", "show_banner": False, "title": title, "force_refresh": False},
        "assets": {"proxy_cache_dir": folder, "extra_locations": []},
        "kernel": {"cull_timeout": f"{KEPT_S}s", "max_count": None, "threaded": True, "gc_after_close": True},
        "server": {"http_gzip": False, "sync_ws_write": False, "ignore_nbextensions": []},
        "state": {"backend": "", "auto_remount": None, "test_eviction": False, "allow_pickle": False},
        "session": {"http_only": True, "same_site": "strict"},
        "oauth": {"private": False},
        "ssg": {"enabled": False},
        "search": {"enabled": False},
    }


def _settle(module: Any, values: dict[str, dict[str, Any]]) -> None:
    """Set what this version of Solara has."""
    for group, fields in values.items():
        settings = getattr(module, group, None)
        for name, value in fields.items():
            if hasattr(settings, name):
                setattr(settings, name, value)


@contextmanager
def _bare_environment() -> Iterator[None]:
    """Forget for good what would configure Solara, and hide the library that reads ``.env`` files."""
    for name in [name for name in os.environ if name.upper().startswith("SOLARA_") or name.upper() == "HOST"]:
        del os.environ[name]
    reader = sys.modules.get("dotenv")
    sys.modules["dotenv"] = None  # type: ignore[assignment] # to import it raises ImportError, which Solara expects
    try:
        yield
    finally:
        del sys.modules["dotenv"]
        if reader is not None:
            sys.modules["dotenv"] = reader
