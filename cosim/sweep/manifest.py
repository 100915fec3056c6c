"""What the runs of a sweep depend on, as it was when they were begun, and what has changed since."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cosim.checkpoint import DamagedError
from cosim.sweep.identity import MISSING
from cosim.sweep.plan import Plan

__all__ = ["changes_since", "manifest_of", "parquet_bytes", "read_manifest", "same_making"]

_HASH = re.compile(r"[0-9a-f]{12,}")


def manifest_of(plan: Plan, table: bytes) -> dict[str, Any]:
    """The manifest of a plan whose table is the Parquet file `table`: equal plans give equal values."""
    return {
        "kind": "sweep",
        "of": plan.kind.name,
        "name": plan.name,
        "runs": len(plan.runs),
        "plan": hashlib.sha256(table).hexdigest(),
        "code": plan.code,
        "references": plan.references,
        "plugins": list(plan.plugins),
        "libraries": dict(plan.libraries),
        "inputs": dict(sorted(plan.inputs.items())),
    }


def read_manifest(path: Path) -> dict[str, Any] | None:
    """The manifest in a file; None where there is no file.

    Raises
    ------
    DamagedError
        When it is no manifest of a sweep.
    """
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedError(path, str(error)) from None
    if not isinstance(found, dict) or found.get("kind") != "sweep":
        raise DamagedError(path, "it is not the manifest of a sweep")
    return found


def changes_since(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What finished runs depend on that is not as it was: kind, code, libraries, input files; each from what to what.

    A file that is no longer read has not changed, nor has one that was not there before.
    """
    found = _differing("", old, new, ("of", "code", "references"))
    before, after = old.get("libraries", {}), new["libraries"]
    found += _differing("library ", before, after, sorted({*before, *after}))
    before, after = old.get("inputs", {}), new["inputs"]
    known = (name for name in sorted(before.keys() & after.keys()) if before[name] != MISSING)
    return found + _differing("input ", before, after, known)


def same_making(run: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether a run was made as a sweep makes it, by the manifests of both: code, references, libraries."""
    versions, libraries = run.get("versions", {}), new["libraries"]
    return all(run.get(key) == new[key] for key in ("code", "references")) and all(
        versions.get(name) == libraries[name] for name in versions.keys() & libraries.keys()
    )


def parquet_bytes(table: pa.Table) -> bytes:
    """A table as a Parquet file in memory: equal tables give equal bytes."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    found: bytes = sink.getvalue().to_pybytes()
    return found


def _differing(what: str, old: Mapping[str, Any], new: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    return [
        f"{what}{name} {_short(old.get(name))} -> {_short(new.get(name))}"
        for name in names
        if old.get(name) != new.get(name)
    ]


def _short(value: object) -> str:
    text = value if isinstance(value, str) else "none" if value is None else json.dumps(value)
    return _HASH.sub(lambda found: found[0][:8], text)
