"""Rates: SYSPRO's book rate first, the European Central Bank's published one where SYSPRO has none."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from functools import cache

from currency_converter import CurrencyConverter

from integration.canonical.money import Money, Rate
from service.core.exchange import Conversion, RateTable
from service.flow.stage import Stage

ECB = "ECB"


async def convert(stage: Stage, amount: Money, currency: str) -> Conversion:
    """An amount in another currency at today's named rate.

    Raises:
        InvalidPayment: no rate leads there, or none is young enough.
    """
    session = stage.session
    profile = await stage.memo.get("profile", "", session.profile)
    local = profile.local_currency if profile is not None and profile.local_currency else currency
    rates: list[Rate] = []
    for foreign in sorted({amount.currency, currency} - {local}):
        book = await stage.memo.get("rate", foreign, lambda code=foreign: session.book_rate(code))  # type: ignore[misc]
        if book is not None:
            rates.append(book)
    today = stage.clock().date()
    rates += await asyncio.to_thread(published, amount.currency, currency, today)
    table = RateTable(rates, local=local, max_age_days=stage.pair.rate_max_age_days, authorities=[ECB])
    return table.convert(amount, currency, today)


@cache
def _table() -> CurrencyConverter:
    return CurrencyConverter(decimal=True)


def published(source: str, target: str, on: date) -> list[Rate]:
    """The European Central Bank's last rate between two currencies up to a day, or nothing.

    The history comes with the `currencyconverter` package and ends where the package does, so the rate carries its
    own date and an old one is refused by the table.
    """
    table = _table()
    if source not in table.currencies or target not in table.currencies:
        return []
    bounds = [table.bounds[code] for code in (source, target) if code != "EUR"]
    last = min([on, *(bound.last_date for bound in bounds)])
    try:
        value = table.convert(Decimal(1), source, target, date=last)
    except ValueError:
        return []
    return [Rate(source=source, target=target, value=Decimal(value), authority=ECB, as_of=last)]
