"""Conversion at a named rate when a payment's currency is not its customer's; gain and loss between two rates.

Rates are kept as SYSPRO keeps them, with six decimals. A sum is converted along its path in exact arithmetic,
multiplying by a rate or dividing by one that is quoted the other way round, and is rounded once, at the end:
half to even, to the minor unit. The path is in the reason, so that anybody can do the sum again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Literal

from msgspec import Struct

from integration.canonical.money import Money, Rate, exponent
from integration.errors import InvalidPayment, Misconfigured

BOOK_AUTHORITY = "SYSPRO"
_SIX_DECIMALS = Decimal("0.000001")


class Conversion(Struct, frozen=True, kw_only=True):
    """A sum in two currencies.

    Attributes:
        rate: units of the converted currency for one of the original, to six decimals.
        reason: the path in words, with each rate's authority and date.
    """

    original: Money
    converted: Money
    rate: Rate
    reason: str


class ExchangeDifference(Struct, frozen=True, kw_only=True):
    """What a receipt is worth at the later rate beyond the earlier one; the amount is never negative."""

    kind: Literal["gain", "loss", "none"]
    amount: Money


class _Leg(Struct, frozen=True):
    """A rate with its direction: an inverse leg divides by the rate."""

    rate: Rate
    inverse: bool

    @property
    def factor(self) -> Fraction:
        value = Fraction(self.rate.value)
        return Fraction(value.denominator, value.numerator) if self.inverse else value

    def describe(self) -> str:
        sign = "÷" if self.inverse else "×"
        rate = self.rate
        return (
            f"{sign} {rate.value} ({rate.source}/{rate.target}, {rate.authority}, {rate.as_of.isoformat()})"
        )


class RateTable:
    """Exchange rates by authority and date; SYSPRO's book rate comes before every other table's."""

    def __init__(
        self, rates: Iterable[Rate], *, local: str, max_age_days: int, authorities: Sequence[str] = ()
    ) -> None:
        """Keep the rates, rounded to six decimals.

        Args:
            rates: any number per pair of currencies, of any authority and date.
            local: the company's own currency, through which two foreign ones are converted.
            max_age_days: a rate older than this on the day of the conversion is refused.
            authorities: further authorities in the order of trust after SYSPRO's; others come last, by name.

        Raises:
            Misconfigured: a rate is not positive, even after rounding.
        """
        self._local = local
        self._max_age_days = max_age_days
        self._order = {name: place for place, name in enumerate([BOOK_AUTHORITY, *authorities])}
        self._rates: dict[tuple[str, str], list[Rate]] = {}
        for rate in rates:
            self._rates.setdefault((rate.source, rate.target), []).append(_rounded(rate))

    def convert(self, amount: Money, currency: str, on: date) -> Conversion:
        """The amount in another currency, at the rates of a day.

        Raises:
            InvalidPayment: no rate leads there, or none that is young enough.
        """
        exponent(currency)
        if amount.currency == currency:
            rate = Rate(source=currency, target=currency, value=Decimal(1), authority="none needed", as_of=on)
            return Conversion(
                original=amount, converted=amount, rate=rate, reason=f"{amount} needs no conversion"
            )
        legs = self._path(amount.currency, currency, on)
        factor = Fraction(1)
        for leg in legs:
            factor *= leg.factor
        converted = _apply(amount, factor, currency)
        path = " ".join(leg.describe() for leg in legs)
        return Conversion(
            original=amount,
            converted=converted,
            rate=_effective(legs, factor, (amount.currency, currency)),
            reason=f"{amount} {path} = {converted}, rounded once, half to even",
        )

    def _path(self, source: str, target: str, on: date) -> tuple[_Leg, ...]:
        for authority in self._authorities():
            leg = self._leg((source, target), authority, on)
            if leg is not None:
                return (leg,)
            first = self._leg((source, self._local), authority, on)
            second = self._leg((self._local, target), authority, on)
            if first is not None and second is not None:
                return (first, second)
        raise self._no_rate(source, target, on)

    def _authorities(self) -> list[str]:
        names = {rate.authority for rates in self._rates.values() for rate in rates}
        return sorted(names, key=lambda name: (self._order.get(name, len(self._order)), name))

    def _leg(self, pair: tuple[str, str], authority: str, on: date) -> _Leg | None:
        direct = self._latest(pair, authority, on)
        inverse = self._latest((pair[1], pair[0]), authority, on)
        if direct is not None and (inverse is None or direct.as_of >= inverse.as_of):
            return _Leg(direct, inverse=False)
        return None if inverse is None else _Leg(inverse, inverse=True)

    def _latest(self, pair: tuple[str, str], authority: str, on: date) -> Rate | None:
        young = [
            rate
            for rate in self._rates.get(pair, ())
            if rate.authority == authority and 0 <= (on - rate.as_of).days <= self._max_age_days
        ]
        return max(young, key=lambda rate: (rate.as_of, rate.value), default=None)

    def _no_rate(self, source: str, target: str, on: date) -> InvalidPayment:
        newest = max(self._dates_between(source, target), default=None)
        return InvalidPayment(
            f"There is no rate from {source} to {target} for {on.isoformat()} "
            f"that is at most {self._max_age_days} days old",
            code="exchange.no-rate",
            hint="Enter today's rate in SYSPRO or load a newer rate table, then replay the payment.",
            evidence={"newest_rate": newest.isoformat() if newest else None},
        )

    def _dates_between(self, source: str, target: str) -> Iterator[date]:
        for pair in ((source, target), (target, source)):
            yield from (rate.as_of for rate in self._rates.get(pair, ()))


def _rounded(rate: Rate) -> Rate:
    exponent(rate.source)
    exponent(rate.target)
    value = rate.value.quantize(_SIX_DECIMALS, ROUND_HALF_EVEN) if rate.value.is_finite() else Decimal(0)
    if value <= 0:
        raise Misconfigured(
            f"The rate {rate.value} from {rate.source} to {rate.target} ({rate.authority}) is not positive "
            "with six decimals",
            code="exchange.bad-rate",
            hint="Quote the rate the other way round, or correct it.",
        )
    return Rate(
        source=rate.source, target=rate.target, value=value, authority=rate.authority, as_of=rate.as_of
    )


def _effective(legs: Sequence[_Leg], factor: Fraction, pair: tuple[str, str]) -> Rate:
    millionths = round(factor * 1_000_000)
    return Rate(
        source=pair[0],
        target=pair[1],
        value=Decimal(millionths).scaleb(-6),
        authority=legs[0].rate.authority,
        as_of=min(leg.rate.as_of for leg in legs),
    )


def _apply(amount: Money, factor: Fraction, currency: str) -> Money:
    shift = exponent(currency) - exponent(amount.currency)
    scale = Fraction(10) ** shift
    # `round` of a fraction is exact, and half to even.
    return Money(round(amount.minor * factor * scale), currency)


def difference(amount: Money, booked: Rate, settled: Rate) -> ExchangeDifference:
    """Gain or loss of a receipt that was booked at one rate and settled at another, in the rates' target currency.

    Raises:
        ValueError: a rate does not start at the amount's currency, or the two end in different ones.
    """
    change = amount.convert(settled) - amount.convert(booked)
    if not change:
        return ExchangeDifference(kind="none", amount=change)
    if change.minor > 0:
        return ExchangeDifference(kind="gain", amount=change)
    return ExchangeDifference(kind="loss", amount=-change)
