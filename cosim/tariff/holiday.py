"""Holidays of a tariff: by their dates, and by the law of a country through the package `holidays`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any, Self

import holidays
from pydantic import BeforeValidator, Field, model_validator

from cosim.strict import Strict
from feeders.errors import InputError

__all__ = ["Holidays"]

_SAMPLE = tuple(range(2000, 2031))  # years in which a name must be that of a holiday
_MOVED = re.compile(r" \((observed|estimated|observed, estimated)\)$")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _date(value: Any) -> date:
    """A date as TOML has it, or the same as text."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    shown = value.isoformat() if isinstance(value, datetime) else value
    raise InputError("tariff", "", shown, "a date, e.g. 2024-12-25")


class Holidays(Strict):
    """Days that are no working days, on whatever day of the week they fall.

    Attributes
    ----------
    country : str, optional
        ISO 3166 code, e.g. "DE": its public holidays, with the days that are off in their place.
    subdivision : str, optional
        ISO 3166-2 code of a part of it, e.g. "BY".
    names : tuple of str
        Of the country's holidays those of these names alone, be they public ones or optional; the English names of the
        package `holidays` where it has them, "Labor Day" as well as "Labour Day".
    dates : tuple of date
        Further days.
    """

    country: str | None = None
    subdivision: str | None = None
    names: tuple[str, ...] = Field(default=(), strict=False)
    dates: tuple[Annotated[date, BeforeValidator(_date)], ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _check(self) -> Self:
        for field, given in (("subdivision", self.subdivision), ("names", self.names or None)):
            if given is not None and self.country is None:
                raise InputError("tariff", field, given, "nothing without a country")
        if self.country is not None:
            _check_place(self.country, self.subdivision)
        if self.country is not None and self.names:
            _check_names(self.country, self.subdivision, self.names)
        return self

    def of_years(self, years: Sequence[int]) -> frozenset[date]:
        """All of them in some years.

        Raises
        ------
        InputError
            When the country's are not known for one of the years.
        """
        found = {day for day in self.dates if day.year in years}
        for year in years if self.country is not None else ():
            found |= _legal(self.country or "", self.subdivision, self.names, year)
        return frozenset(found)


def _check_place(country: str, subdivision: str | None) -> None:
    known: Mapping[str, list[str]] = holidays.list_supported_countries()
    if country not in known:
        near = get_close_matches(country.upper(), known, n=1)
        told = f"; nearest: {near[0]}" if near else ""
        raise InputError("tariff", "country", country, f'an ISO 3166 code of a country, e.g. "DE" or "CA"{told}')
    if subdivision is not None and subdivision not in known[country]:
        parts = ", ".join(known[country]) or f"none: {country} has no parts with holidays of their own"
        raise InputError("tariff", "subdivision", subdivision, f"of {country}: {parts}")


def _check_names(country: str, subdivision: str | None, names: Sequence[str]) -> None:
    known = {_plain(name): name for year in _SAMPLE for name, _ in _named(country, subdivision, year)}
    for name in names:
        if _plain(name) not in known:
            near = get_close_matches(_plain(name), known, n=3, cutoff=0.4) or list(known)[:3]
            allowed = f"a holiday of {country}; nearest: {', '.join(known[key] for key in near)}"
            raise InputError("tariff", "names", name, allowed)


@lru_cache(maxsize=1024)
def _legal(country: str, subdivision: str | None, names: tuple[str, ...], year: int) -> frozenset[date]:
    """A country's holidays of a year; of these names alone, where there are any."""
    kind = type(holidays.country_holidays(country, subdiv=subdivision))
    if not kind.start_year <= year <= kind.end_year:
        allowed = f"a country whose holidays of {year} are known; those of {country} from {kind.start_year} on"
        raise InputError("tariff", "holidays.country", country, f"{allowed} to {kind.end_year}")
    if not names:
        return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))
    wanted = {_plain(name) for name in names}
    return frozenset(day for name, day in _named(country, subdivision, year) if _plain(name) in wanted)


@lru_cache(maxsize=1024)
def _named(country: str, subdivision: str | None, year: int) -> tuple[tuple[str, date], ...]:
    """Name and date of all holidays of a year, public or not, with the days off in their place under the same name."""
    kind = holidays.country_holidays(country, subdiv=subdivision)
    language = "en_US" if "en_US" in kind.supported_languages else None
    found = holidays.country_holidays(
        country, subdiv=subdivision, years=year, language=language, categories=kind.supported_categories
    )
    return tuple((_MOVED.sub("", name), day) for day in sorted(found) for name in found.get_list(day))


def _plain(name: str) -> str:
    """A name without what differs from one kind of English to another."""
    return name.casefold().replace("labour", "labor")
