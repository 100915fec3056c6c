"""Who owns what: counts, seeds, and that more of one thing changes nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosim.region import Penetration, allocate, station_mixes
from feeders.errors import InputErrors
from tests.cosim.region.small_region import PAPER

ASSETS = ("pv", "heat_pump", "ev", "battery", "thermal_store")
SHARES = st.floats(0, 1)


def homes_of(counts: dict[str, int]) -> pd.Series:
    return pd.Series({f"{name}-{n}": name for name, count in counts.items() for n in range(count)})


def test_the_counts_of_the_three_mixes() -> None:
    station = homes_of(PAPER)
    owns = allocate(station, station_mixes(list(PAPER)), seed=3)
    counts = owns.groupby(station).sum().loc[list(PAPER)]
    # Shares of 56, 140 and 123 homes, rounded: 118 has 60 % PV, 80 has 33 % EV, all else the averages.
    assert counts["pv_today"].tolist() == [14, 35, 31]  # 25 %: 14.0, 35.0, 30.75
    assert counts["pv"].tolist() == [34, 56, 49]  # 33.6, 56.0, 49.2
    assert counts["heat_pump"].tolist() == [34, 84, 74]  # 60 %: 33.6, 84.0, 73.8
    assert counts["ev"].tolist() == [11, 46, 25]  # 11.2, 46.2, 24.6
    assert counts["battery"].tolist() == [31, 50, 44]  # 90 % of those with PV: 30.6, 50.4, 44.1
    assert owns["thermal_store"].equals(owns["pv"] & owns["heat_pump"])
    assert not (owns["battery"] & ~owns["pv"]).any()
    assert not (owns["pv_today"] & ~owns["pv"]).any()


def test_halves_are_rounded_up() -> None:
    station = homes_of({"A": 10})
    for share, count in ((0.35, 4), (0.349, 3), (0.05, 1), (0.0, 0), (1.0, 10)):
        assert allocate(station, {"A": Penetration(pv=share)}, 0)["pv"].sum() == count


@settings(max_examples=30)
@given(pv=st.tuples(SHARES, SHARES), ev=SHARES, seed=st.integers(0, 9), exact=st.booleans())
def test_more_of_one_thing_takes_nothing_from_anybody(
    pv: tuple[float, float], ev: float, seed: int, exact: bool
) -> None:
    station = homes_of({"A": 13, "B": 7})
    few, many = (
        allocate(station, dict.fromkeys("AB", Penetration(pv=share, ev=ev)), seed, exact=exact) for share in sorted(pv)
    )
    assert not (few["pv"] & ~many["pv"]).any()
    assert few["ev"].equals(many["ev"])
    assert few["heat_pump"].equals(many["heat_pump"])


@settings(max_examples=20)
@given(gone=st.sets(st.integers(0, 19), max_size=19))
def test_without_exact_numbers_no_home_depends_on_another(gone: set[int]) -> None:
    station = homes_of({"A": 20})
    left = station.drop(station.index[sorted(gone)])
    mixes = {"A": Penetration()}
    whole, part = (allocate(homes, mixes, 1, exact=False) for homes in (station, left))
    pd.testing.assert_frame_equal(part, whole.loc[left.index])


def test_without_exact_numbers_shares_are_met_on_average() -> None:
    n = 4000
    mix = Penetration(pv=0.4, heat_pump=0.6, ev=0.2, battery=0.9, thermal_store=0.5)
    owns = allocate(homes_of({"A": n}), {"A": mix}, 0, exact=False)
    within = {"pv": 1.0, "heat_pump": 1.0, "ev": 1.0, "battery": mix.pv, "thermal_store": mix.pv * mix.heat_pump}
    for asset in ASSETS:
        share = within[asset] * getattr(mix, asset)  # of all homes; assets are drawn independently
        assert abs(owns[asset].mean() - share) < 5 * np.sqrt(share * (1 - share) / n)


def test_seeds() -> None:
    station, mixes = homes_of(PAPER), station_mixes(list(PAPER))
    assert allocate(station, mixes, 1).equals(allocate(station, mixes, 1))
    assert not allocate(station, mixes, 1)["pv"].equals(allocate(station, mixes, 2)["pv"])


def test_mixes() -> None:
    names, average = ["A", "B", "C", "D"], Penetration(pv=0.3, ev=0.1)
    paper = station_mixes(names, average=average)
    focus_pv, focus_ev = replace(average, pv=0.6), replace(average, ev=0.33)
    assert paper == {"A": focus_pv, "B": focus_ev, "C": average, "D": average}
    assert station_mixes(names, "focus-ev") == dict.fromkeys(names, Penetration(ev=0.33))
    own = Penetration(pv=1.0)
    assert station_mixes(["A", "B"], {"B": own}) == {"A": Penetration(), "B": own}


def test_wrong_penetrations_stations_and_mixes() -> None:
    with pytest.raises(InputErrors) as raised:
        Penetration(pv=1.2, ev=-0.1)
    assert raised.value.lines() == [
        "penetration: pv: 1.2 is not allowed; allowed: a share from 0 to 1",
        "penetration: ev: -0.1 is not allowed; allowed: a share from 0 to 1",
    ]
    with pytest.raises(InputErrors, match="share from 0 to 1"):
        Penetration(heat_pump=float("nan"))
    with pytest.raises(InputErrors, match="'81' is not allowed; allowed: a station of the region, such as 80"):
        station_mixes(["80", "118"], {"81": "focus-pv"})
    with pytest.raises(InputErrors, match=r"mix\.A: 'focus' is not allowed; allowed: a penetration, or one of focus"):
        station_mixes(["A"], "focus")
