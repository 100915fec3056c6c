"""Whatever is done to the folder of a run, it is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim import run
from cosim.sweep import write_run
from cosim.sweep.checksums import CHECKSUMS, NEEDED, bytes_on_disk, checked_bytes, is_valid, verified
from tests.cosim.sweep.sweep_cases import BASE, new_folder, task_of

FILES = sorted([*NEEDED, CHECKSUMS, "timeseries.parquet", "prosumers.csv"])


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with every kind of file but those of an operator."""
    root = tmp_path_factory.mktemp("checksums")
    homes = root / "homes.csv"
    homes.write_text("id,bus\na,2\nb,4\n")
    task = task_of(new_folder(root))
    write_run(task, run(BASE.changed({"prosumers_file": str(homes), "record": ["vm_pu"]}), references=False))
    return root / "runs" / task.id


@pytest.fixture
def own_run(whole_run: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(whole_run, tmp_path / "run"))


def test_what_was_written_is_valid(whole_run: Path) -> None:
    assert sorted(path.name for path in whole_run.iterdir()) == FILES
    assert is_valid(whole_run)
    assert checked_bytes(whole_run) == bytes_on_disk(whole_run) > 0


@given(st.data())
def test_any_other_byte_anywhere(whole_run: Path, data: st.DataObject) -> None:
    path = whole_run / data.draw(st.sampled_from(FILES))
    content = path.read_bytes()
    place = data.draw(st.integers(0, len(content) - 1))
    other = content[place] ^ data.draw(st.integers(1, 255))
    with spoilt(path, content[:place] + bytes([other]) + content[place + 1 :]):
        assert not is_valid(whole_run)
        assert path.name == CHECKSUMS or verified(whole_run, path.name) is None
    assert is_valid(whole_run)


def test_every_byte_of_the_checksums_counts(whole_run: Path) -> None:
    """Even where JSON would read the same: other white space, or 'A' for 'a'."""
    path = whole_run / CHECKSUMS
    content = path.read_bytes()
    for place, byte in enumerate(content):
        other = 0x09 if chr(byte).isspace() else byte ^ 0x20
        with spoilt(path, content[:place] + bytes([other]) + content[place + 1 :]):
            assert not is_valid(whole_run), (place, chr(byte), chr(other))


@pytest.mark.parametrize("name", FILES)
def test_files_cut_short_longer_empty_gone_or_of_another_name(own_run: Path, name: str) -> None:
    path = own_run / name
    content = path.read_bytes()
    for other in (content[:-1], content[: len(content) // 2], content + b"\n", b""):
        path.write_bytes(other)
        assert not is_valid(own_run)
    path.unlink()
    assert not is_valid(own_run)
    (own_run / f"{name}.new").write_bytes(content)
    assert not is_valid(own_run)
    (own_run / f"{name}.new").rename(path)
    assert is_valid(own_run)
    path.rename(own_run.parent / name)
    path.symlink_to(own_run.parent / name)
    assert not is_valid(own_run)


def test_more_than_was_written(own_run: Path) -> None:
    (own_run / "more.txt").touch()
    assert not is_valid(own_run)
    (own_run / "more.txt").unlink()
    (own_run / "more").mkdir()
    assert not is_valid(own_run)
    (own_run / "more").rmdir()
    assert is_valid(own_run)


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_a_file_that_every_run_has_is_missed_even_where_nothing_names_it(own_run: Path, name: str) -> None:
    sums = json.loads((own_run / CHECKSUMS).read_bytes())
    del sums[name]
    (own_run / name).unlink()
    (own_run / CHECKSUMS).write_text(json.dumps(sums, indent=1, sort_keys=True) + "\n")
    assert not is_valid(own_run)


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"a": 1}', b"\xff", b"null", b"{"])
def test_checksums_that_are_none(own_run: Path, content: bytes) -> None:
    (own_run / CHECKSUMS).write_bytes(content)
    assert not is_valid(own_run)
    assert verified(own_run, "manifest.json") is None


def test_no_folder(tmp_path: Path) -> None:
    assert not is_valid(tmp_path / "nothing")
    assert bytes_on_disk(tmp_path / "nothing") == 0
    (tmp_path / "file").touch()
    assert not is_valid(tmp_path / "file")
    assert verified(tmp_path, "file") is None


@contextmanager
def spoilt(path: Path, content: bytes) -> Iterator[None]:
    """A file with another content for a while."""
    before = path.read_bytes()
    path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(before)
