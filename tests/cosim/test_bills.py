"""Terms and bills: by hand, against each other, and the laws that any bill obeys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from cosim.tariff import DemandCharge, FlatTariff, Period, Tariff, TimeOfUseTariff
from feeders.errors import InputError

Array = npt.NDArray[np.float64]
TARIFF: TypeAdapter[Any] = TypeAdapter(Tariff)
PEAK = {"name": "peak", "price": 8.0, "days": "weekday", "start": "17:00", "end": "20:00"}
ANY = {"name": "any", "price": 0.5, "per": "day"}
KINDS: dict[str, dict[str, Any]] = {
    "flat": {"kind": "flat", "price_buy": 0.3, "price_sell": 0.1},
    "time-of-use": {"kind": "time-of-use", "preset": "ontario-2023", "kappa": 0.4},
    "real-time": {"kind": "real-time", "file": "p.csv", "column": "buy", "column_sell": "sell", "unit": "currency/MWh"},
    "synthetic": {"kind": "synthetic", "kappa": 0.5, "negative_rate": 0.2},
}


def quarters(first: str, n: int = 96) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=n, freq="15min", tz="UTC")


WEEK = quarters("2016-06-08T22:00", 7 * 96)  # Thursday to Wednesday in Berlin, whose time the tariffs are read in


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hourly prices of that week."""
    folder = tmp_path_factory.mktemp("prices")
    draw = np.random.default_rng(1)
    rows = [f"{hour:%Y-%m-%dT%H:%MZ},{(buy := draw.normal(40, 40))},{buy - draw.random()}" for hour in WEEK[::4]]
    (folder / "p.csv").write_text("\n".join(["time,buy,sell", *rows]))
    return folder


def powers(seed: int, n_customers: int = 3, n_steps: int = len(WEEK)) -> Array:
    return np.random.default_rng(seed).normal(0.5, 2.0, (n_steps, n_customers))


@pytest.mark.parametrize("kind", KINDS)
def test_terms_and_bills_of_every_kind_agree(kind: str, folder: Path) -> None:
    tariff = TARIFF.validate_python({**KINDS[kind], "demand_charges": [PEAK, ANY], "fixed_per_day": 0.25})
    p_kw, prices = powers(2), tariff.prices(WEEK, folder=folder)
    terms = tariff.terms(WEEK, 3, folder=folder)
    assert (terms.price_buy == prices.price_buy[:, None]).all()
    assert (terms.price_sell == prices.price_sell[:, None]).all()
    assert (terms.step_h, terms.demand_window.shape, terms.demand_price.shape) == (0.25, (8, 672), (8, 3))
    bill = tariff.bill(WEEK, p_kw, names=["a", "b", "c"], folder=folder)
    assert bill.energy + bill.demand == pytest.approx(terms.bills(p_kw), rel=1e-12)
    assert bill.fixed.tolist() == [7 * 0.25] * 3
    assert bill.items.groupby("customer")["amount"].sum().to_numpy() == pytest.approx(bill.total, rel=1e-12)
    amounts = bill.items["price"] * bill.items["quantity"] * np.where(bill.items["item"] == "energy sold", -1, 1)
    assert bill.items["amount"].to_numpy() == pytest.approx(amounts.to_numpy(), rel=1e-12)
    # The same from the times alone.
    local = WEEK.tz_convert("Europe/Berlin")
    imported = np.maximum(p_kw, 0)
    cost = (prices.price_buy @ imported - prices.price_sell @ (imported - p_kw)) / 4
    evening = (local.dayofweek < 5) & (local.hour >= 17) & (local.hour < 20)
    days = pd.DataFrame(imported).groupby(local.date).max().sum()
    assert bill.energy + bill.demand == pytest.approx(cost + 8 * imported[evening].max(axis=0) + 0.5 * days.to_numpy())


def test_a_bill_by_hand() -> None:
    """Two hours from 16:30 UTC, a Thursday: 18:30 in Berlin, the window from 19:00 to 20:00."""
    periods = (
        Period(start="00:00", end="19:00", price=0.2, name="day"),
        Period(start="19:00", end="24:00", price=0.4, name="evening"),
    )
    charges = (DemandCharge(name="peak", price=10.0, start="19:00", end="20:00", days="weekday"),)
    tariff = TimeOfUseTariff(periods=periods, price_sell=0.1, demand_charges=charges, fixed_per_day=0.6)
    times = quarters("2016-06-09T16:30", 8)
    p_kw = np.array([[4.0, -8.0, 1.0, 2.0, 3.0, 2.0, 9.0, 0.0]]).T
    items = tariff.bill(times, p_kw, names=["home"]).items
    assert items.columns.tolist() == [
        *("customer", "item", "name", "billing_period", "quantity", "unit", "price", "amount", "peak_at")
    ]
    assert items.drop(columns="peak_at").to_numpy().tolist() == [
        ["home", "energy bought", "day", "", 1.0, "kWh", 0.2, 0.2],  # a quarter of 4 kW
        ["home", "energy bought", "evening", "", 4.25, "kWh", 0.4, pytest.approx(1.7)],  # of 1 + 2 + 3 + 2 + 9 kW
        ["home", "energy sold", "", "", 2.0, "kWh", 0.1, -0.2],
        ["home", "demand", "peak", "2016-06", 3.0, "kW", 10.0, 30.0],  # 9 kW come after 20:00
        ["home", "fixed", "", "", pytest.approx(2 / 24), "day", 0.6, pytest.approx(0.05)],
    ]
    assert items["peak_at"].dropna().tolist() == [pd.Timestamp("2016-06-09T17:30Z")]


def demand(times: pd.DatetimeIndex, p_kw: Array, **charge: Any) -> list[tuple[str, float, float]]:
    """Billing period, quantity and price of the demand items of a flat tariff's bill, one customer."""
    calendar = {"timezone": charge.pop("timezone", "UTC"), "holidays": charge.pop("holidays", None)}
    tariff = FlatTariff.model_validate({"price_buy": 0.0, "demand_charges": [{"price": 6.0, **charge}], **calendar})
    items = tariff.bill(times, p_kw[:, None]).items
    rows = items[items["item"] == "demand"]
    return list(rows[["billing_period", "quantity", "price"]].itertuples(index=False, name=None))


def test_billing_periods_are_those_of_the_local_calendar() -> None:
    times = pd.date_range("2016-06-30T20:00", periods=6, freq="h", tz="UTC")  # 22:00 to 04:00 in Berlin
    p_kw = np.array([5.0, 4.0, 3.0, 2.0, 1.0, 2.5])
    berlin = {"timezone": "Europe/Berlin"}
    assert demand(times, p_kw, per="month", **berlin) == [("2016-06", 5.0, 6.0), ("2016-07", 3.0, 6.0)]
    assert demand(times, p_kw, per="day", **berlin) == [("2016-06-30", 5.0, 6.0), ("2016-07-01", 3.0, 6.0)]
    assert demand(times, p_kw, per="run", **berlin) == [("", 5.0, 6.0)]
    assert demand(times, p_kw) == [("2016-06", 5.0, 6.0), ("2016-07", 1.0 + 1.5, 6.0)]
    # A window that opens in one of the two days alone; it goes on after midnight in the morning of the same day.
    assert demand(times, p_kw, per="day", start="23:30", end="01:00", **berlin) == [("2016-07-01", 3.0, 6.0)]


def test_a_part_of_a_period_pays_in_full_or_by_the_hours() -> None:
    june = pd.date_range("2016-06-01", periods=6 * 24, freq="h", tz="UTC")
    assert demand(june, np.ones(144)) == [("2016-06", 1.0, 6.0)]
    assert demand(june, np.ones(144), pro_rata=True) == [("2016-06", 1.0, pytest.approx(6.0 * 6 / 30))]
    assert demand(june, np.ones(144), pro_rata=True, per="run") == [("", 1.0, 6.0)]
    # March in Berlin has 743 hours, its 27th day 23, of which 11 remain after noon.
    spring = pd.date_range("2016-03-27T10:00", periods=12, freq="h", tz="UTC")
    berlin = {"timezone": "Europe/Berlin", "pro_rata": True}
    assert demand(spring, np.ones(12), **berlin) == [("2016-03", 1.0, pytest.approx(6.0 * 12 / 743))]
    assert demand(spring, np.ones(12), per="day", **berlin) == [("2016-03-27", 1.0, pytest.approx(6.0 * 12 / 23))]


def test_a_holiday_is_no_weekday_and_in_windows_of_weekends() -> None:
    week = pd.date_range("2016-06-06", periods=7 * 24, freq="h", tz="UTC")  # from Monday on; Tuesday is off
    p_kw = np.repeat([1.0, 7.0, 2.0, 3.0, 2.0, 5.0, 4.0], 24)
    off = {"holidays": {"dates": ["2016-06-07"]}}
    found = {days: demand(week, p_kw, days=days, **off)[0][1] for days in ("weekday", "weekend", "holiday", "all")}
    assert found == {"weekday": 3.0, "weekend": 7.0, "holiday": 7.0, "all": 7.0}
    assert demand(week, p_kw, days="weekend")[0][1] == 5.0


def test_the_metering_interval_averages_on_the_wall_clock() -> None:
    times = quarters("2016-06-08T12:15", 7)  # 12:15 | 12:30 12:45 | 13:00 13:15 | 13:30 13:45
    p_kw = np.array([5.0, 8.0, -4.0, 3.0, 4.0, 0.0, 9.0])
    assert demand(times, p_kw, metering_min=15)[0][1] == 9.0
    assert demand(times, p_kw, metering_min=30)[0][1] == 5.0  # the first has but its second half; then 4, 3.5, 4.5
    assert demand(times[1:], p_kw[1:], metering_min=30)[0][1] == 4.5
    assert demand(times[1:], p_kw[1:], metering_min=30, end="13:30")[0][1] == 4.0
    # An interval belongs to the window in which it begins: that of 12:30 is not in one from 12:45 on.
    assert demand(times[1:], p_kw[1:], metering_min=30, start="12:45", end="13:15")[0][1] == 3.5
    assert demand(times[1:], p_kw[1:], metering_min=30, start="13:15", end="13:45")[0][1] == 4.5
    tariff = FlatTariff.model_validate({"price_buy": 0.3, "demand_charges": [{"price": 6.0, "metering_min": 30}]})
    with pytest.raises(InputError, match=r"demand_charges.demand.metering_min: 30 .*the step, 15 min, where customers"):
        tariff.terms(times, 1)
    assert tariff.terms(times[1::2], 1).demand_window.all()


def test_nobody_who_imports_nothing_pays_for_demand() -> None:
    tariff = FlatTariff.model_validate({"price_buy": 0.3, "demand_charges": [PEAK]})
    bill = tariff.bill(WEEK, -np.ones((len(WEEK), 2)))
    assert bill.demand.tolist() == [0.0, 0.0]
    assert bill.items["peak_at"].isna().all()
    out_of_window = tariff.bill(WEEK[:4], np.ones((4, 2)))
    assert "demand" not in set(out_of_window.items["item"])
    assert tariff.terms(WEEK[:4], 2).demand_window.shape == (0, 4)


DAYS = WEEK[: 2 * 96]
FEW = settings(max_examples=25)  # hundreds of steps each
TWO_PART = TARIFF.validate_python({**KINDS["time-of-use"], "demand_charges": [PEAK, ANY], "fixed_per_day": 0.25})


@FEW
@given(st.integers(0, 2**32), st.floats(0.01, 100.0))
def test_bills_scale_and_add_up_over_customers(seed: int, factor: float) -> None:
    p_kw = powers(seed, 4, len(DAYS))
    bill, scaled = TWO_PART.bill(DAYS, p_kw), TWO_PART.bill(DAYS, factor * p_kw)
    assert scaled.energy == pytest.approx(factor * bill.energy, rel=1e-9, abs=1e-9)
    assert scaled.demand == pytest.approx(factor * bill.demand, rel=1e-12)
    assert scaled.fixed.tolist() == bill.fixed.tolist()
    parts = [TWO_PART.bill(DAYS, p_kw[:, [who]], names=[str(who)]) for who in range(4)]
    assert [float(part.total[0]) for part in parts] == pytest.approx(bill.total.tolist(), rel=1e-12)
    together = pd.concat([part.items for part in parts], ignore_index=True)
    pd.testing.assert_frame_equal(together, bill.items)


@FEW
@given(st.integers(0, 2**32))
def test_demand_does_not_care_for_the_order_within_a_window(seed: int) -> None:
    p_kw = powers(seed, 3, len(DAYS))
    shuffled, draw = p_kw.copy(), np.random.default_rng(seed)
    window = TWO_PART.terms(DAYS, 3).demand_window
    # Steps that are in the same windows may change places.
    _, group = np.unique(window, axis=1, return_inverse=True)
    for number in range(group.max() + 1):
        steps = np.flatnonzero(group == number)
        shuffled[steps] = p_kw[draw.permutation(steps)]
    assert TWO_PART.bill(DAYS, shuffled).demand.tolist() == TWO_PART.bill(DAYS, p_kw).demand.tolist()
    assert TWO_PART.bill(DAYS, shuffled).energy.tolist() != TWO_PART.bill(DAYS, p_kw).energy.tolist()


@pytest.mark.parametrize(
    ("times", "p_kw", "said"),
    [
        (WEEK.tz_localize(None), powers(1), "times with a zone"),
        (
            WEEK[[0, 1, 3]],
            powers(1, n_steps=3),
            "2016-06-08 22:45:00.00:00' is not allowed; allowed: steps of one length",
        ),
        (WEEK[[0]], powers(1, n_steps=1), "two steps or more, or a frequency"),
        (WEEK[::-1], powers(1), "steps of one length, in ascending order"),
        (WEEK, powers(1, n_steps=4), r"p_meter_kw: 'shape \(4, 3\)' is not allowed; .* \(672, 3\): times, customers"),
        (WEEK, np.full((672, 1), np.nan), "finite powers"),
    ],
)
def test_times_and_powers_that_make_no_bill(times: pd.DatetimeIndex, p_kw: Array, said: str) -> None:
    with pytest.raises(InputError, match=said):
        FlatTariff(price_buy=0.3).bill(times, p_kw)


def test_a_single_step_may_tell_its_length() -> None:
    assert FlatTariff(price_buy=0.3).bill(quarters("2016-06-08", 1), np.array([[4.0]])).total.tolist() == [0.3]
