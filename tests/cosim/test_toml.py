"""TOML out, read back by the standard library."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cosim.toml import toml_text

keys = st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True) | st.text(max_size=4)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
scalars = st.one_of(
    st.text(),  # hypothesis gives no lone surrogates here: they are no text in UTF-8
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(min_value=date(1900, 1, 1)),
    st.datetimes(min_value=datetime(1900, 1, 1), timezones=offsets),
)
inline = st.dictionaries(keys, scalars, max_size=2)
items = st.text() | st.integers(0, 9) | st.dates(min_value=date(1900, 1, 1)) | inline
values = st.one_of(scalars, st.lists(items | st.lists(items, max_size=2), max_size=3))
tables: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(keys, values, max_size=4),
    lambda inner: st.dictionaries(keys, values | inner | st.lists(inner, min_size=1, max_size=2), max_size=4),
    max_leaves=8,
)


@given(tables)
def test_what_is_written_reads_back_equal(table: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(table)) == table


@given(st.text(), keys)
def test_any_text_survives_as_a_value(text: str, key: str) -> None:
    assert tomllib.loads(toml_text({key: text})) == {key: text}


def test_shape() -> None:
    data = {"a": 1, "t": {"b": True, "u": {"c": 0.5}}, "rows": ({"x": "é"}, {"x": '"\\\x7f'}), "none": ()}
    assert toml_text(data) == (
        'a = 1\nnone = []\n\n[t]\nb = true\n\n[t.u]\nc = 0.5\n\n[[rows]]\nx = "é"\n\n[[rows]]\nx = "\\"\\\\\\u007f"\n'
    )
    assert toml_text({"at": datetime(2016, 6, 7, 22, tzinfo=UTC)}) == "at = 2016-06-07T22:00:00+00:00\n"
