"""What capacities of many scenarios say together, against numbers by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cosim.hosting.distribution import gains, summary, summary_lines, what_limits
from cosim.hosting.distribution_figure import distribution_figure
from feeders.errors import InputError

NAN = float("nan")


def table(static: list[float], dynamic: list[float]) -> pd.DataFrame:
    """Capacities by scenario; all are ended by voltage, or the base case by a line."""
    rows = [
        (k, mode, level)
        for mode, levels in (("dynamic", dynamic), ("static", static))
        for k, level in enumerate(levels)
    ]
    found = pd.DataFrame(rows, columns=["scenario", "mode", "level"])
    found["stop"] = np.where(found["level"].isna(), "line", "over-voltage")
    found["stop_element"] = np.where(found["level"].isna(), "l1", "83")
    return found


def test_mean_spread_and_worst() -> None:
    found = summary(table([0.4, 0.5, 0.6], [0.8, 0.9, 1.3])).set_index("mode")
    assert found.index.tolist() == ["static", "dynamic"]
    assert found.loc["static", ["mean", "sd", "median", "worst", "best"]].tolist() == pytest.approx(
        [0.5, 0.1, 0.5, 0.4, 0.6]
    )
    # (0.8 + 0.9 + 1.3) / 3 = 1; squares 0.04 + 0.01 + 0.09 = 0.14 over 2.
    assert found.loc["dynamic", ["mean", "sd", "median"]].tolist() == pytest.approx([1.0, 0.07**0.5, 0.9])
    assert found.loc["static", ["p05", "p95"]].tolist() == pytest.approx([0.41, 0.59])  # linear between three


def test_an_infeasible_base_case_is_no_capacity_of_0() -> None:
    some = table([0.4, NAN, 0.6], [0.8, 0.9, 1.0])
    row = summary(some).set_index("mode").loc["static"]
    assert (row["n"], row["n_base_infeasible"], row["mean"], row["worst"]) == (3, 1, pytest.approx(0.5), 0.4)
    lines = list(summary_lines(some))
    assert lines[0] == "static: base case infeasible in 1 of 3 scenarios"
    assert lines[1] == ("static: mean 50.00 %, sd 14.14, median 50.00 %, worst 40.00 %, best 60.00 % (2 scenarios)")
    assert lines[2] == "static: ended by over-voltage at bus 83 (2), line l1 (1)"
    none = summary(table([NAN, NAN], [])).iloc[0]
    assert none["n_base_infeasible"] == 2 and np.isnan(none["mean"])
    assert next(iter(summary_lines(table([NAN, NAN], [])))) == "static: base case infeasible in 2 of 2 scenarios"


def test_one_scenario_has_no_spread() -> None:
    assert np.isnan(summary(table([0.4], [])).iloc[0]["sd"])
    assert "sd" not in next(iter(summary_lines(table([0.4], []))))
    with pytest.raises(InputError, match="at least one that has been answered"):
        summary(table([], []))


def test_gains_are_by_scenario() -> None:
    found = gains(table([0.4, NAN, 0.6], [0.8, 0.9, 0.5]))
    assert found.to_dict() == pytest.approx({0: 0.4, 2: -0.1})
    said = list(summary_lines(table([0.4, NAN, 0.6], [0.8, 0.9, 0.5])))[-1]
    assert said == "dynamic over static, scenario by scenario: mean +15.00 points, less in 1"
    assert gains(table([0.4], [])).empty


def test_what_limits_is_counted() -> None:
    found = what_limits(table([0.4, NAN, NAN], [0.8]))
    assert found.values.tolist() == [
        ["static", "line", "l1", 2],
        ["static", "over-voltage", "83", 1],
        ["dynamic", "over-voltage", "83", 1],
    ]


@pytest.mark.parametrize("static", [[0.4, 0.41, 0.43, 0.43, NAN], [0.4, 0.4], [NAN, NAN]])
def test_the_figure_counts_every_scenario(static: list[float]) -> None:
    """Bars add up to the scenarios that have a capacity, the cumulative line ends at 1, the density has their area."""
    figure = distribution_figure(table(static, []), 0.01)
    upper, lower = figure.axes
    n = int(np.isfinite(static).sum())
    assert sum(bar.get_height() for bar in upper.patches) == n  # type: ignore[attr-defined]
    if n == 0:
        return
    assert lower.lines[0].get_ydata()[-1] == 1.0  # type: ignore[index]
    width = upper.patches[0].get_width()  # type: ignore[attr-defined]
    curves = [line for line in upper.lines if len(line.get_xdata()) > 2]  # type: ignore[arg-type]
    assert len(curves) == (len(set(static)) > 2)
    for curve in curves:
        assert np.trapezoid(curve.get_ydata(), curve.get_xdata()) == pytest.approx(n * width, rel=0.01)
    figure.canvas.draw()
