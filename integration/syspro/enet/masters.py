"""Master data in our own words: profile, customer, stock item, exchange rate."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from lxml import etree

from integration.canonical.money import Rate
from integration.ports import CompanyProfile, ErpCustomer, ErpStockItem
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet.comfnd import Find, Row, any_of
from integration.syspro.enet.key_widths import KeyWidths
from integration.syspro.enet.parsing import day, number, text_of
from integration.syspro.enet.reading import Reader
from integration.syspro.keys import same_key

_CUSTOMER = ("Customer", "Name", "Currency", "CustomerOnHold", "Branch", "TermsCode", "PaymentsAllowed")
_STOCK = ("StockCode", "Description", "StockUom", "StockOnHold", "TaxCode", "ProductClass")
_RATE = ("Currency", "BuyExchangeRate", "BuyMulDiv", "SellExchangeRate", "SellMulDiv")


def company_profile(
    told: etree._Element, config: SysproConfig, codes: CurrencyCodes, local: str
) -> CompanyProfile:
    """The profile from `GetLogonProfile`, whose elements are looked for wherever they stand.

    Raises:
        ValueError: its accounting date is none.
    """
    return CompanyProfile(
        company=config.company_id,
        operator=text_of(told, "OperatorCode") or config.operator,
        version=text_of(told, "SysproVersion"),
        local_currency=codes.iso("") if local else "",
        accounting_date=accounting_date(told),
        default_bank=text_of(told, "DefaultBank"),
        default_branch=text_of(told, "DefaultArBranch"),
        default_warehouse=text_of(told, "DefaultWarehouse"),
    )


def accounting_date(told: etree._Element) -> date | None:
    """Today as the company's books have it."""
    return day(text_of(told, "AccountingDate") or text_of(told, "CompanyDate"))


class Masters:
    """Reads master data in one operator's session."""

    def __init__(self, config: SysproConfig, reader: Reader, widths: KeyWidths) -> None:
        self._config = config
        self._reader = reader
        self._widths = widths

    async def customer(self, code: str, codes: CurrencyCodes) -> ErpCustomer | None:
        """A customer, or `None`; its key is given back in the spelling it was asked for."""
        spelled = any_of("Customer", await self._widths.spellings([code], "Customer"))
        rows = await self._found(Find(table="ArCustomer", columns=_CUSTOMER, where=spelled), code)
        rows = [row for row in rows if same_key(row["Customer"], code)]
        exact = [row for row in rows if row["Customer"] == code]
        row = next(iter(exact or rows), None)
        if row is None:
            return None
        return ErpCustomer(
            customer=code,
            name=row["Name"],
            currency=codes.iso(row["Currency"]),
            on_hold=row["CustomerOnHold"] == "Y",
            branch=row["Branch"],
            terms_code=row["TermsCode"],
            payments_allowed=row["PaymentsAllowed"] != "N",
        )

    async def stock_item(self, code: str) -> ErpStockItem | None:
        """A stock item with the warehouses that stock it, or `None`."""
        where = any_of("StockCode", [code])
        rows = await self._found(Find(table="InvMaster", columns=_STOCK, where=where), code)
        item = next((row for row in rows if row["StockCode"] == code), None)
        if item is None:
            return None
        stocked = await self._found(
            Find(table="InvWarehouse", columns=("StockCode", "Warehouse"), where=where), code
        )
        return ErpStockItem(
            stock_code=code,
            description=item["Description"],
            unit=item["StockUom"],
            # `F` and `P` are SYSPRO's full and partial holds; anything but blank and `N` stops an order.
            on_hold=item["StockOnHold"] not in ("", "N"),
            tax_code=item["TaxCode"],
            product_class=item["ProductClass"],
            warehouses=tuple(row["Warehouse"] for row in stocked if row["StockCode"] == code),
        )

    async def book_rate(self, currency: str, codes: CurrencyCodes, told: etree._Element) -> Rate | None:
        """SYSPRO's own rate from a currency to the local one, or `None` when it has none.

        Raises:
            ValueError: the rate is no number.
        """
        code = codes.site(currency)
        find = Find(table="TblCurrency", columns=_RATE, where=any_of("Currency", [code]))
        row = next((row for row in await self._found(find, currency) if row["Currency"] == code), None)
        side = "Buy" if self._config.rate_side == "buy" else "Sell"
        value = _multiplier(row[f"{side}ExchangeRate"], row[f"{side}MulDiv"]) if row else None
        if value is None:
            return None
        return Rate(
            source=currency,
            target=codes.iso(""),
            value=value,
            authority="SYSPRO TblCurrency",
            as_of=accounting_date(told) or datetime.now(UTC).date(),
        )

    async def _found(self, find: Find, key: str) -> list[Row]:
        return await self._reader.rows(find, f"{key} in {find.table}")


def _multiplier(rate: str, mul_div: str) -> Decimal | None:
    """What one unit is worth in local currency: SYSPRO multiplies by its rate (`M`) or divides by it (`D`).

    A quotient is carried to 28 significant digits. `None` when there is no rate.
    """
    value = number(rate)
    if value <= 0:
        return None
    return Decimal(1) / value if mul_div.strip() == "D" else value
