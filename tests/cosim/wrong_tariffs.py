"""Tariffs that are wrong in one thing, and the line that says so, as in `tests.cosim.wrong_scenarios`."""

from __future__ import annotations

from tests.cosim.wrong_scenarios import START

__all__ = ["TARIFFS"]

FLAT = START + '[tariff]\nkind = "flat"\nprice_buy = 0.3\n'
WINTER = '{ name = "winter", start = "11-01", end = "04-30" }'
SUMMER = '{ name = "summer", start = "05-01", end = "10-31" }'


def flat(*lines: str) -> str:
    """A flat tariff with these lines."""
    return FLAT + "\n".join(lines)


def charge(*lines: str) -> str:
    """A flat tariff with a demand charge that has these lines."""
    return flat("[[tariff.demand_charges]]", *lines)


def of_use(seasons: tuple[str, ...], *periods: str) -> str:
    """A time-of-use tariff with seasons and periods."""
    rows = ", ".join(f"{{ {period} }}" for period in periods)
    return f'{START}[tariff]\nkind = "time-of-use"\nseasons = [{", ".join(seasons)}]\nperiods = [{rows}]'


ALL_DAY = 'start = "00:00", end = "24:00", price = 0.3'
DAY = 'a day of the year as "MM-DD", e.g. "05-01"'
TILED = "each day of the year in exactly one season, 02-29 too"
FILLED = "each minute in exactly one period"

# Text of the scenario; then the error after "s.toml: ", with field, value and what is allowed.
TARIFFS: dict[str, tuple[str, str]] = {
    "season-gap": (
        of_use((WINTER, '{ name = "summer", start = "05-01", end = "10-30" }'), ALL_DAY),
        f"tariff.seasons: 'gap on 10-31' is not allowed; allowed: {TILED}",
    ),
    "season-overlap": (
        of_use((WINTER, '{ name = "summer", start = "04-30", end = "10-31" }'), ALL_DAY),
        f"tariff.seasons: \"overlap of 'winter' and 'summer' on 04-30\" is not allowed; allowed: {TILED}",
    ),
    "season-without-leap-day": (
        flat('seasons = [{ name = "a", start = "03-01", end = "02-28" }]'),
        f"tariff.seasons: 'gap on 02-29' is not allowed; allowed: {TILED}",
    ),
    "season-ends-on-no-day": (
        of_use((WINTER, '{ name = "summer", start = "05-01", end = "02-30" }'), ALL_DAY),
        f"tariff.seasons[1].end: '02-30' is not allowed; allowed: {DAY}",
    ),
    "season-starts-on-no-day": (
        flat('seasons = [{ name = "a", start = "1-1", end = "12-31" }]'),
        f"tariff.seasons[0].start: '1-1' is not allowed; allowed: {DAY}",
    ),
    "gap-in-a-season": (
        of_use(
            (WINTER, SUMMER),
            f'season = "winter", {ALL_DAY}',
            'season = "summer", start = "01:30", end = "24:00", price = 1',
        ),
        f"tariff.periods: \"gap on a weekday of season 'summer' at 00:00\" is not allowed; allowed: {FILLED}",
    ),
    "overlap-in-a-season": (
        of_use(
            (WINTER, SUMMER), ALL_DAY, 'season = "summer", days = "weekend", start = "07:15", end = "08:00", price = 1'
        ),
        f"tariff.periods: \"overlap on a weekend of season 'summer' at 07:15\" is not allowed; allowed: {FILLED}",
    ),
    "gap-on-a-holiday": (
        of_use(
            (),
            f'days = "weekday", {ALL_DAY}',
            f'days = "weekend", {ALL_DAY}',
            'days = "holiday", start = "06:00", end = "24:00", price = 1',
        )
        + "\nholidays = { dates = [2016-06-08] }",
        f"tariff.periods: 'gap on a holiday at 00:00' is not allowed; allowed: {FILLED}",
    ),
    "unknown-season": (
        of_use((WINTER, SUMMER), ALL_DAY, 'season = "sumer", start = "07:15", end = "08:00", price = 1'),
        "tariff.periods[1].season: 'sumer' is not allowed; allowed: a season of the tariff; nearest: summer, winter",
    ),
    "season-where-there-is-none": (
        charge("price = 1", 'season = "summer"'),
        "tariff.demand_charges.demand.season: 'summer' is not allowed; allowed: none: the tariff has no seasons",
    ),
    "seasons-beside-a-presets": (
        START + f'[tariff]\nkind = "time-of-use"\npreset = "ontario-2023"\nseasons = [{WINTER}, {SUMMER}]',
        "tariff.seasons: '2 of them' is not allowed; allowed: none: ontario-2023 has its own",
    ),
    "unknown-preset": (
        '[tariff]\nkind = "time-of-use"\npreset = "ontario-2024"',
        "tariff.preset: 'ontario-2024' is not allowed; allowed: one of: day-night, evening-peak, ontario-2023, "
        "ontario-summer-2024, ontario-ultra-low-overnight-2023, ontario-winter-2023, working-day-peak "
        "(nearest: ontario-2023, ontario-summer-2024, ontario-winter-2023)",
    ),
    "holiday-outside-the-year": (
        flat("holidays = { dates = [2016-06-09, 2017-06-09] }"),
        "tariff.holidays.dates: '2017-06-09' is not allowed; allowed: dates in the years of the run: 2016",
    ),
    "holiday-that-is-no-date": (
        flat('holidays = { dates = ["2016-02-30"] }'),
        "tariff.holidays.dates[0]: '2016-02-30' is not allowed; allowed: a date, e.g. 2024-12-25",
    ),
    "holiday-with-a-time": (
        flat("holidays = { dates = [2016-06-08T00:00:00Z] }"),
        "tariff.holidays.dates[0]: '2016-06-08T00:00:00+00:00' is not allowed; allowed: a date, e.g. 2024-12-25",
    ),
    "unknown-country": (
        flat('holidays = { country = "Canada" }'),
        "tariff.holidays.country: 'Canada' is not allowed; allowed: an ISO 3166 code of a country, "
        'e.g. "DE" or "CA"; nearest: CAN',
    ),
    "country-in-small-letters": (
        flat('holidays = { country = "de" }'),
        "tariff.holidays.country: 'de' is not allowed; allowed: an ISO 3166 code of a country, "
        'e.g. "DE" or "CA"; nearest: DE',
    ),
    "unknown-subdivision": (
        flat('holidays = { country = "CA", subdivision = "ONT" }'),
        "tariff.holidays.subdivision: 'ONT' is not allowed; "
        "allowed: of CA: AB, BC, MB, NB, NL, NS, NT, NU, ON, PE, QC, SK, YT",
    ),
    "subdivision-without-country": (
        flat('holidays = { subdivision = "ON" }'),
        "tariff.holidays.subdivision: 'ON' is not allowed; allowed: nothing without a country",
    ),
    "unknown-name-of-a-holiday": (
        flat('holidays = { country = "CA", names = ["Labor Dya"] }'),
        "tariff.holidays.names: 'Labor Dya' is not allowed; allowed: a holiday of CA; nearest: Labor Day, Boxing Day, "
        "Victoria Day",
    ),
    "year-without-known-holidays": (
        flat('holidays = { country = "MS" }'),
        "tariff.holidays.country: 'MS' is not allowed; allowed: a country whose holidays of 2016 are known; "
        "those of MS from 2017 on to 2100",
    ),
    "holiday-where-there-is-none": (
        charge("price = 1", 'days = "holiday"'),
        "tariff.demand_charges.demand.days: 'holiday' is not allowed; "
        "allowed: weekday, weekend or all: it has no holidays",
    ),
    "negative-demand-charge": (
        charge("price = -1"),
        "tariff.demand_charges[0].price: -1 is not allowed; "
        "allowed: a number >= 0 (currency per kW in each billing period)",
    ),
    "demand-charge-per-watt": (
        charge("price = 8", "price_w = 0.008"),
        "tariff.demand_charges[0].price_w: 0.008 is not allowed; allowed: a known key; nearest: price",
    ),
    "demand-charge-per-week": (
        charge("price = 1", 'per = "week"'),
        "tariff.demand_charges[0].per: 'week' is not allowed; allowed: 'day', 'month' or 'run'",
    ),
    "demand-charge-twice": (
        charge("price = 1", "[[tariff.demand_charges]]", "price = 2"),
        "tariff.demand_charges: 'demand' is not allowed; allowed: a name of its own for each demand charge",
    ),
    "one-demand-charge-as-a-table": (
        flat("demand_charges = { price = 1 }"),
        "tariff.demand_charges: {'price': 1} is not allowed; "
        "allowed: an array of tables, each headed by the name in double brackets",
    ),
    "empty-window-of-demand": (
        charge("price = 1", 'start = "08:00"', 'end = "08:00"'),
        "tariff.demand_charges[0].start: '08:00' is not allowed; allowed: a start that differs from the end, 08:00",
    ),
    "metering-finer-than-the-market-step": (
        charge("price = 1", "metering_min = 5"),
        "tariff.demand_charges.demand.metering_min: 5 is not allowed; allowed: a multiple of the market step, 15 min",
    ),
    "metering-of-no-length": (
        charge("price = 1", "metering_min = 25"),
        "tariff.demand_charges[0].metering_min: 25 is not allowed; allowed: 5, 10, 15, 20, 30 or 60",
    ),
    "negative-fixed-charge": (
        flat("fixed_per_day = -0.1"),
        "tariff.fixed_per_day: -0.1 is not allowed; allowed: a number >= 0",
    ),
    "two-part-as-a-kind": (
        '[tariff]\nkind = "two-part"',
        "tariff.kind: 'two-part' is not allowed; allowed: flat, time-of-use, real-time, synthetic",
    ),
}
