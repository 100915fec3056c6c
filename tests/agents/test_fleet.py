"""Fleets: devices as columns, who is away when, and what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.prosumer.fleet import Fleet, FleetInputs
from feeders.errors import InputErrors


def fleet(**columns: list[float]) -> Fleet:
    zeros = np.zeros(2)
    ratings = {name: zeros for name in ("pv_kw", "battery_kw", "ev_kw", "hp_kw")}
    given = {name: np.array(values) for name, values in columns.items()}
    return Fleet(names=["a", "b"], bus=np.array([3, 4]), **{**ratings, **given})


def test_published_sizes_are_the_usual_ones() -> None:
    """Nair et al.: a battery of 3 h, a car of 70 kWh behind 9.6 kW, heat pumps of 5.6 kW."""
    found = fleet(battery_kw=[10.0, 0.0], ev_kw=[9.6, 19.2], hp_kw=[5.6, 56.0])
    np.testing.assert_allclose(found.battery_kwh, [30.0, 0.0])
    np.testing.assert_allclose(found.ev_kwh, [70.0, 140.0])
    np.testing.assert_allclose(found.n_rooms, [1.0, 10.0])


@given(
    leaves=st.floats(0, 23.99),
    returns=st.floats(0, 23.99),
    start_h=st.floats(0, 23.99),
    step_h=st.sampled_from([0.25, 0.5, 1.0]),
)
def test_a_car_is_away_as_long_as_its_window(leaves: float, returns: float, start_h: float, step_h: float) -> None:
    """In a day of steps, whenever it begins: the window's hours (over midnight too), but for the steps at its ends."""
    away = fleet(ev_leaves_h=[leaves] * 2, ev_returns_h=[returns] * 2).away(step_h, round(24 / step_h), start_h)
    window_h = (returns - leaves) % 24
    np.testing.assert_allclose(away.sum(axis=0) * step_h, window_h, atol=step_h + 1e-9)


def test_a_step_counts_by_its_middle() -> None:
    away = fleet(ev_leaves_h=[9.0, 22.0], ev_returns_h=[17.0, 2.0]).away(1.0, 24)
    assert np.flatnonzero(away[:, 0]).tolist() == list(range(9, 17))
    assert np.flatnonzero(away[:, 1]).tolist() == [0, 1, 22, 23]
    later = fleet(ev_leaves_h=[9.0, 22.0], ev_returns_h=[17.0, 2.0]).away(1.0, 24, start_h=12.0)
    np.testing.assert_array_equal(later, np.roll(away, -12, axis=0))


def test_rows_keep_their_columns() -> None:
    whole = fleet(pv_kw=[1.0, 2.0], cop=[2.0, 3.0])
    for part in (whole.rows(np.array([1])), whole.rows(np.array([False, True]))):
        assert part.names == ["b"]
        assert (part.bus.item(), part.pv_kw.item(), part.cop.item()) == (4, 2.0, 3.0)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("pv_kw", -1.0),
        ("hp_kw", np.nan),
        ("battery_efficiency", 0.0),
        ("battery_efficiency", 1.01),
        ("battery_self_discharge_per_h", 1.0),
        ("battery_soc_min", 1.5),
        ("ev_soc_target", 90.0),
        ("ev_leaves_h", 24.0),
        ("hp_unit_kw", 0.0),
        ("cop", -2.5),
        ("set_point_c", 295.65),
        ("hp_ramp", 0.0),
        ("q_share", -0.1),
    ],
)
def test_what_cannot_be_is_named(column: str, value: float) -> None:
    with pytest.raises(InputErrors) as caught:
        fleet(**{column: [0.5 if column.startswith(("battery_", "ev_soc")) else 1.0, value]})
    assert [error.field for error in caught.value.errors] == [f"b.{column}"]


def test_lengths_and_names_are_looked_at() -> None:
    with pytest.raises(InputErrors, match="one value per row, 2"):
        fleet(pv_kw=[1.0, 2.0, 3.0])
    with pytest.raises(InputErrors, match="names that differ"):
        replace(fleet(), names=["a", "a"])


def inputs(n_steps: int = 4) -> FleetInputs:
    return FleetInputs(*np.zeros((2, n_steps, 3)), *np.arange(3 * n_steps).reshape(3, -1) / (3 * n_steps))


def test_inputs_can_be_cut() -> None:
    cut = inputs().steps([1, 3])
    np.testing.assert_allclose(cut.pv_share, inputs().pv_share[[1, 3]])
    assert (len(cut), cut.p_load_kw.shape) == (2, (2, 3))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"p_load_kw": np.zeros((3, 3))}, "p_load_kw"),
        ({"q_load_kvar": np.full((4, 3), np.inf)}, "q_load_kvar"),
        ({"t_out_c": np.full(4, np.nan)}, "t_out_c"),
        ({"price": np.zeros(5)}, "price"),
        ({"pv_share": np.array([0.0, -0.1, 0.0, 0.0])}, "pv_share"),
        ({"pv_share": np.array([0.0, 100.0, 0.0, 0.0])}, "pv_share"),
        ({"step_h": 60.0}, "step_h"),
    ],
)
def test_inputs_that_cannot_be_are_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(InputErrors) as caught:
        replace(inputs(), **change)  # type: ignore[arg-type]
    assert [error.field for error in caught.value.errors] == [field]
