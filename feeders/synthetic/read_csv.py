"""Shapes from a CSV table, a point a row."""

from __future__ import annotations

import csv
from itertools import groupby

import numpy as np

from feeders.errors import InputError
from feeders.synthetic.shapes import Shape, Shapes

__all__ = ["csv_shapes"]

_DEGREES, _METRES = ("lon", "lat"), ("x_m", "y_m")


def csv_shapes(text: str, where: str, kind: str) -> Shapes:
    """Points, or lines where the kind is street; see `feeders.synthetic.read.read_map`.

    Raises
    ------
    InputError
        With the line of the file.
    """
    table = csv.DictReader(text.splitlines(), restkey="more", strict=True)
    try:
        header = [str(cell).strip() for cell in table.fieldnames or ()]
        table.fieldnames = header
        columns = _columns(header, where)
        rows = [(table.line_num, row) for row in table]
    except csv.Error as error:
        raise InputError(where, f"line {table.line_num}", str(error), "a table separated by commas") from None
    points = [(row["name"], _point(row, columns, f"line {line}", where), row, line) for line, row in rows]
    is_degrees = columns == _DEGREES
    if kind != "street":
        named = [Shape(_name(n, line, where), xy[None], row.get("rating_kva")) for n, xy, row, line in points]
        return Shapes(where, named, is_degrees)
    lines = []
    for name, group in groupby(points, key=lambda point: point[0]):
        members = list(group)
        if len(members) < 2:
            raise InputError(where, f"line {members[0][3]}", name, "a street of at least two rows, one after another")
        lines.append(Shape(_name(name, members[0][3], where), np.array([xy for _, xy, _, _ in members])))
    return Shapes(where, lines, is_degrees)


def _columns(header: list[str], where: str) -> tuple[str, str]:
    for columns in (_DEGREES, _METRES):
        if {"name", *columns} <= set(header):
            return columns
    allowed = "a header with name, lon, lat or name, x_m, y_m, separated by commas"
    raise InputError(where, "line 1", ",".join(header), allowed)


def _point(row: dict[str, str], columns: tuple[str, str], line: str, where: str) -> np.ndarray:
    if "more" in row or None in row.values():
        raise InputError(where, line, "other than the header's number of cells", "a cell for each column")
    try:
        return np.array([float(row[column]) for column in columns])
    except ValueError:
        found = ", ".join(row[column] for column in columns)
        raise InputError(where, line, found, f"numbers with a decimal point in {columns[0]} and {columns[1]}") from None


def _name(name: str, line: int, where: str) -> str:
    if not name.strip():
        raise InputError(where, f"line {line}", None, "a name")
    return name.strip()
