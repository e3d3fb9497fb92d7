"""Money: an integer of minor units with its ISO 4217 currency. Never a float."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from msgspec import Struct

# Exponents of ISO 4217. Pinned here rather than read from a locale library: CLDR says two for some
# of these and none for others (HUF, ISK), and a library upgrade must not move anybody's decimal point.
_NO_MINOR_UNIT = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE_DIGITS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])
_CODE = re.compile(r"[A-Z]{3}")
_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,15}|\d{1,3}(?:,\d{3})+)(?:\.(?P<part>\d+))?")


def exponent(currency: str) -> int:
    """Digits after the decimal point of a currency (ISO 4217): GBP 2, JPY 0, BHD 3.

    Raises:
        ValueError: the code is not three capital letters.
    """
    if not _CODE.fullmatch(currency):
        raise ValueError(f"{currency!r} is not an ISO 4217 currency code: three capital letters, as in GBP")
    if currency in _NO_MINOR_UNIT:
        return 0
    return 3 if currency in _THREE_DIGITS else 2


class Rate(Struct, frozen=True, kw_only=True):
    """An exchange rate with its provenance: one unit of `source` is `value` units of `target`.

    Attributes:
        value: exact decimal, positive.
        authority: who says so (`SYSPRO TblCurrency`, `ECB`).
        as_of: the business date for which it was published.
    """

    source: str
    target: str
    value: Decimal
    authority: str
    as_of: date


class Money(Struct, frozen=True, order=True):
    """An amount in minor units. Never a float, never without its currency."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are an int, not {type(self.minor).__name__} {self.minor!r}")
        exponent(self.currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Money:
        """Read a decimal amount in major units (`"1,234.50"`, `"-3"`) exactly.

        Raises:
            ValueError: not an amount, or more decimals than the currency has. Precision is refused, never
                rounded away.
        """
        match = _AMOUNT.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not an amount such as 1234.50")
        places = exponent(currency)
        part = match["part"] or ""
        if len(part.rstrip("0")) > places:
            raise ValueError(f"{text!r} has more decimals than {currency} has ({places})")
        minor = int(match["whole"].replace(",", "") + part[:places].ljust(places, "0"))
        return cls(-minor if match["sign"] else minor, currency)

    @classmethod
    def of(cls, amount: Decimal, currency: str) -> Money:
        """An exact decimal in major units as money.

        Raises:
            ValueError: not finite, or more decimals than the currency has.
        """
        if not amount.is_finite():
            raise ValueError(f"{amount} is not an amount")
        scaled = amount.scaleb(exponent(currency))
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} has more decimals than {currency} has ({exponent(currency)})")
        return cls(int(scaled), currency)

    def decimal(self) -> Decimal:
        """The amount in major units, exact, with the currency's number of decimals."""
        return Decimal(self.minor).scaleb(-exponent(self.currency))

    def __str__(self) -> str:
        return f"{self.decimal():,f} {self.currency}"

    def plain(self) -> str:
        """The amount in major units without separators or code, as wire formats want it: `1234.50`."""
        return f"{self.decimal():f}"

    def __add__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor + other.minor, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same_currency(other)
        return Money(self.minor - other.minor, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __bool__(self) -> bool:
        return self.minor != 0

    def _same_currency(self, other: Money) -> None:
        if self.currency != other.currency:
            raise ValueError(f"{self} and {other} are in different currencies: convert one at a named rate")

    def allocate(self, weights: Sequence[int]) -> list[Money]:
        """Split so that the parts sum to the whole; the first weighted parts take the odd pennies.

        Raises:
            ValueError: no weights, a negative weight, or all of them zero.
        """
        total = sum(weights)
        if not weights or total <= 0 or min(weights) < 0:
            raise ValueError(f"weights must be non-negative and not all zero, not {list(weights)}")
        sign = -1 if self.minor < 0 else 1
        whole = abs(self.minor)
        shares = [whole * weight // total for weight in weights]
        odd = whole - sum(shares)
        for index, weight in enumerate(weights):
            if odd and weight:
                shares[index] += 1
                odd -= 1
        return [Money(sign * share, self.currency) for share in shares]

    def convert(self, rate: Rate) -> Money:
        """The amount in the rate's target currency, rounded half to even to its minor unit.

        Raises:
            ValueError: the rate is not one from this currency, or not positive.
        """
        if rate.source != self.currency:
            raise ValueError(f"a rate from {rate.source} cannot convert {self}")
        if not rate.value.is_finite() or rate.value <= 0:
            raise ValueError(f"a rate is positive, not {rate.value}")
        shift = exponent(rate.target) - exponent(self.currency)
        exact = (Decimal(self.minor) * rate.value).scaleb(shift)
        return Money(int(exact.quantize(Decimal(1), ROUND_HALF_EVEN)), rate.target)


def total(amounts: Sequence[Money], currency: str) -> Money:
    """The sum of amounts of one currency; zero when there are none.

    Raises:
        ValueError: an amount is in another currency.
    """
    result = Money(0, currency)
    for amount in amounts:
        result += amount
    return result


def decimal_text(text: str) -> Decimal:
    """A decimal from text, exact and finite.

    Raises:
        ValueError: the text is no finite decimal number.
    """
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a decimal number") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is not a decimal number")
    return value
