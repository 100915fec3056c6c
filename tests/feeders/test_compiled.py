"""Compiled loops: what is kept on disk must never be older than any of its sources."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_HELPER = """
from feeders.compiled import compiled

@compiled
def factor(x: float) -> float:
    return {factor} * x
"""

_CALLER = """
from feeders.compiled import compiled
from feeders.helper import factor

@compiled
def scaled(x: float) -> float:
    return factor(x)
"""


def test_a_changed_file_reaches_the_compiled_callers_in_other_files(tmp_path: Path) -> None:
    """Numba alone looks at the caller's file only, and keeps the old factor."""
    package = tmp_path / "feeders"
    package.mkdir()
    (package / "__init__.py").touch()
    source = Path(__file__).parents[2] / "feeders" / "compiled.py"
    (package / "compiled.py").write_bytes(source.read_bytes())
    (package / "caller.py").write_text(_CALLER)
    found = []
    for factor in (2.0, 2.0, 3.0):
        (package / "helper.py").write_text(_HELPER.format(factor=factor))
        code = "from feeders.caller import scaled; print(scaled(1.0), sum(scaled.stats.cache_hits.values()))"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
        found.append(done.stdout.split())
    assert found == [["2.0", "0"], ["2.0", "1"], ["3.0", "0"]]
