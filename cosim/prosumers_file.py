"""Prosumers as a table that people edit: CSV, one row per prosumer, the columns the fields of `ProsumerSpec`.

The dialect is that of `cosim.series`: UTF-8, comma between columns, point in decimals. An empty cell, or a column
left out, is the field's default. Text stands as it is; text that could be misread (empty, with quotes or spaces at its
ends, a bus whose name is a number) stands in quotes as in TOML.
"""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from cosim.errors import input_errors, known_key
from cosim.new_file import write_new
from cosim.prosumer_spec import ProsumerSpec
from cosim.scenario import Scenario
from cosim.series import NUMBER, Row, csv_rows
from cosim.toml import toml_value
from feeders.errors import InputError, InputErrors

__all__ = [
    "DRAWN",
    "ProsumerTable",
    "prosumers_csv",
    "read_prosumers",
    "read_table",
    "with_drawn",
    "write_drawn",
    "write_prosumers",
]

DRAWN = "prosumers.csv"
"""In the folder of a run, the prosumers who were drawn or read; those of a list are in its scenario."""

_FIELDS = ProsumerSpec.model_fields
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_BOOLS = {"true": True, "false": False}  # any case: spreadsheets shout


def prosumers_csv(prosumers: Iterable[ProsumerSpec]) -> str:
    """The table as text; `read_prosumers` gives equal prosumers back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_FIELDS)
    writer.writerows([_cell(name, value) for name, value in prosumer] for prosumer in prosumers)
    return text.getvalue()


def write_prosumers(path: Path, prosumers: Iterable[ProsumerSpec]) -> None:
    """Write the table whole or not at all; a file that holds something else is left as it is.

    Raises
    ------
    InputError
        When the file cannot be written, or is there already with other content.
    """
    write_new(path, prosumers_csv(prosumers).encode())


@dataclass
class ProsumerTable:
    """What a file holds: its prosumers, the row of each by id, and all offences of the other rows."""

    path: Path
    prosumers: list[ProsumerSpec] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    errors: list[InputError] = field(default_factory=list)

    def placed(self, error: InputError) -> InputError:
        """An error in a prosumer's field, ``prosumers.ID.FIELD``, as one in a cell of the file."""
        name, _, column = error.field.removeprefix("prosumers.").rpartition(".")
        if name not in self.rows:
            return error
        where = f"row {self.rows[name]}, column {column!r}"
        return InputError(str(self.path), where, error.value, error.allowed)


def read_prosumers(path: Path) -> tuple[ProsumerSpec, ...]:
    """Read the table.

    Raises
    ------
    InputError
        When it is no CSV file.
    InputErrors
        All other offences at once, each with its row (the header is row 1), column and value.
    """
    table = read_table(path)
    if table.errors:
        raise InputErrors(table.errors)
    return tuple(table.prosumers)


def read_table(path: Path) -> ProsumerTable:
    """Read the table as far as it can be read; an `InputError` or `InputErrors` where it is no such table at all."""
    table, where = ProsumerTable(path), str(path)
    rows = csv_rows(path, where)
    header = _header(next(rows, (1, []))[1], where)
    for row in rows:
        if not any(cell.strip() for cell in row[1]):
            continue  # spreadsheets leave such rows at the end
        errors, prosumer = _prosumer(row, header, where)
        table.errors += errors
        if prosumer is None:
            continue
        if prosumer.id in table.rows:
            allowed = f"an id of its own for each prosumer: row {table.rows[prosumer.id]} has it"
            table.errors.append(InputError(where, f"row {row[0]}, column 'id'", prosumer.id, allowed))
            continue
        table.rows[prosumer.id] = row[0]
        if not errors:
            table.prosumers.append(prosumer)
    return table


def write_drawn(path: Path, scenario: Scenario) -> None:
    """Write the prosumers of a resolved scenario beside it, unless the scenario lists them itself."""
    if scenario.has_source:
        write_prosumers(path, scenario.prosumers)


def with_drawn(path: Path, scenario: Scenario) -> Scenario:
    """The scenario with the prosumers that `write_drawn` wrote, where it has."""
    if not (scenario.has_source and path.is_file()):
        return scenario
    return scenario.model_copy(update={"prosumers": read_prosumers(path)})


def _header(cells: list[str], where: str) -> list[str]:
    names = [cell.strip() for cell in cells]
    found = []
    if "id" not in names or "bus" not in names:
        allowed = f"a header with at least 'id' and 'bus', separated by commas: {','.join(_FIELDS)}"
        raise InputError(where, "row 1", ",".join(cells), allowed)
    for position, name in enumerate(names):
        field = f"row 1, column {position + 1}"
        if name not in _FIELDS:
            found.append(InputError(where, field, name, known_key(name, list(_FIELDS))))
        elif name in names[:position]:
            found.append(InputError(where, field, name, "each column once"))
    if found:
        raise InputErrors(found)
    return names


def _prosumer(row: Row, header: list[str], where: str) -> tuple[list[InputError], ProsumerSpec | None]:
    """One row as a prosumer, or what is wrong with it."""
    number, cells = row
    if len(cells) != len(header):
        allowed = f"{len(header)} cells as in the header, separated by commas, with a decimal point"
        return [InputError(where, f"row {number}", ",".join(cells), allowed)], None
    texts = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
    data: dict[str, Any] = {}
    found: dict[str, InputError] = {}
    for name, text in texts.items():
        if text:
            try:
                data[name] = _READERS[name](text)
            except ValueError as error:
                found[name] = InputError(where, f"row {number}, column {name!r}", text, str(error))
    try:
        prosumer = ProsumerSpec.model_validate(data)
    except ValidationError as error:
        for problem in input_errors(error, data, where, ProsumerSpec):
            name = problem.field
            value = texts.get(name) or None
            found.setdefault(name, InputError(where, f"row {number}, column {name!r}", value, problem.allowed))
        return list(found.values()), None
    return list(found.values()), prosumer


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        return repr(value)
    misread = value != value.strip() or not value or value[0] == '"' or not value.isprintable()
    return toml_value(value) if misread or (name == "bus" and _WHOLE.fullmatch(value)) else value


def _text(cell: str) -> str:
    if cell[0] != '"':
        return cell
    try:
        value = tomllib.loads(f"value = {cell}")
    except tomllib.TOMLDecodeError:
        value = {}
    if len(value) != 1:
        raise ValueError("text, or text in double quotes as in TOML")
    return str(value["value"])


def _bus(cell: str) -> int | str:
    return int(cell) if _WHOLE.fullmatch(cell) else _text(cell)


def _number(cell: str) -> float:
    if not NUMBER.fullmatch(cell):
        raise ValueError("a finite number with a decimal point, e.g. 0.25; empty for the default")
    return float(cell)


def _bool(cell: str) -> bool:
    if cell.lower() not in _BOOLS:
        raise ValueError("true or false")
    return _BOOLS[cell.lower()]


def _types(annotation: Any) -> set[type]:
    members = get_args(annotation)
    if get_origin(annotation) is Literal:
        return {type(member) for member in members}
    if not members:
        return {annotation} if isinstance(annotation, type) else set()
    return {found for member in members for found in _types(member)}


def _reader(annotation: Any) -> Any:
    """How a cell of a field is read, by the field's type."""
    types = _types(annotation)
    if {int, str} <= types:
        return _bus
    return _text if str in types else _bool if bool in types else _number


_READERS = {name: _reader(field.annotation) for name, field in _FIELDS.items()}
