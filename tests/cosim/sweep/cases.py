"""Tiny runs, and plugins whose rules do what a sweep has to survive."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from cosim import Scenario
from cosim.sweep import Task
from cosim.sweep.identity import code_version

__all__ = ["PLUGIN", "TINY", "task", "write_plugin"]

# One day of the four-bus case in steps of an hour: 50 ms.
TINY = Scenario(market_step_min=60, control_step_min=60, record=("vm_pu",))

PLUGIN = """
import os, signal, sys, time
from pathlib import Path
import numpy as np
from agents.prosumer import register_rule
from agents.prosumer.rules import prc
from agents.errors import PlanError

HERE = Path(__file__).parent


def rule(work):
    def ruled(vm_pu, rating_kva, band):
        changed = work()
        return prc(vm_pu, rating_kva, band) if changed is None else changed
    register_rule(work.__name__, ruled)


@rule
def fine(): pass

@rule
def sleeps():
    (HERE / "began").touch()
    time.sleep(3600)

@rule
def spins():
    (HERE / "began").touch()
    10 ** 10 ** 9  # one long call that does not let go of the interpreter

@rule
def dies():
    print("last words", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

@rule
def dies_once():
    if not (HERE / "died").exists():
        (HERE / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)

@rule
def leaves(): os._exit(7)

@rule
def exits(): sys.exit("enough")

@rule
def crashes():
    import ctypes
    ctypes.string_at(0)

@rule
def eats():
    held = []
    while True:
        held.append(np.ones(4_000_000))
        time.sleep(0.02)

@rule
def asks_too_much(): np.ones(10**16)

@rule
def raises(): raise KeyError("no such thing")

@rule
def opens(): open("/no/such/file")

@rule
def cannot_plan(): raise PlanError("nobody can plan this")

@rule
def prints():
    print("x" * 100_000)
    os.write(1, b'{"id": "someone else"}\\n')

@rule
def closes():
    os.closerange(3, 100)

@rule
def starts():
    import subprocess
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", str(HERE)])
    time.sleep(3600)
"""


def write_plugin(folder: Path, text: str = PLUGIN) -> Path:
    """A plugin in a folder."""
    path = folder / "plugin.py"
    path.write_text(dedent(text), encoding="utf-8")
    return path


def task(folder: Path, rule: str = "prc", plugin: Path | None = None, number: int = 0, **limits: float) -> Task:
    """A tiny run with a rule, into a folder as a store makes it."""
    for name in ("runs", "working"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    plugins = () if plugin is None else (str(plugin),)
    scenario = TINY.changed({"rule": rule, "seed": number + 1}).to_toml()
    code = code_version(tuple(map(Path, plugins)))
    return Task(number, f"{rule}-{number}", scenario, str(folder), code, plugins, **limits)  # type: ignore[arg-type]
