"""Tariffs: the relation of buying and selling price, refusals at the door, saving."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from cosim.tariff import FlatTariff, RealTimeTariff, SyntheticTariff, Tariff, TimeOfUseTariff
from feeders.errors import InputError

HERE = Path(__file__).parent
TARIFF: TypeAdapter[Any] = TypeAdapter(Tariff)


def quarters(first: str, n: int = 96) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=n, freq="15min", tz="UTC")


def refusal(data: dict[str, Any]) -> InputError:
    """The `InputError` inside pydantic's error."""
    with pytest.raises(ValidationError) as refused:
        TARIFF.validate_python(data)
    (found,) = refused.value.errors()
    error = found["ctx"]["error"]
    assert isinstance(error, InputError)
    return error


@given(st.floats(-1.0, 1.0), st.floats(0.0, 1.0))
def test_selling_price_is_kappa_times_the_buying_price_but_never_above_it(price_buy: float, kappa: float) -> None:
    prices = FlatTariff(price_buy=price_buy, kappa=kappa).prices(quarters("2016-06-06", 3), folder=HERE)
    assert prices.price_buy.tolist() == [price_buy] * 3
    assert prices.price_sell.tolist() == [kappa * price_buy if price_buy > 0 else price_buy] * 3


def test_explicit_selling_price() -> None:
    prices = FlatTariff(price_buy=0.3, price_sell=0.08).prices(quarters("2016-06-06", 2), folder=HERE)
    assert prices.price_sell.tolist() == [0.08, 0.08]


def test_selling_above_buying_names_the_first_time() -> None:
    tariff = TimeOfUseTariff(preset="day-night", price_sell=0.25, timezone="Europe/Berlin")
    day = quarters("2016-06-06T10:00")  # night, at 0.22, begins at 22:00 local time, 20:00 UTC
    assert len(tariff.prices(day[:40], folder=HERE).price_buy) == 40
    with pytest.raises(InputError, match=r"price_sell at 2016-06-06T20:00Z: 0\.25 .*at most .*0\.22"):
        tariff.prices(day, folder=HERE)


def window(start: str, end: str) -> dict[str, Any]:
    period = {"days": "all", "start": start, "end": end, "price": 0.1}
    return {"kind": "time-of-use", "periods": [period]}


@pytest.mark.parametrize(
    ("data", "field", "value"),
    [
        ({"kind": "time-of-use", "preset": "nigth"}, "preset", "nigth"),
        ({"kind": "time-of-use"}, "preset", None),
        (window("00:00", "24:00") | {"preset": "day-night"}, "preset", "day-night"),
        (window("0:00", "24:00"), "start", "0:00"),
        (window("00:00", "24:01"), "end", "24:01"),
        (window("00:00", "12:60"), "end", "12:60"),
        (window("07:00", "07:00"), "start", "07:00"),
        (window("24:00", "07:00"), "start", "24:00"),
        ({"kind": "time-of-use", "preset": "day-night", "timezone": "Berlin"}, "timezone", "Berlin"),
        ({"kind": "synthetic", "timezone": "CEST"}, "timezone", "CEST"),
        (
            {"kind": "real-time", "file": "a", "column": "p", "unit": "currency/kWh", "timezone": "x"},
            "timezone",
            "x",
        ),
        ({"kind": "flat", "price_buy": 0.3, "price_sell": 0.1, "kappa": 0.5}, "price_sell", 0.1),
        ({"kind": "time-of-use", "preset": "day-night", "price_sell": 0.1, "kappa": 0.5}, "price_sell", 0.1),
        (
            {
                "kind": "real-time",
                "file": "a",
                "column": "p",
                "column_sell": "s",
                "unit": "currency/kWh",
                "kappa": 0.0,
            },
            "column_sell",
            "s",
        ),
    ],
)
def test_refusals_at_the_door(data: dict[str, Any], field: str, value: object) -> None:
    error = refusal(data)
    assert (error.field, error.value) == (field, value)
    assert error.allowed


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "stepped", "price_buy": 0.3},
        {"price_buy": 0.3},
        {"kind": "flat"},
        {"kind": "flat", "price_buy": "0.3"},
        {"kind": "flat", "price_buy": float("nan")},
        {"kind": "flat", "price_buy": 0.3, "kapa": 0.5},
        {"kind": "flat", "price_buy": 0.3, "kappa": 1.01},
        {"kind": "flat", "price_buy": 0.3, "kappa": -0.01},
        {"kind": "real-time", "file": "", "column": "p", "unit": "currency/kWh"},
        {"kind": "real-time", "file": "a", "column": "p", "unit": "EUR/kWh"},
        {"kind": "real-time", "file": "a", "column": "p", "unit": "currency/kWh", "label": "middle"},
        {"kind": "synthetic", "seed": -1},
        {"kind": "synthetic", "persistence": 1.0},
        {"kind": "synthetic", "spike_rate": 1.1},
    ],
)
def test_refused_by_type_or_range(data: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TARIFF.validate_python(data)


@pytest.mark.parametrize(
    "tariff",
    [
        FlatTariff(price_buy=0.3, price_sell=0.1),
        TARIFF.validate_python(window("00:00", "24:00")),
        TimeOfUseTariff(preset="day-night"),
        RealTimeTariff(file="p.csv", column="p", unit="currency/MWh"),
        SyntheticTariff(),
    ],
    ids=lambda tariff: tariff.kind,
)
def test_a_tariff_survives_saving(tariff: Any) -> None:
    assert TARIFF.validate_python(tariff.model_dump(mode="json", exclude_none=True)) == tariff
    assert tariff.describe()
