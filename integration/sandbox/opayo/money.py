"""Minor units to the decimal strings of Reporting and Server, and back."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

ZERO_DECIMALS = frozenset({"JPY", "KRW", "ISK", "CLP", "VND", "XAF", "XOF", "XPF", "PYG", "UGX"})


def decimals(currency: str) -> int:
    """Decimal places of an ISO 4217 currency the stand-in takes: zero or two."""
    return 0 if currency in ZERO_DECIMALS else 2


def major(amount: int, currency: str) -> str:
    """Write minor units as a decimal string: 1000 GBP is ``10.00``, 1000 JPY is ``1000``."""
    places = decimals(currency)
    return f"{Decimal(amount).scaleb(-places):.{places}f}"


def minor(text: str, currency: str) -> int:
    """Read a decimal string (commas separate thousands) as minor units.

    Raises:
        ValueError: when it is no number or has more decimals than the currency.
    """
    try:
        value = Decimal(text.replace(",", "")).scaleb(decimals(currency))
    except InvalidOperation as error:
        raise ValueError("not a number") from error
    if not value.is_finite() or value != value.to_integral_value():
        raise ValueError("too many decimals")
    return int(value)
