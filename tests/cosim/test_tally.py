"""Sums carried on each control step against the definitions on series."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prosumer import STATE, Population, Status, VoltageBand
from cosim import Run, Scenario, indices, run, run_ensemble
from cosim.accounts import COSTS
from cosim.tally import TOTALS, Tally, status_words

pytestmark = pytest.mark.usefixtures("feeders_built_once")

Array = npt.NDArray[np.float64]
BANDS = [VoltageBand(0.95, 0.02, 1.05), VoltageBand(0.99, 0.0, 1.01)]


class Made:
    """A population of two whose state is set by hand."""

    def __init__(self) -> None:
        self.state: Array = np.zeros((len(STATE), 2))
        vars(self).update(zip(STATE, self.state, strict=True))
        self.assets = SimpleNamespace(band=BANDS)

    def __len__(self) -> int:
        return 2


def tallied(series: dict[str, Array]) -> Tally:
    """The tally of series of shape (n_steps, 2); columns that are not given are zero."""
    made = Made()
    tally = Tally(cast(Population, made))
    for step in range(len(next(iter(series.values())))):
        for name, values in series.items():
            made.state[STATE.index(name)] = values[step]
        tally.add()
    return tally


def by_definition(column: dict[str, Array], bands: list[VoltageBand], step_h: float) -> dict[str, Any]:
    """All totals but the cost, from series, each prosumer in its band."""
    vm_pu, status = column["vm_pu"], column["status"].astype(int)
    found: dict[str, Any] = {
        "import_kwh": step_h * np.maximum(column["p_meter_kw"], 0).sum(axis=0),
        "export_kwh": step_h * np.maximum(-column["p_meter_kw"], 0).sum(axis=0),
        "tce_kwh": indices.curtailed_energy(column["p_curtailed_kw"], step_h),
        "n_reversals": indices.voltage_reversals(vm_pu),
        "vm_min_pu": vm_pu.min(axis=0),
        "vm_max_pu": vm_pu.max(axis=0),
    }
    found |= {f"n_{flag.name}".lower(): ((status & flag) != 0).sum(axis=0) for flag in Status}
    each = [(vm_pu[:, row : row + 1], band) for row, band in enumerate(bands)]
    counts = [indices.voltage_counts(values, band) for values, band in each]
    found |= {name: [float(one[name][0]) for one in counts] for name in indices.VOLTAGE_COUNTS}
    found["cvc_pu"] = [float(indices.cumulative_voltage_correction(v, b.dead_pu)[0]) for v, b in each]
    return found


def assert_equal(table: pd.DataFrame, expected: dict[str, Any]) -> None:
    """Counts and extremes to the last bit, sums to 1e-12."""
    assert {*COSTS, *PLANS, *expected} == set(TOTALS) == set(table.columns)
    for name, values in expected.items():
        exact = name.startswith(("n_", "vm_"))
        assert table[name].to_numpy() == pytest.approx(np.asarray(values), rel=0 if exact else 1e-12, abs=0), name


NO_COSTS = dict.fromkeys(COSTS, np.zeros(2))
PLANS = ("n_plans_program", "n_plans_highs")
SHARED = {"market_step_min": 60, "control_step_min": 5, "voltage.vm_min_pu": 0.985, "voltage.vm_max_pu": 1.015}


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "prc", "voltage.dead_pu": 0.005},
        {"rule": "hybrid", "voltage.dead_pu": 0.0},
        {"rule": "prc", "mode": "settled", "voltage.dead_pu": 0.001},
        {"rule": "none", "days": 2, "voltage.dead_pu": 0.01},
    ],
    ids=lambda changes: "-".join(map(str, changes.values())),
)
def test_totals_of_a_run_are_those_of_its_series(four_bus: Scenario, changes: dict[str, Any]) -> None:
    found = run(four_bus.changed({**SHARED, **changes}), references=False)
    column = {name: found.column(name) for name in found.scenario.record}
    assert_equal(found.totals, by_definition(column, [found.scenario.voltage.band] * 3, 5 / 60))
    cost = indices.energy_cost(column["p_meter_kw"], column["price_buy"], column["price_sell"], 5 / 60)
    assert found.totals["cost"].to_numpy() == pytest.approx(cost, rel=1e-12, abs=0)
    assert (found.totals["n_plans_program"] >= found.scenario.days).all() and not found.totals["n_plans_highs"].any()
    words = pd.Series(np.array(status_words())[column["status"].astype(int).ravel()])
    assert found.step_status == words.value_counts().to_dict()
    # Each of them has something to count, or an error in it would go unseen.
    acted = ["tce_kwh", "cvc_pu", "n_above_dead", "n_range_missed", *(["n_reversals"] if "mode" not in changes else [])]
    assert (found.totals[acted].sum() > 0).all() or changes["rule"] != "prc"


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_totals_of_any_series(seed: int, n_steps: int) -> None:
    draw = np.random.default_rng(seed)
    column = {name: draw.normal(0, 3, (n_steps, 2)) for name in ("p_meter_kw", "p_curtailed_kw")}
    column["vm_pu"] = draw.choice([0.94, 0.95, 0.98, 0.9895, 1.0, 1.0005, 1.01, 1.02, 1.05, 1.06], (n_steps, 2))
    column["status"] = draw.integers(0, 2 * max(Status), (n_steps, 2)).astype(float)
    tally = tallied(column)
    expected = by_definition(column, BANDS, 0.25)
    expected["tce_kwh"] = pytest.approx(expected["tce_kwh"], rel=1e-12, abs=1e-12)  # of both signs, which may cancel
    table = tally.table(NO_COSTS, 0.25)
    assert table.pop("tce_kwh").to_numpy() == expected.pop("tce_kwh")
    for name, values in expected.items():
        assert table[name].to_numpy() == pytest.approx(np.asarray(values), rel=1e-12, abs=1e-14), name
    assert sum(tally.step_status(np.array([0, 1])).values()) == 2 * n_steps


def test_an_ensembles_totals_are_those_of_single_runs_to_the_last_bit(four_bus: Scenario) -> None:
    base = four_bus.changed({**SHARED, "voltage.dead_pu": 0.005, "record": []})
    scenarios = [base.changed({"rule": rule, "tariff.kappa": 0.5}) for rule in ("none", "prc", "anrc", "hybrid")]
    for together in run_ensemble(scenarios):
        alone = run(together.scenario, references=False)
        pd.testing.assert_frame_equal(together.indices, alone.indices, check_exact=True)
        assert together.step_status == alone.step_status
    assert isinstance(together, Run)


def test_a_voltage_that_is_no_number_makes_no_number() -> None:
    vm_pu = np.array([[1.0, 1.0], [np.nan, 1.1], [1.0, 1.0]])
    table = tallied({"vm_pu": vm_pu}).table(NO_COSTS, 1.0)
    assert np.isnan(table["cvc_pu"].iloc[0])
    assert table["cvc_pu"].iloc[1] == pytest.approx(0.1)
