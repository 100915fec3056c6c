"""A year under measures: counts that follow by hand for one home, and what must hold for several."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from agents.dso.relief import (
    CurA,
    CurB,
    Measure,
    NoisyDayAhead,
    PersistenceDayAhead,
    ProA,
    ProB,
    onset,
    threshold_kw,
)
from agents.mobility import Sessions
from cosim.region import EnergyLostError, HomePrices, RegionCase, YearOutcome, comfort, live_year, status_quo
from cosim.region.year import unstored_kw
from feeders.errors import InputError, InputErrors
from tests.cosim.region.small_cases import few_homes, one_home

DAY = 96


def evening(low: float, high: float, first: int, last: int) -> np.ndarray:
    """Two days of a low value, high in steps ``first .. last - 1`` of the first."""
    values = np.full(2 * DAY, low)
    values[first:last] = high
    return values


@pytest.mark.parametrize(
    ("measures", "left"),
    [
        # 1 kW all day, 3 kW from 18:00 to 19:00; the station carries 2 kW. A battery of 4 kWh and 4 kW is empty.
        ([], [72, 73, 74, 75]),
        # Charged up to 1.8 kW of load from 0:00 to 2:00 and empty long before 18:00.
        ([ProA(hours=2)], [72, 73, 74, 75]),
        # 2 h of 0.8 kW are kept: 1.6 kWh serve 3 kW for two steps, and the third down to 2.6 kW.
        ([ProA(hours=2), ProB()], [74, 75]),
        ([ProA(hours=3), ProB()], [75]),
        ([ProB()], [72, 73, 74, 75]),
        # Without a limit it charges with 4 kW for an hour, which congests the station at midnight.
        ([ProA(hours=2, cap_share=None)], [0, 1, 2, 3, 72, 73, 74, 75]),
        ([ProA(hours=2, cap_share=None), ProB()], [0, 1, 2, 3]),
    ],
)
def test_storage_helps_where_it_is_charged_within_a_limit_and_held(measures: list[Measure], left: list[int]) -> None:
    case = one_home(evening(1.0, 3.0, 72, 76), battery=(4.0, 4.0))
    outcome = live_year(case, measures, threshold_kw=2.0)
    assert np.flatnonzero(outcome.load_violations).tolist() == left
    assert outcome.n_load_violations == len(left)
    assert outcome.n_feedin_violations == 0


def test_heat_that_is_made_up_for_congests_the_station_longer_than_it_was() -> None:
    # 1.5 kW, and 3 kW from 18:00 to 20:00: eight steps above 2 kW. Curbed to 30 % of 6 kW of heat, 8.4 kWh are owed;
    # made up for from 20:00 to 2:00 they add 1.4 kW of heat: 2.2 kW for 24 steps.
    case = one_home(np.zeros(2 * DAY), heat_kw=evening(3.0, 6.0, 72, 80))
    assert live_year(case, threshold_kw=2.0).n_load_violations == 8
    curbed = live_year(case, [CurB()], threshold_kw=2.0)
    assert np.flatnonzero(curbed.load_violations).tolist() == list(range(80, 104))
    np.testing.assert_allclose(curbed.p_region_kw[[72, 80, 103, 104]], [0.9, 2.2, 2.2, 1.5], rtol=1e-12)
    # Over twelve hours the same heat adds 0.35 kW: nothing is left.
    assert live_year(case, [CurB(makeup_h=12.0)], threshold_kw=2.0).n_load_violations == 0
    felt = curbed.comfort.loc["home-0"]
    assert felt["heat_owed_max_kwh"] == felt["heat_deferred_kwh"] == pytest.approx(8.4)
    # 100 m2 of a light building store 5 kWh/K, of a heavy one 13.
    assert felt["temperature_drop_k"] == pytest.approx(8.4 / 5)
    heavy = live_year(case, [CurB()], threshold_kw=2.0, heat_capacity_wh_per_m2_k=130.0)
    assert heavy.comfort.loc["home-0", "temperature_drop_k"] == pytest.approx(8.4 / 13)


def test_a_car_gets_the_rest_at_midnight_with_its_own_power() -> None:
    # 33 kWh from 18:00: twelve steps of 11 kW. With 3.7 kW 22.2 kWh come by midnight, 10.8 kWh in four steps after it.
    car = Sessions(np.array([0]), np.array([72]), np.array([124]), np.array([33.0]))
    case = one_home(np.zeros(2 * DAY), sessions=car)
    assert np.flatnonzero(live_year(case, threshold_kw=5.0).load_violations).tolist() == list(range(72, 84))
    curbed = live_year(case, [CurA()], threshold_kw=5.0)
    assert np.flatnonzero(curbed.load_violations).tolist() == [96, 97, 98, 99]
    np.testing.assert_allclose(curbed.p_region_kw[[72, 95, 96, 99, 100]], [3.7, 3.7, 11.0, 10.2, 0.0], atol=1e-9)
    assert curbed.comfort.loc["home-0", "ev_missed_kwh"] == 0
    assert curbed.comfort.loc["home-0", "ev_delay_h"] > 1
    early = replace(case, sessions=replace(car, departure_step=np.array([96])))
    assert live_year(early, [CurA()], threshold_kw=5.0).comfort.loc["home-0", "ev_missed_kwh"] == pytest.approx(10.8)


THRESHOLD_KW = threshold_kw(unstored_kw(few_homes().today), "critical")


def energy_kwh(outcome: YearOutcome) -> float:
    return float(outcome.p_region_kw.sum() * 0.25)


@pytest.mark.parametrize("scope", ["home", "region"])
@pytest.mark.parametrize(
    "measures", [(), (CurA(),), (CurB(),), (CurA(), CurB(), ProA(), ProB()), (CurB(start="residual"), ProA(), ProB())]
)
def test_energy_is_kept_whatever_is_asked(measures: Sequence[Measure], scope: str) -> None:
    case = few_homes()
    outcome = live_year(case, measures, threshold_kw=THRESHOLD_KW, scope=scope)  # type: ignore[arg-type]
    np.testing.assert_allclose(outcome.p_station_kw.sum(axis=1), outcome.p_region_kw, atol=1e-9)
    served = outcome.inputs
    # By home: what was asked is what was served and what is owed. Of the region: what stores hold came through meters.
    asked = case.inputs.p_ev_kw.sum(axis=0) * 0.25, case.inputs.heat_kw.sum(axis=0) * 0.25
    owed = outcome.comfort["ev_owed_kwh_end"].to_numpy(), outcome.comfort["heat_owed_kwh_end"].to_numpy()
    np.testing.assert_allclose(served.p_ev_kw.sum(axis=0) * 0.25 + owed[0], asked[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(served.heat_kw.sum(axis=0) * 0.25 + owed[1], asked[1], rtol=1e-9, atol=1e-9)
    assert (np.array(owed) >= 0).all()
    through_meters = outcome.dispatch.import_kwh.sum() - outcome.dispatch.export_kwh.sum()
    assert through_meters == pytest.approx(energy_kwh(outcome), rel=1e-9)
    no_stores = live_year(case, measures, threshold_kw=THRESHOLD_KW, storage=False, scope=scope)  # type: ignore[arg-type]
    assert not no_stores.dispatch.battery_kwh.any() and not no_stores.dispatch.tes_kwh.any()
    assert no_stores.p_region_kw == pytest.approx(unstored_kw(no_stores.inputs), rel=1e-9)


def test_without_measures_and_stores_the_region_is_the_sum_of_its_homes() -> None:
    case = few_homes()
    outcome = live_year(case, threshold_kw=THRESHOLD_KW, storage=False)
    i = case.inputs
    meters = i.p_load_kw + i.p_ev_kw + i.heat_kw / i.cop[:, None] - i.p_pv_kw
    np.testing.assert_allclose(outcome.p_region_kw, meters.sum(axis=1), atol=1e-9)
    assert outcome.n_load_violations == (meters.sum(axis=1) > THRESHOLD_KW * (1 + 1e-6)).sum() > 0
    assert outcome.n_feedin_violations == (meters.sum(axis=1) < -THRESHOLD_KW * (1 + 1e-6)).sum() > 0
    cost = 0.25 * (0.40 * np.maximum(meters, 0) - 0.08 * np.maximum(-meters, 0)).sum(axis=0)
    np.testing.assert_allclose(outcome.cost["energy"], cost, rtol=1e-9)
    waits = ["ev_delay_h", "heat_deferred_kwh", "heat_owed_max_kwh", "heat_delay_h", "temperature_drop_k"]
    assert (outcome.comfort[waits] == 0).all(axis=None)
    assert outcome.inputs is case.inputs  # no copy of a year for nothing


def test_what_starts_at_the_rest_starts_where_the_others_leave_congestion() -> None:
    case = few_homes()
    others = live_year(case, [ProA(), ProB()], threshold_kw=THRESHOLD_KW)
    outcome = live_year(case, [ProA(), CurB(start="residual"), ProB()], threshold_kw=THRESHOLD_KW)
    starts = onset(others.p_region_kw, THRESHOLD_KW)
    assert (starts < DAY).sum() > 0 and (starts != outcome.outlook.onset).any()
    for day, start in enumerate(starts):
        capped = outcome.directives.heat_cap[day * DAY :][:DAY] < 1
        assert np.flatnonzero(capped).tolist() == list(range(start, min(start + 8, DAY)))


@pytest.mark.parametrize("day_ahead", [PersistenceDayAhead(), NoisyDayAhead(0.3, seed=5)])
def test_measures_follow_from_the_forecast_and_violations_from_what_happens(day_ahead: PersistenceDayAhead) -> None:
    case = few_homes()
    outcome = live_year(case, [CurB(start="residual"), ProA(), ProB()], threshold_kw=THRESHOLD_KW, day_ahead=day_ahead)
    np.testing.assert_array_equal(outcome.outlook.p_kw, day_ahead.expect(unstored_kw(case.inputs)))
    others = live_year(case, [ProA(), ProB()], threshold_kw=THRESHOLD_KW, day_ahead=day_ahead)
    np.testing.assert_array_equal(outcome.outlook.residual_kw, day_ahead.expect(others.p_region_kw))
    perfect = live_year(case, [ProA(), ProB()], threshold_kw=THRESHOLD_KW)
    assert (others.directives.hold != perfect.directives.hold).any()
    assert (others.load_violations == (others.p_region_kw > THRESHOLD_KW * (1 + 1e-6))).all()


def test_today_there_is_base_load_and_todays_pv_alone() -> None:
    case = few_homes()
    outcome = live_year(status_quo(case), threshold_kw=THRESHOLD_KW)
    np.testing.assert_allclose(outcome.p_region_kw, (case.today.p_load_kw - case.today.p_pv_kw).sum(axis=1), atol=1e-9)
    assert outcome.n_load_violations == 0  # the threshold is today's peak
    assert live_year(status_quo(case), threshold_kw=0.9 * THRESHOLD_KW).n_load_violations > 0


@pytest.mark.parametrize(
    ("measures", "entitled"),
    [
        ((ProA(), ProB()), []),
        ((CurA(),), [0, 3, 6]),  # cars
        ((CurB(),), [0, 1, 2, 4, 5, 6]),  # heat pumps
        ((CurA(), CurB(), ProB()), [0, 1, 2, 3, 4, 5, 6]),
    ],
)
def test_homes_are_paid_for_devices_that_may_be_curbed_once_each(measures: tuple[Measure], entitled: list[int]) -> None:
    outcome = live_year(few_homes(), measures, threshold_kw=THRESHOLD_KW, prices=HomePrices(fee_reduction=365.0))
    paid = np.isin(np.arange(8), entitled) * 10.0  # ten days
    np.testing.assert_allclose(outcome.cost["fee_reduction"], paid, rtol=1e-12)
    np.testing.assert_allclose(outcome.cost["total"], outcome.cost["energy"] - paid, rtol=1e-12)


def test_heat_and_charging_that_get_lost_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    case, whole = few_homes(), comfort.shift_heat

    def leaking(*args: object) -> object:
        shift = whole(*args)  # type: ignore[arg-type]
        return replace(shift, owed_kwh_end=shift.owed_kwh_end - np.eye(8)[2] * 1e-5)

    monkeypatch.setattr(comfort, "shift_heat", leaking)
    with pytest.raises(EnergyLostError, match="heat of home-2: 1e-05 kWh were neither served"):
        live_year(case, [CurB()], threshold_kw=THRESHOLD_KW)


def moved(case: RegionCase, minutes: int) -> RegionCase:
    return replace(case, times=case.times + np.timedelta64(minutes, "m"))


def test_years_that_cannot_be_lived_are_refused() -> None:
    case = few_homes(n_days=2)
    with pytest.raises(InputError, match=r"times: '2030-01-01 00:15:00' is not allowed; allowed: a first step at mid"):
        live_year(moved(case, 15), threshold_kw=1.0)
    with pytest.raises(InputErrors, match="threshold_kw: nan"):
        live_year(case, threshold_kw=np.nan)
    with pytest.raises(InputErrors, match="prices: buy"):
        HomePrices(buy=np.nan)
    with pytest.raises(InputErrors, match="fee_reduction: -1"):
        HomePrices(fee_reduction=-1.0)
    with pytest.raises(InputError, match="heat_capacity_wh_per_m2_k: 0"):
        live_year(case, threshold_kw=1.0, heat_capacity_wh_per_m2_k=0.0)
