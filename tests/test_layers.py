"""experiments -> cosim -> agents -> feeders: imports go to the right alone, and never in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("feeders", "agents", "cosim", "experiments")


def read(root: Path) -> dict[str, ast.Module]:
    """The syntax tree of every module of the layers under `root`, by dotted name; a package by its own."""
    files = [path for layer in LAYERS for path in sorted((root / layer).rglob("*.py"))]
    return {".".join(path.relative_to(root).with_suffix("").parts): ast.parse(path.read_text()) for path in files}


def violations(files: Mapping[str, ast.Module]) -> list[str]:
    """Imports to the left and star imports, wherever they stand; circles of the imports done while loading."""
    trees = {name.removesuffix(".__init__"): tree for name, tree in files.items()}
    found = []
    for name, tree in trees.items():
        for target in imports(ast.walk(tree), trees):
            if target.endswith(".*"):
                found.append(f"{name}: star import of {target[:-2]}")
            elif LAYERS.index(target.split(".")[0]) > LAYERS.index(name.split(".")[0]):
                found.append(f"{name} imports {target}, which is above it")
    loading = {name: set(imports(executed(tree), trees)) for name, tree in trees.items()}
    try:
        TopologicalSorter(loading).prepare()
    except CycleError as error:
        found.append("circle: " + " -> ".join(error.args[1]))
    return found


def imports(nodes: Iterable[ast.AST], known: Iterable[str]) -> Iterator[str]:
    """Modules of the layers that the nodes import: ``from package import x`` is package.x where that is a module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            targets = [name if name in known or name.endswith(".*") else str(node.module) for name in names]
        else:
            continue
        yield from (target for target in targets if target.split(".")[0] in LAYERS)


def executed(tree: ast.AST) -> Iterator[ast.AST]:
    """Nodes that run when a module is loaded: no bodies of functions, nothing for the type checker alone."""
    for node in ast.iter_child_nodes(tree):
        type_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if not type_only and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield node
            yield from executed(node)


def test_layers_and_circles() -> None:
    files = read(ROOT)
    assert {name.split(".")[0] for name in files} == set(LAYERS)
    assert violations(files) == []


def test_every_module_says_what_is_public() -> None:
    def public(tree: ast.Module) -> bool:
        return any(
            isinstance(node, ast.Assign | ast.AnnAssign) and ast.unparse(node).startswith("__all__")
            for node in tree.body
        )

    assert [name for name, tree in read(ROOT).items() if not public(tree)] == []


PLANTED = {
    "upward": ("feeders/a.py", "from cosim.clock import Clock", "feeders.a imports cosim.clock, which is above it"),
    "upward, plain": ("agents/a.py", "import cosim.clock", "agents.a imports cosim.clock, which is above it"),
    "upward, in a function": (
        "agents/a.py",
        "def f():\n    from experiments import x",
        "agents.a imports experiments, which is above it",
    ),
    "upward, for types": (
        "agents/a.py",
        "if TYPE_CHECKING:\n    from cosim import x",
        "agents.a imports cosim, which is above it",
    ),
    "star": ("cosim/a.py", "from agents.grid import *", "cosim.a: star import of agents.grid"),
    "circle": ("agents/a.py", "from agents.b import y", "circle: agents.a -> agents.b -> agents.a"),
}


@pytest.mark.parametrize(("file", "source", "complaint"), PLANTED.values(), ids=PLANTED)
def test_a_planted_violation_is_found(tmp_path: Path, file: str, source: str, complaint: str) -> None:
    sources = {"agents/b.py": "from agents import a", "agents/__init__.py": "", "feeders/ok.py": "import numpy"}
    for name, text in {**sources, file: source}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (found,) = violations(read(tmp_path))
    assert found in (complaint, "circle: agents.b -> agents.a -> agents.b")


def test_circles_through_functions_and_types_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/a.py").write_text("if TYPE_CHECKING:\n    import agents.b\ndef f():\n    import agents.b\n")
    (tmp_path / "agents/b.py").write_text("import agents.a\n")
    assert violations(read(tmp_path)) == []
