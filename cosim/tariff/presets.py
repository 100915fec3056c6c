"""Time-of-use tariffs that can be chosen by name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cosim.strict import Strict
from cosim.tariff.calendar import Season
from cosim.tariff.holiday import Holidays
from cosim.tariff.window import Days, Period

__all__ = ["PRESETS", "Preset"]


class Preset(Strict):
    """A tariff that can be chosen by name: its periods, its calendar and where they are from.

    Attributes
    ----------
    description : str
    periods : tuple of Period
    seasons : tuple of Season
    holidays : Holidays, optional
    timezone : str, optional
        Where it is read in the hours of a place of its own, rather than in those of the profiles.
    """

    description: str
    periods: Annotated[tuple[Period, ...], Field(strict=False)]
    seasons: Annotated[tuple[Season, ...], Field(strict=False)] = ()
    holidays: Holidays | None = None
    timezone: str | None = None


def _periods(*rows: tuple[Days, str, str, float], season: str | None = None) -> tuple[Period, ...]:
    return tuple(
        Period(days=days, start=start, end=end, price=price, season=season) for days, start, end, price in rows
    )


_OEB = "Ontario Energy Board, Regulated Price Plan, prices of 1 November 2023, CAD/kWh"

_ONTARIO_WINTER: tuple[tuple[Days, str, str, float], ...] = (
    ("weekday", "19:00", "07:00", 0.087),
    ("weekday", "07:00", "11:00", 0.182),
    ("weekday", "11:00", "17:00", 0.122),
    ("weekday", "17:00", "19:00", 0.182),
    ("weekend", "00:00", "24:00", 0.087),
)
_ONTARIO_SUMMER: tuple[tuple[Days, str, str, float], ...] = (
    ("weekday", "19:00", "07:00", 0.087),
    ("weekday", "07:00", "11:00", 0.122),
    ("weekday", "11:00", "17:00", 0.182),
    ("weekday", "17:00", "19:00", 0.122),
    ("weekend", "00:00", "24:00", 0.087),
)
_ONTARIO_NAMES = {0.087: "off-peak", 0.122: "mid-peak", 0.182: "on-peak"}

_ONTARIO_HOLIDAYS = Holidays(
    country="CA",
    subdivision="ON",
    names=(
        *("New Year's Day", "Family Day", "Good Friday", "Victoria Day", "Canada Day", "Civic Holiday"),
        *("Labour Day", "Thanksgiving Day", "Christmas Day", "Boxing Day"),
    ),
)

PRESETS: dict[str, Preset] = {
    "day-night": Preset(
        description="illustrative, no supplier's: day 0.32, night 22:00-06:00 0.22 currency/kWh",
        periods=_periods(("all", "06:00", "22:00", 0.32), ("all", "22:00", "06:00", 0.22)),
    ),
    "evening-peak": Preset(
        description="illustrative, no supplier's: 0.25, 11:00-15:00 0.18, 17:00-21:00 0.40 currency/kWh",
        periods=_periods(
            ("all", "21:00", "11:00", 0.25),
            ("all", "11:00", "15:00", 0.18),
            ("all", "15:00", "17:00", 0.25),
            ("all", "17:00", "21:00", 0.40),
        ),
    ),
    "ontario-winter-2023": Preset(
        description=f"time of use, winter hours (November to April): {_OEB}, holidays left out",
        periods=_periods(*_ONTARIO_WINTER),
    ),
    "ontario-summer-2024": Preset(
        description=f"time of use, summer hours (May to October): {_OEB}, holidays left out",
        periods=_periods(*_ONTARIO_SUMMER),
    ),
    "ontario-2023": Preset(
        description=f"time of use, winter and summer hours, Ontario's holidays as weekends: {_OEB}",
        periods=tuple(
            period.model_copy(update={"name": _ONTARIO_NAMES[period.price]})
            for rows, season in ((_ONTARIO_WINTER, "winter"), (_ONTARIO_SUMMER, "summer"))
            for period in _periods(*rows, season=season)
        ),
        seasons=(
            Season(name="winter", start="11-01", end="04-30"),
            Season(name="summer", start="05-01", end="10-31"),
        ),
        holidays=_ONTARIO_HOLIDAYS,
    ),
    "ontario-ultra-low-overnight-2023": Preset(
        description=f"ultra-low overnight, all year: {_OEB}, holidays left out",
        periods=_periods(
            ("all", "23:00", "07:00", 0.028),
            ("weekday", "07:00", "16:00", 0.122),
            ("weekday", "16:00", "21:00", 0.286),
            ("weekday", "21:00", "23:00", 0.122),
            ("weekend", "07:00", "23:00", 0.087),
        ),
    ),
    "working-day-peak": Preset(
        description="on-peak 08:00-20:00 on working days as in Pensini et al., nights, weekends and holidays of New "
        "Mexico off-peak; the prices, 0.115 and 0.060 currency/kWh, are this project's",
        periods=(
            Period(days="weekday", start="08:00", end="20:00", price=0.115, name="on-peak"),
            Period(days="weekday", start="20:00", end="08:00", price=0.060, name="off-peak"),
            Period(days="weekend", start="00:00", end="24:00", price=0.060, name="off-peak"),
        ),
        holidays=Holidays(country="US", subdivision="NM"),
        timezone="America/Denver",
    ),
}
"""Time-of-use tariffs by name, energy price alone: no network charge, rebate or tax."""
