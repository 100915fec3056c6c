"""Scripts, styles and fonts of the page: files of this machine, checked before the page is shown."""

from __future__ import annotations

import contextlib
import importlib.metadata
import posixpath
import re
import site
import sys
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from cosim.page.guard import CDN

__all__ = ["asset_folder", "cdn_files", "missing_assets"]

_ASKED = re.compile(rf"{CDN}([A-Za-z0-9_@.+/-]+)")
_WITHIN = re.compile(r"url\(\s*[\"']?(?!data:)([A-Za-z0-9_@.+/-]+)")
_PINNED = re.compile(r"@\d+\.\d+\.\d+[^/]*/")

Ask = Callable[[str, str], Awaitable[tuple[int, bytes]]]
"""Asks the server, by method and path: the status and the body of its answer."""


def asset_folder() -> Path:
    """Where ``solara-assets`` put its files; where they would be when it is not installed."""
    places = [Path(sys.prefix), Path(site.getuserbase())]
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        places.append(Path(str(importlib.metadata.distribution("solara-assets").locate_file(""))))
    folders = [place / "share" / "solara" / "cdn" for place in places]
    return next((folder for folder in folders if folder.is_dir()), folders[0])


def cdn_files(folder: Path) -> Starlette:
    """An application that answers `CDN` from a folder: never from elsewhere, and 404 for what is not there."""
    return Starlette(routes=[Mount(CDN.rstrip("/"), app=_Pinned(directory=folder, check_dir=False))])


async def missing_assets(ask: Ask) -> list[str]:
    """Files that the page asks for and the server does not have.

    Parameters
    ----------
    ask : callable
        Asks the server, through all that stands in front of it.
    """
    _, page = await ask("GET", "/")
    asked = list(dict.fromkeys(_ASKED.findall(page.decode())))
    for path in [path for path in asked if path.endswith(".css")]:
        status, body = await ask("GET", CDN + path)
        if status == HTTPStatus.OK:
            asked += (posixpath.normpath(posixpath.join(posixpath.dirname(path), each)) for each in _urls(body))
    return [path for path in asked if (await ask("HEAD", CDN + path))[0] != HTTPStatus.OK]


def _urls(css: bytes) -> list[str]:
    """Files that a style sheet names; of a font in several formats the one that today's browsers take."""
    found = list(dict.fromkeys(_WITHIN.findall(css.decode())))
    modern = {Path(each).stem for each in found if each.endswith(".woff2")}
    return [each for each in found if each.endswith(".woff2") or Path(each).stem not in modern]


class _Pinned(StaticFiles):
    """Files whose folder names their version: a browser asks once."""

    def file_response(self, full_path: Any, stat_result: Any, scope: Scope, status_code: int = 200) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        if _PINNED.search(scope["path"]):
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response
