"""Distributions as quantile functions: moments against closed forms, limits, refusals.

A moment is the mean over the quantiles of 200,000 equally spaced shares, i.e. the midpoint rule on the integral of
Q(u) or Q(u)^2 from 0 to 1; its error is far below the tolerances here.
"""

from __future__ import annotations

from math import erf, exp, log, pi, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from cosim.distributions import Choice, LogNormal, Normal, Quantity, ShareQuantity, Uniform, limits, quantile
from cosim.errors import input_errors
from cosim.strict import Strict

N = 200_000
SHARES = (np.arange(N) + 0.5) / N


class Sizes(Strict):
    """One field of each sort."""

    size: Quantity = 1.0
    share: ShareQuantity = 0.5


def moments(quantity: Quantity) -> tuple[float, float]:
    values = quantile(quantity, SHARES)
    return float(values.mean()), float(values.std())


def below(z: float) -> float:
    return (1 + erf(z / sqrt(2))) / 2


def density(z: float) -> float:
    return exp(-z * z / 2) / sqrt(2 * pi)


def test_a_number_is_itself() -> None:
    assert (quantile(2.5, SHARES[:3]) == 2.5).all()
    assert limits(2.5) == (2.5, 2.5)


def test_uniform() -> None:
    """Mean (a + b) / 2, variance (b - a)^2 / 12."""
    assert moments(Uniform(low=1.0, high=4.0)) == pytest.approx((2.5, 3 / sqrt(12)), rel=1e-6)


def test_normal_far_from_its_limits() -> None:
    """Zero is ten standard deviations away: mean and std are as given."""
    assert moments(Normal(mean=5.0, std=0.5)) == pytest.approx((5.0, 0.5), rel=1e-4)


def test_truncated_normal() -> None:
    """With a, b the limits in standard deviations and Z the mass between them: mean m + s (f(a) - f(b)) / Z,
    variance s^2 (1 + (a f(a) - b f(b)) / Z - ((f(a) - f(b)) / Z)^2)."""
    a, b = (1 - 5) / 2, (6 - 5) / 2
    mass = below(b) - below(a)
    shift = (density(a) - density(b)) / mass
    std = 2 * sqrt(1 + (a * density(a) - b * density(b)) / mass - shift**2)
    assert moments(Normal(mean=5.0, std=2.0, min=1.0, max=6.0)) == pytest.approx((5 + 2 * shift, std), rel=1e-6)


def test_lognormal_has_the_mean_and_deviation_of_the_value() -> None:
    # 1e-3: the midpoint rule misses some of the far tail.
    assert moments(LogNormal(mean=3.5, std=1.5)) == pytest.approx((3.5, 1.5), rel=1e-3)


def test_truncated_lognormal() -> None:
    """E[x | x < h] = mean * Phi((ln h - m - s^2) / s) / Phi((ln h - m) / s)."""
    s = sqrt(log(1 + (1.5 / 3.5) ** 2))
    m = log(3.5) - s * s / 2
    top = (log(5.0) - m) / s
    mean = 3.5 * below(top - s) / below(top)
    assert moments(LogNormal(mean=3.5, std=1.5, max=5.0))[0] == pytest.approx(mean, rel=1e-6)


def test_choice_by_weights() -> None:
    values = quantile(Choice(values=(10.0, 5.0, 7.0), weights=(1.0, 3.0, 0.0)), SHARES)
    assert [(values == size).mean() for size in (10.0, 5.0, 7.0)] == [0.25, 0.75, 0.0]
    equal = quantile(Choice(values=(1.0, 2.0, 3.0)), SHARES)
    assert np.unique(equal, return_counts=True)[1] == pytest.approx([N / 3] * 3, abs=1)


sizes = st.floats(0, 1e6)
positive = st.floats(1e-3, 1e6)
shares_of_std = st.floats(1e-3, 1e3)  # room that leaves some of the distribution, whatever its spread
some = st.one_of(
    st.builds(lambda low, more: Uniform(low=low, high=low + more), sizes, sizes),
    st.builds(
        lambda mean, std, room: Normal(mean=mean, std=std, max=mean + room * std), sizes, positive, shares_of_std
    ),
    st.builds(
        lambda mean, std, room: LogNormal(mean=mean, std=std, max=mean + room * std), positive, positive, shares_of_std
    ),
    st.builds(lambda values: Choice(values=tuple(values)), st.lists(sizes, min_size=1)),
)


@given(some, st.lists(st.floats(0, 1, exclude_max=True), min_size=1))
def test_every_draw_is_within_the_limits(quantity: Quantity, shares: list[float]) -> None:
    values = quantile(quantity, np.array([*shares, 0.0, np.nextafter(1.0, 0.0)]))
    low, high = limits(quantity)
    assert ((low <= values) & (values <= high)).all()


@given(st.floats(0, 1e3), st.floats(1e-3, 1e3), st.floats(0, 1, exclude_max=True))
def test_a_quantile_is_the_value_below_which_its_share_lies(mean: float, std: float, share: float) -> None:
    normal = Normal(mean=mean, std=std)
    (value,) = quantile(normal, np.array([share]))
    zero = below(-mean / std)
    assert (below((value - mean) / std) - zero) / (1 - zero) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (
            {"size": "big"},
            ["size: 'big' is not allowed; allowed: a number, or a table with the kind of a distribution"],
        ),
        ({"size": -1}, ["size: -1 is not allowed; allowed: a number >= 0"]),
        ({"size": {"low": 1}}, ["size.kind: nothing given; allowed: uniform, normal, lognormal, choice"]),
        (
            {"size": {"kind": "unifrm"}},
            ["size.kind: 'unifrm' is not allowed; allowed: uniform, normal, lognormal, choice"],
        ),
        (
            {"size": {"kind": "normal", "mean": 5, "sd": 0, "std": 0}},
            [
                "size.std: 0 is not allowed; allowed: a number > 0",
                "size.sd: 0 is not allowed; allowed: a known key; nearest: std",
            ],
        ),
        (
            {"size": {"kind": "uniform", "low": 3, "high": 1}},
            ["size.low: 3.0 is not allowed; allowed: at most high, 1"],
        ),
        (
            {"size": {"kind": "normal", "mean": 5, "std": 1, "min": 50}},
            [
                "size.min, max: (50.0, inf) is not allowed; "
                "allowed: limits that leave some of the distribution, mean 5, std 1"
            ],
        ),
        (
            {"size": {"kind": "choice", "values": [1, 2], "weights": [1]}},
            ["size.weights: [1.0] is not allowed; allowed: as many weights as values, 2, not all of them 0"],
        ),
        (
            {"size": {"kind": "choice", "values": [1, 2], "weights": [0, 0]}},
            ["size.weights: [0.0, 0.0] is not allowed; allowed: as many weights as values, 2, not all of them 0"],
        ),
        (
            {"size": {"kind": "choice", "values": []}},
            ["size.values: [] is not allowed; allowed: an array of at least 1"],
        ),
        (
            {"size": {"kind": "choice", "values": 3}},
            ["size.values: 3 is not allowed; allowed: an array of values, e.g. [2, 3]"],
        ),
        (
            {"share": {"kind": "normal", "mean": 0.5, "std": 0.2}},
            [
                "share: 'a normal up to inf' is not allowed; "
                "allowed: a number from 0 to 1, or a distribution of such, with a max where it needs one"
            ],
        ),
    ],
)
def test_refusals(data: dict[str, Any], lines: list[str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Sizes.model_validate(data)
    assert [str(error) for error in input_errors(refused.value, data, "s", Sizes)] == [f"s: {line}" for line in lines]
