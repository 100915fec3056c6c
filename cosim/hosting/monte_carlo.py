"""Hosting capacity under uncertainty: the same question for many sampled days, through the sweep engine.

Source: V. J. Nair et al., "Dynamic resource coordination can increase grid hosting capacity", stochastic iterative
approach: scenarios by Gaussian noise on the expected day, static and dynamic capacity of each on its own, in parallel;
the lowest of them is the conservative answer, mean and median are given beside it.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from cosim.folder import write_folder
from cosim.hosting.distribution import summary, summary_lines, what_limits
from cosim.hosting.distribution_figure import distribution_figure
from cosim.hosting.hosting_file import HostingFile
from cosim.hosting.noise import Noise
from cosim.hosting.search import Search
from cosim.input_files import file_hash
from cosim.plots import save_figure
from cosim.results import library_versions
from cosim.strict import Strict
from cosim.sweep import Plan, PlannedRun, Sweep, run_sweep
from cosim.sweep.engine import Tell
from cosim.sweep.identity import MISSING, code_version
from cosim.sweep.kinds import HOSTING
from cosim.sweep.progress import Report
from cosim.toml import toml_text, toml_value

__all__ = ["MonteCarlo", "capacities", "monte_carlo", "plan_of_scenarios", "write_distribution"]

TABLE = ("scenario", "siting_seed", *HOSTING.columns)
"""Columns of what comes of a Monte-Carlo."""


class MonteCarlo(Strict):
    """Which scenarios are sampled.

    Attributes
    ----------
    scenarios : int
    seed : int
        Of all of them; number k is the same however many there are.
    sigma : float
        Standard deviation of sun, load, temperature and price, as a share; see `cosim.hosting.scenarios.noisy`.
    siting : {"fixed", "drawn"}
        Whether devices are at the same nodes in all scenarios, by the definition's seed, so that only the day differs,
        as in the source; or at nodes of their own in each, with windows of their cars.
    """

    scenarios: Annotated[int, Field(ge=1, le=100_000)] = 100
    seed: Annotated[int, Field(ge=0)] = 0
    sigma: Annotated[float, Field(ge=0)] = 0.1
    siting: Literal["fixed", "drawn"] = "fixed"


def plan_of_scenarios(file: HostingFile, settings: MonteCarlo, name: str = "monte-carlo") -> Plan:
    """The plan of a sweep with a run per scenario, each a hosting file of its own that says which scenario it is.

    Raises
    ------
    OSError
        When the sources of the code cannot be read.
    """
    code = code_version()
    inputs = _inputs(file)
    runs = []
    for number in range(settings.scenarios):
        sampled = _sampled(file, settings, number)
        fields = {"scenario": number, "siting_seed": sampled.hosting.seed}
        runs.append(PlannedRun(number, _id_of(sampled, inputs, code), fields, sampled))
    return Plan(
        name=name,
        toml=file.to_toml() + "\n" + toml_text({"monte_carlo": settings.model_dump()}),
        runs=runs,
        code=code,
        inputs=inputs,
        libraries=library_versions(),
        references=False,
        axes={"scenario": settings.scenarios},
        kind=HOSTING,
    )


def monte_carlo(
    file: HostingFile,
    settings: MonteCarlo,
    folder: Path,
    *,
    workers: int | None = None,
    resume: bool = False,
    renew: bool = False,
    progress: Report | None = None,
    tell: Tell | None = None,
) -> Sweep:
    """Find the capacities of all scenarios, each in a process that may die, into a folder that can be resumed.

    Parameters
    ----------
    file : HostingFile
        What is asked, on the expected day.
    settings : MonteCarlo
    folder : Path
        New, empty, or of this Monte-Carlo with `resume`; ``distribution/`` in it says what came of all.
    workers, resume, renew, progress, tell
        As `cosim.sweep.run_sweep` takes them.

    Raises
    ------
    InputErrors, InputError
        When the case cannot be asked on the expected day, or the folder cannot be written.
    SweepStopped, SweepInterrupted
        See `cosim.sweep.run_sweep`; the folder can be resumed.
    """
    file.case()  # what is wrong with it is wrong with every scenario: said here, once
    plan = plan_of_scenarios(file, settings, folder.name)
    sweep = run_sweep(plan, folder, workers=workers, resume=resume, renew=renew, progress=progress, tell=tell)
    if sweep.status.finished:
        write_distribution(sweep, file.hosting.step)
    return sweep


def capacities(sweep: Sweep) -> pd.DataFrame:
    """One row per finished scenario and mode: `TABLE`."""
    sweep.require(HOSTING)
    return sweep.read(TABLE)


def write_distribution(sweep: Sweep, step: float) -> Path:
    """Write ``distribution/`` into a Monte-Carlo's folder: tables, a text, the figure; where it is then.

    Equal results give equal files.
    """
    table = capacities(sweep)
    status = sweep.status

    def fill(target: Path) -> None:
        numbers: dict[str, pd.DataFrame] = {
            "capacities": table,
            "summary": summary(table),
            "limits": what_limits(table),
        }
        for name, frame in numbers.items():
            frame.to_csv(target / f"{name}.csv", index=False, float_format="%.10g")
        failed = [f"{status.failed} scenarios failed: no part of this"] if status.failed else []
        (target / "summary.txt").write_text("\n".join([*summary_lines(table), *failed]) + "\n", encoding="utf-8")
        (target / "manifest.json").write_text(json.dumps({"run_id": "distribution"}) + "\n", encoding="utf-8")
        save_figure(distribution_figure(table, step), target / "distribution.png")

    folder = sweep.folder / "distribution"
    write_folder(folder, "distribution", fill)
    return folder


def _sampled(file: HostingFile, settings: MonteCarlo, number: int) -> HostingFile:
    noise = Noise(seed=settings.seed, scenario=number, sigma=settings.sigma)
    search = file.search or Search()
    definition = file.hosting
    if settings.siting == "drawn":
        drawn = np.random.SeedSequence([settings.seed, number, 1]).generate_state(1)[0]
        definition = definition.model_copy(update={"seed": int(drawn)})
    return file.model_copy(update={"noise": noise, "hosting": definition, "search": search})


def _inputs(file: HostingFile) -> dict[str, str]:
    """SHA-256 of the file of the feeder, by name."""
    found = {}
    for name in filter(None, [file.feeder.file]):
        try:
            found[name] = file_hash(Path(name))
        except OSError:
            found[name] = MISSING
    return found


def _id_of(file: HostingFile, inputs: dict[str, str], code: str) -> str:
    """Twenty hexadecimal digits: the file with contents in place of names of files, and the code."""
    text = file.to_toml()
    for name, digest in inputs.items():
        text = text.replace(toml_value(name), digest)
    return hashlib.sha256(json.dumps([text, code]).encode()).hexdigest()[:20]
