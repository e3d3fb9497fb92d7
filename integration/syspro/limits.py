"""What SYSPRO's fields hold: lengths and number formats. Nothing is cut or rounded here: it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal

from integration.canonical.money import Money
from integration.errors import UnmappedField

FIELD_LENGTHS: Mapping[str, int] = {
    "Customer": 15,
    "CustomerPoNumber": 30,
    "Reference": 30,
    "JournalReference": 30,
    "CustomerPurchaseOrder": 30,
    "SalesOrder": 20,
    "Invoice": 20,
    "StockCode": 30,
    "StockDescription": 50,
    "Warehouse": 10,
    "Branch": 10,
    "Area": 10,
    "Salesperson": 20,
    "OrderUom": 10,
    "PriceUom": 10,
    "ProductClass": 20,
    "MiscProductClass": 20,
    "MiscDescription": 100,
    "StockTaxCode": 3,
    "FreightTaxCode": 3,
    "MiscTaxCode": 3,
    "TaxCode": 3,
    "Currency": 3,
    "CustomerName": 50,
    "ShipAddress1": 40,
    "ShipAddress2": 40,
    "ShipAddress3": 40,
    "ShipAddress3Locality": 40,
    "ShipAddress4": 40,
    "ShipAddress5": 40,
    "ShipPostalCode": 10,
    "Email": 255,
    "SpecialInstrs": 30,  # the import takes 50 and stores 30
    "InvoiceTerms": 2,
    "OrderComments": 400,
    "Comment": 100,
    "JournalNotation": 50,
    "PaymentNarration": 50,
    "Notation": 100,
    "LedgerCode": 35,
    "Bank": 15,
    "InvoiceNumber": 20,
    "CreditNoteNumber": 20,
    "CreditReason": 6,
    "DispatchNote": 20,
    "AdjustmentLedgerCode": 35,
    "DebitLedgerCode": 35,
    "CreditLedgerCode": 35,
    "LedgerNotation": 50,
    "LedgerTaxCode": 3,
    "Narration": 50,
    "Name": 50,
    "ShortName": 20,
    "CustomerClass": 10,
    "TermsCode": 2,
    "BalanceType": 1,
    "TaxStatus": 1,
    "TaxExemptNumber": 30,
    "CompanyTaxNumber": 15,
    "CreditLimit": 12,
    "Telephone": 20,
    "AddTelephone": 20,
    "Contact": 50,
    "Nationality": 3,
    "SoldToAddr1": 40,
    "SoldToAddr2": 40,
    "SoldToAddr3": 40,
    "SoldToAddr3Loc": 40,
    "SoldToAddr4": 40,
    "SoldToAddr5": 40,
    "SoldPostalCode": 10,
    "ShipToAddr1": 40,
    "ShipToAddr2": 40,
    "ShipToAddr3": 40,
    "ShipToAddr3Loc": 40,
    "ShipToAddr4": 40,
    "ShipToAddr5": 40,
    "UserField1": 10,
}
"""Characters each element holds, by SYSPRO's element name."""


def fitted(element: str, text: str | None) -> str:
    """The text, if it fits the element; `None` becomes empty, which leaves the element out.

    Raises:
        UnmappedField: too long.
    """
    value = text or ""
    limit = FIELD_LENGTHS.get(element)
    if limit is not None and len(value) > limit:
        raise UnmappedField(
            f"{element} holds {limit} characters in SYSPRO, and the document gives it {len(value)}",
            code="syspro.field-too-long",
            evidence={"element": element, "limit": limit, "length": len(value)},
        )
    return value


def decimal_text(element: str, value: Decimal, whole: int, places: int) -> str:
    """A decimal with a fixed number of places and no exponent.

    Raises:
        UnmappedField: it needs more places or more digits than the element has.
    """
    fits = value.is_finite() and abs(value) < 10**whole
    fixed = value.quantize(Decimal(1).scaleb(-places), ROUND_DOWN) if fits else value
    if not fits or fixed != value:
        raise UnmappedField(
            f"{element} holds {whole} digits and {places} decimals in SYSPRO, not {value}",
            code="syspro.number-does-not-fit",
            evidence={"element": element, "value": str(value)},
        )
    return f"{fixed:f}"


def money_text(element: str, money: Money) -> str:
    """Money as SYSPRO takes it: major units with two decimals (`1234.50`, and `1000.00` for ¥1000).

    Raises:
        UnmappedField: the currency's third decimal is used, or the amount has more than 12 digits.
    """
    return decimal_text(element, money.decimal(), 12, 2)


def quantity_text(element: str, value: Decimal) -> str:
    """A quantity with six decimals."""
    return decimal_text(element, value, 12, 6)


def price_text(element: str, value: Decimal) -> str:
    """A unit price with five decimals."""
    return decimal_text(element, value, 10, 5)
