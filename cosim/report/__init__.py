"""A run or a sweep as one HTML file that needs nothing else."""

from __future__ import annotations

__all__: list[str] = []
