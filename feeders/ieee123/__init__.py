"""The IEEE 123 node test feeder: its published tables, and a balanced equivalent of it."""

from __future__ import annotations

__all__: list[str] = []
