"""The company a sandbox starts with: small, made up, and enough for every rule to be met."""

from __future__ import annotations

from decimal import Decimal

from integration.sandbox.syspro.ledger_documents import Bank, Currency, GlAccount
from integration.sandbox.syspro.store import Store

AR_CONTROL = "00-1200"
OPAYO_BANK = "OC"

_ACCOUNTS = (
    ("00-1010", "Current account", "A", "N"),
    ("00-1015", "Opayo clearing", "A", "N"),
    ("00-1020", "Euro account", "A", "N"),
    (AR_CONTROL, "Accounts receivable control", "A", "Y"),
    ("00-1900", "Suspense", "A", "N"),
    ("00-2200", "VAT output", "L", "N"),
    ("00-2300", "Refund clearing", "L", "N"),
    ("00-2310", "Bank transfer clearing", "L", "N"),
    ("10-4000", "Web sales", "R", "N"),
    ("10-4100", "Carriage", "R", "N"),
    ("30-6100", "Settlement discount", "E", "N"),
    ("30-6150", "Withholding tax", "E", "N"),
    ("30-6200", "Card fees", "E", "N"),
    ("30-6210", "Chargebacks", "E", "N"),
    ("30-6300", "Exchange differences", "E", "N"),
    ("30-6400", "AR adjustments", "E", "N"),
    # The accounts that the shipped rules name.
    ("1200-100", "Opayo clearing by rule", "A", "N"),
    ("1200-200", "Opayo clearing, euros", "A", "N"),
    ("1200-300", "Opayo clearing, dollars", "A", "N"),
    ("1210-100", "Transfers from clearing to bank", "A", "N"),
    ("2250-100", "Refunds in clearing", "L", "N"),
    ("2260-100", "Chargebacks in dispute", "L", "N"),
    ("4900-100", "Exchange gains", "R", "N"),
    ("7100-100", "Card acquiring fees", "E", "N"),
    ("7100-200", "American Express fees", "E", "N"),
    ("7110-100", "Chargeback fees", "E", "N"),
    ("7120-100", "Chargebacks lost", "E", "N"),
    ("7900-100", "Exchange losses", "E", "N"),
    ("9999-100", "Suspense by rule", "A", "N"),
)

_NAMES = (
    "Web sales account", "Ashdown Gifts", "Birch & Sons", "Calder Books", "Dovedale Toys", "Elm House",
    "Fenwick Stationers", "Garth Interiors", "Harbour Lights", "Ivy Cottage", "Juniper Crafts",
    "Kettlewell Deli", "Larch Design", "Moorland Prints", "Northgate Florists", "Oakwell School",
)  # fmt: skip

_STOCK = (
    "Heart t-light holder", "Retro spot mug", "Jumbo bag", "Bunting", "Cake stand", "Lunch bag", "Tea towel",
    "Doormat", "Photo frame", "Wall clock", "Card holder", "Hot water bottle", "Hand warmer", "Gift wrap",
    "Ribbon reel", "Party candles", "Cutlery set", "Bread bin", "Milk jug", "Sugar bowl", "Garden gnome",
    "Bird table", "Key cabinet", "Chalk board", "Paper chain", "Storage tin", "Wicker heart", "Alarm clock",
    "Egg cups", "Coat rack",
)  # fmt: skip


def load_default_world(store: Store, with_examples: bool = True) -> None:
    """Fill an empty store: set-up tables always, made-up customers and stock when asked for."""
    _load_setup(store)
    if with_examples:
        _load_examples(store)
    store.settle()


def _load_setup(store: Store) -> None:
    for code, description, kind, control in _ACCOUNTS:
        store.gl_accounts.put(code, GlAccount(code, description, kind, "", control))
    store.gl_accounts.put("00-9000", GlAccount("00-9000", "Closed account", "A", AccOnHldFlag="Y"))
    store.branches.update({"10": AR_CONTROL, "20": AR_CONTROL})
    store.warehouses.update({"FG": "Finished goods", "N1": "North"})
    store.product_classes.update({"WEB", "_DSC", "_TAX", "_FRT", "_OTH"})
    store.terms.update({"00", "0", "30"})
    store.salespersons.update({"100", "200"})
    store.tax_rates.update({"A": Decimal(20), "B": Decimal(5), "Z": Decimal(0)})
    local = store.config.local_currency
    for bank in (
        Bank("HB", "House bank", local, "00-1010"),
        Bank(OPAYO_BANK, "Opayo clearing", local, "00-1015"),
        Bank("EB", "Euro bank", "EUR", "00-1020"),
    ):
        store.banks.put(bank.Bank, bank)
    for code, rate, name in (
        (local, "1", "Local"), ("EUR", "0.85", "Euro"), ("USD", "0.78", "US dollar"),
    ):  # fmt: skip
        exact = Decimal(rate).quantize(Decimal("0.000001"))
        store.currencies.put(code, Currency(code, name, exact, "M", exact, "M"))


def _load_examples(store: Store) -> None:
    for number, name in enumerate(_NAMES, start=1):
        store.add_customer(str(number), Name=name, Email=f"customer{number}@example.org")
    store.add_customer("90", Name="Held Trading Ltd", CustomerOnHold="Y")
    store.add_customer("91", Name="Paris Boutique", Currency="EUR")
    store.add_customer("92", Name="Boston Store", Currency="USD")
    store.add_customer("WEB0001", Name="Web shopper", TaxStatus="E")
    for number, name in enumerate(_STOCK):
        tax = "Z" if number % 10 == 9 else "A"
        store.add_stock(f"A{100 + number}", Decimal(1000), Description=name, TaxCode=tax)
    store.add_stock("B100", Decimal(0), Description="Never in stock")
    store.add_stock("H100", Decimal(10), Description="Withdrawn", StockOnHold="F")
    store.add_stock("N100", Decimal(10), "N1", Description="Only in the north", WarehouseToUse="N1")
