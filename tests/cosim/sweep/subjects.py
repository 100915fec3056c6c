"""What the monkey is let loose on: real sweeps, with the writer as it is or a naive one, and the toy."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.cosim.command_line import COSIM
from tests.cosim.sweep import toy
from tests.cosim.sweep.chaos import Subject

__all__ = ["PLUGINS", "SUBJECTS", "WORKER", "sweep_subject", "toy_subject"]

PLUGINS = Path(__file__).parent / "plugins"

WORKER = "cosim.sweep.child"
"""In the command lines of the processes that do the runs of a sweep."""

_SWEEP = """\
name = "chaos"

[limits]
attempts = 10 # the monkey may hit the same run several times

[set]
"forecast.kind" = "noisy"
"forecast.load_error" = 0.2

[grid]
rule = ["watched", "watched-too"]
seed = [{seeds}]
"""


def toy_subject(work: Path, runs: int, mode: str = "careful") -> Subject:
    """The toy in one of its modes."""
    return Subject(lambda folder, resume: toy.command(mode, folder, runs), toy.WORKER, 0.3)


def sweep_subject(work: Path, runs: int, plugin: str = "watched.py") -> Subject:
    """A sweep of four-bus days that differ by the seeds of their forecasts; two each share what they compare with."""
    file = work / "sweep.toml"
    file.write_text(_SWEEP.format(seeds=", ".join(map(str, range(1, runs // 2 + 1)))), encoding="utf-8")

    def command(folder: Path, resume: bool) -> list[str]:
        options = ["--out", str(folder), "--workers", "2", "--plugin", str(PLUGINS / plugin)]
        return [*COSIM, "sweep", str(file), *options, *(["--resume"] if resume else [])]

    return Subject(command, WORKER, 1.5)


SUBJECTS: dict[str, Callable[[Path, int], Subject]] = {
    "sweep": sweep_subject,
    "naive-sweep": partial(sweep_subject, plugin="naive_writer.py"),
    **{f"toy-{mode}": partial(toy_subject, mode=mode) for mode in toy.MODES},
}
