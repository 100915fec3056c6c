"""The browser page: a run, or two rules side by side, watched as it goes. Needs the extra `page`."""

from __future__ import annotations

__all__: list[str] = []
