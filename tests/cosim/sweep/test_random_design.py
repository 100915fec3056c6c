"""Latin hypercubes over fields, and seeds of replications."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosim.sweep.random_design import RandomSpec, samples
from cosim.sweep.seeds import replication_seeds

counts = st.integers(1, 60)
seeds = st.integers(0, 2**63 - 1)


def drawn(n: int, seed: int, **fields: dict[str, Any]) -> dict[str, list[Any]]:
    return samples(RandomSpec.model_validate({"samples": n, "fields": fields}), seed)


@given(counts, seeds)
def test_each_part_of_a_range_holds_one_sample(n: int, seed: int) -> None:
    found = drawn(n, seed, even={"low": 2.0, "high": 5.0}, log={"low": 0.1, "high": 10.0, "log": True})
    parts = [(np.array(found["even"]) - 2) / 3, (np.log10(found["log"]) + 1) / 2]
    for share in parts:
        # Of n samples one in each n-th part of the range: sorted, the k-th lies between k/n and (k+1)/n.
        below = np.arange(n) / n
        assert (np.sort(share) >= below - 1e-12).all() and (np.sort(share) <= below + 1 / n + 1e-12).all()


@given(st.integers(1, 8), st.integers(1, 5), seeds)
def test_each_choice_and_each_whole_number_comes_equally_often(times: int, n_values: int, seed: int) -> None:
    choices = [f"c{k}" for k in range(n_values)]
    whole = {"low": 3, "high": 2 + n_values, "integer": True}
    fields = {"c": {"choices": choices}} | ({"i": whole} if n_values > 1 else {})
    found = drawn(times * n_values, seed, **fields)
    assert sorted(found["c"]) == sorted(choices * times)
    if n_values > 1:
        assert sorted(found["i"]) == sorted(list(range(3, 3 + n_values)) * times)
        assert all(type(value) is int for value in found["i"])


@given(counts, seeds)
def test_whole_numbers_in_the_logarithm_stay_within_their_limits(n: int, seed: int) -> None:
    found = drawn(n, seed, i={"low": 1, "high": 100, "integer": True, "log": True})["i"]
    assert min(found) >= 1 and max(found) <= 100
    # floor(1 * 101**u): of all, the share log(11) / log(101) is at most 10, to one stratum.
    assert abs(sum(value <= 10 for value in found) / n - np.log(11) / np.log(101)) <= 1 / n


def test_the_same_seed_gives_the_same_and_other_fields_change_nothing() -> None:
    x, y = {"low": 0.0, "high": 1.0}, {"choices": [1, 2, 3]}
    both = drawn(9, 4, x=x, y=y)
    assert both == drawn(9, 4, x=x, y=y)
    assert both["x"] == drawn(9, 4, x=x)["x"] == drawn(9, 4, y=y, x=x)["x"]
    assert both["x"] != drawn(9, 5, x=x)["x"] and both["x"] != drawn(9, 4, z=x)["z"]
    spec = RandomSpec.model_validate({"samples": 9, "seed": 5, "fields": {"x": x}})
    assert samples(spec, 4) == drawn(9, 5, x=x)


def test_strata_of_two_fields_are_matched_at_random() -> None:
    unit = {"low": 0.0, "high": 1.0}
    found = drawn(2000, 1, x=unit, y=unit)
    # Correlation of n independent pairs has a standard deviation of about 1/sqrt(n) = 0.022: four of them.
    assert abs(np.corrcoef(found["x"], found["y"])[0, 1]) < 0.09


@given(seeds, st.integers(1, 20), st.integers(0, 20))
def test_seeds_are_the_first_of_more_and_fit_a_scenario(seed: int, n: int, more: int) -> None:
    found = replication_seeds(seed, n)
    assert found == replication_seeds(seed, n + more)[:n]
    assert len(set(found)) == n and all(0 <= each < 2**63 for each in found)


def test_seeds_are_those_of_numpy_s_spawned_sequences() -> None:
    children = np.random.SeedSequence(1).spawn(2)
    expected = [int(child.generate_state(1, np.uint64)[0]) // 2 for child in children]
    assert replication_seeds(1, 2) == expected
    assert replication_seeds(2, 2) != expected


@pytest.mark.parametrize("field", [{"low": 1.0, "high": 3.0}, {"low": 1, "high": 3, "integer": True}])
def test_a_single_sample_lies_within_the_limits(field: dict[str, Any]) -> None:
    (value,) = drawn(1, 0, x=field)["x"]
    assert 1 <= value <= 3
