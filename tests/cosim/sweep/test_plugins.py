"""Plugins: imported once, by path; whatever is wrong with one is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from agents.prosumer import RULES
from cosim.plugins import load_plugin
from feeders.errors import InputError
from tests.cosim.sweep.cases import write_plugin


def test_a_plugin_registers_its_rules_once_however_often_it_is_loaded(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        """
        from agents.prosumer import register_rule
        from agents.prosumer.rules import no_rule
        register_rule("of-a-plugin", no_rule)
        """,
    )
    try:
        first = load_plugin(plugin)
        assert load_plugin(tmp_path / "." / "plugin.py") is first
        assert "of-a-plugin" in RULES
    finally:
        RULES.pop("of-a-plugin", None)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("x = 1\nraise KeyError('gone')\n", "line 2", "KeyError: 'gone'"),
        ("x = 1\ndef f(:\n", "line 2", "SyntaxError"),
        ("import sys\n\nsys.exit('a script')\n", "line 3", "SystemExit: a script"),
        ("import no_such_module\n", "line 1", "ModuleNotFoundError"),
        ("def f():\n    1 / 0\nf()\n", "line 2", "ZeroDivisionError"),
        ("raise ValueError('one\\ntwo')\n", "line 1", "ValueError: one two"),
    ],
)
def test_a_plugin_that_cannot_be_imported_is_one_line(tmp_path: Path, text: str, line: str, said: str) -> None:
    plugin = write_plugin(tmp_path, text)
    for _ in range(2):  # not tried again: what it registered before it failed is there already
        with pytest.raises(InputError) as caught:
            load_plugin(plugin)
        assert (caught.value.where, caught.value.field) == (str(plugin), line)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_plugin_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file") as caught:
        load_plugin(tmp_path / "gone.py")
    assert isinstance(caught.value.__cause__, FileNotFoundError)
    (tmp_path / "notes.txt").write_text("x = 1", encoding="utf-8")
    with pytest.raises(InputError, match=r"NAME\.py"):
        load_plugin(tmp_path / "notes.txt")
