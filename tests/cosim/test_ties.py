"""Which of equally cheap plans homes follow, as scenarios say it and as a run lives it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from agents.prosumer import RECORDED
from cosim import ProsumerSpec, Run, Scenario, run
from cosim.build import build_assets
from cosim.population import draw, resolve
from cosim.population_spec import PopulationSpec
from feeders import load_feeder
from feeders.errors import InputErrors

BATTERY = RECORDED.index("p_battery_kw")
PERIODS = [{"start": "22:00", "end": "06:00", "price": 0.15}, {"start": "06:00", "end": "22:00", "price": 0.30}]


def lived(ties: Any, **changes: Any) -> Run:
    """Two winter days, from noon to noon, of thirty equal homes with large batteries at two prices."""
    scenario = Scenario.from_dict(
        {
            "start": datetime(2016, 12, 6, 11, tzinfo=UTC),
            "days": 2,
            "rule": "none",
            "control_step_min": 15,
            "feeder": {"name": "kerber-dorfnetz"},
            "tariff": {"kind": "time-of-use", "kappa": 0.4, "periods": PERIODS},
            "population": {
                "n": 30,
                "battery_kwh": 6.0,
                "pv_share": 0.0,
                "inverter_kva": 6.0,
                "load_profiles": ["H0-A"],
                "flexible_share": 0.0,
                "ties": ties,
            },
            **changes,
        }
    )
    return run(scenario, references=False)


@pytest.mark.parametrize("horizon", ["shrinking", "rolling"])
def test_a_herd_is_a_matter_of_ties_and_the_bill_is_not(horizon: str) -> None:
    late, spread = (lived(ties, horizon=horizon) for ties in ("late", "random"))
    peaks = [float(found.frames[:, BATTERY].sum(axis=1).max()) for found in (late, spread)]
    assert peaks[0] == pytest.approx(30 * 3 / 0.95, rel=1e-6)  # all at once, at full power
    assert peaks[1] < 0.6 * peaks[0]  # drawn: a quarter on average, and five deviations of 8 %
    assert np.sum(spread.indices["cost"]) == pytest.approx(np.sum(late.indices["cost"]), rel=1e-6)


def test_both_planners_live_the_same_drawn_day() -> None:
    program, highs = (lived("random", planner=planner, days=1) for planner in ("dynamic-program", "highs"))
    assert highs.frames == pytest.approx(program.frames, rel=0, abs=1e-6)
    another = lived("random", planner="dynamic-program", days=1, seed=2)
    power = [found.frames[:, BATTERY] for found in (program, another)]
    assert np.abs(power[0] - power[1]).max() > 1


def test_a_population_has_one_behaviour_or_several_all_equally_likely() -> None:
    feeder = load_feeder("four-bus")

    def drawn(**fields: Any) -> Counter[str]:
        people = draw(PopulationSpec.model_validate({"n": 900, **fields}), 1, feeder)
        return Counter(p.ties for p in people)

    assert drawn() == {"late": 900}
    assert drawn(ties="random") == {"random": 900}
    several = drawn(ties=["late", "random"])
    assert several.keys() == {"late", "random"}
    assert abs(several["late"] - 450) < 5 * 15  # five deviations of sqrt(900 / 4)
    spec = Scenario.from_dict({"population": {"n": 2, "ties": "early"}})
    assert Scenario.from_dict(spec.model_dump(exclude_none=True, exclude={"prosumers"})) == spec


def test_one_home_and_all_homes_can_be_changed_and_the_seed_goes_along() -> None:
    scenario = Scenario(seed=7).changed({"prosumers.*.ties": "random", "prosumers.home-3.ties": "early"})
    owned = build_assets(resolve(scenario), load_feeder("four-bus"))
    assert owned.ties.tolist() == ["random", "early", "random"]
    assert owned.seed.tolist() == [7, 7, 7]
    assert ProsumerSpec(id="a", bus=2).ties == "late"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"prosumers": [{"id": "a", "bus": 2, "ties": "soon"}]}, r"prosumers\.a\.ties: 'soon' is not allowed; .*late"),
        ({"population": {"n": 1, "ties": "soon"}}, r"population\.ties.*: 'soon' is not allowed; .*late"),
        ({"population": {"n": 1, "ties": []}}, r"population\.ties"),
    ],
)
def test_another_behaviour_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(InputErrors, match=message):
        Scenario.from_dict(data)
