"""Rows for the branches of a tree, so that none crosses another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["place_forest"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_COLUMNS_MAX = 4096


@dataclass(frozen=True)
class _Shape:
    """A trunk with its branches, on rows relative to the trunk's: highest and lowest one used, column by column."""

    first: int
    upper: IntArray
    lower: IntArray


def place_forest(x: FloatArray, parent: IntArray) -> FloatArray:
    """Rows of the nodes of a forest, so that edges drawn with elbows never cross.

    An edge goes from its parent along the row's axis, at the parent's ``x``, to the child's row, and on that row to
    the child. From each root, and from each branch's first node, the child that reaches farthest goes on straight.
    All others branch off, from the far end of a trunk to the near one, to the nearest row that is free over all
    columns that the branch needs: what is placed later branches off nearer to the root, left of all that was placed
    before, and so crosses none of it. Branches that follow one another share rows.

    Parameters
    ----------
    x : ndarray, shape (n,)
        Distance from the root; larger at a child than at its parent, at least 0 at roots.
    parent : ndarray of int, shape (n,)
        Parent of each node, -1 for a root.

    Returns
    -------
    ndarray, shape (n,)
        Rows: whole numbers from 0 on. The trees lie one below the other, the first root's on top.
    """
    children = _children(parent)
    reach = _reach(x, parent)
    straight = [max(kids, key=lambda kid: (reach[kid], -kid)) if kids else -1 for kids in children]
    heads = [node for node in range(len(x)) if parent[node] < 0 or straight[parent[node]] != node]
    width = _column_width(x, parent)
    shapes: dict[int, _Shape] = {}
    row = np.zeros(len(x), dtype=np.int64)  # of a head: above its parent's trunk
    for head in sorted(heads, key=lambda node: (-x[node], node)):
        shapes[head] = _trunk(head, x, parent, children, straight, reach, width, shapes, row)
    return _rows(x, parent, straight, shapes, row)


def _trunk(
    head: int,
    x: FloatArray,
    parent: IntArray,
    children: list[list[int]],
    straight: list[int],
    reach: FloatArray,
    width: float,
    shapes: dict[int, _Shape],
    row: IntArray,
) -> _Shape:
    """Place the branches of the trunk that begins at `head`: sets their `row`, takes their shapes."""
    nodes = [head]
    while straight[nodes[-1]] >= 0:
        nodes.append(straight[nodes[-1]])
    first = int(x[max(parent[head], 0) if parent[head] >= 0 else head] / width)
    n_columns = int(reach[head] / width) + 2 - first  # one more, so that a branch ends before the next one begins
    upper, lower = np.zeros((2, n_columns), dtype=np.int64)
    is_above = False
    for node in reversed(nodes):
        branches = [kid for kid in children[node] if kid != straight[node]]
        for kid in sorted(branches, key=lambda kid: (reach[kid], kid)):
            shape = shapes.pop(kid)
            at = slice(shape.first - first, shape.first - first + len(shape.upper))
            above = int((upper[at] - shape.lower).max()) + 1
            below = int((shape.upper - lower[at]).max()) + 1
            is_above = above < below or (above == below and not is_above)  # in turn, if both are as near
            row[kid] = above if is_above else -below
            upper[at] = np.maximum(upper[at], shape.upper + row[kid])
            lower[at] = np.minimum(lower[at], shape.lower + row[kid])
    return _Shape(first, upper, lower)


def _rows(x: FloatArray, parent: IntArray, straight: list[int], shapes: dict[int, _Shape], row: IntArray) -> FloatArray:
    """Rows of all nodes, from those of heads above their parents' trunks."""
    found = np.zeros(len(x))
    free = 0
    for root in np.flatnonzero(parent < 0)[::-1].tolist():  # the last one's lies lowest
        shape = shapes[root]
        found[root] = free - shape.lower.min()
        free += int(shape.upper.max() - shape.lower.min()) + 1
    for node in np.argsort(x, kind="stable").tolist():  # parents first
        if parent[node] >= 0:
            found[node] = found[parent[node]] + (0 if straight[parent[node]] == node else row[node])
    return found


def _children(parent: IntArray) -> list[list[int]]:
    children: list[list[int]] = [[] for _ in parent]
    for node, above in enumerate(parent.tolist()):
        if above >= 0:
            children[above].append(node)
    return children


def _reach(x: FloatArray, parent: IntArray) -> FloatArray:
    """Largest distance in each node's subtree."""
    reach = x.copy()
    for node in np.argsort(-x, kind="stable").tolist():  # children first
        if parent[node] >= 0:
            reach[parent[node]] = max(reach[parent[node]], reach[node])
    return reach


def _column_width(x: FloatArray, parent: IntArray) -> float:
    inner = parent >= 0
    if not inner.any():
        return 1.0
    least = float((x[inner] - x[parent[inner]]).min())
    return max(least / 2, float(x.max()) / _COLUMNS_MAX)
