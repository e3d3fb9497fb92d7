"""The tables of the company database, their rows made from the sandbox's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

import msgspec

from integration.sandbox.syspro.documents import ArInvoice, ArInvoicePay, Customer, SalesOrder
from integration.sandbox.syspro.enet import columns
from integration.sandbox.syspro.enet.register_tables import detail_rows, summary_rows
from integration.sandbox.syspro.enet.where import Cell, Row
from integration.sandbox.syspro.ledger_documents import GlAccount, Journal
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.tables import Table
from integration.sandbox.syspro.values import ZERO

Hints = Mapping[str, str]
Held = TypeVar("Held")


class SqlTable(msgspec.Struct, frozen=True):
    """One table.

    Attributes:
        keys: its primary key, in order.
        rows: its rows; columns given exact values may be used to read fewer.
        title: what a browse calls it.
        browse: the columns a browse shows.
    """

    name: str
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Callable[[Store, Hints], Iterable[Row]]
    title: str = ""
    browse: tuple[str, ...] = ()


def cells(row: msgspec.Struct) -> dict[str, Cell]:
    """The columns of a stored row: decimals as they are, the rest as text."""
    shown: dict[str, Cell] = {}
    for name in row.__struct_fields__:
        if name[0].isupper():
            value = getattr(row, name)
            shown[name] = value if isinstance(value, Decimal) else str(value)
    return shown


def _candidates(table: Table[Held], hints: Hints, names: Mapping[str, str]) -> Iterable[Held]:
    """The rows an index names, the index of fewest rows; all of them when none is asked for.

    A web account may own every payment there is, so the choice matters.
    """
    usable = [(names[column], value) for column, value in hints.items() if column in names]
    if not usable:
        return table
    index, value = min(usable, key=lambda one: table.count_by(*one))
    return table.by(index, value)


def _same(*names: str) -> dict[str, str]:
    return {name: name for name in names}


def _orders(store: Store, hints: Hints) -> Iterable[SalesOrder]:
    if "SalesOrder" in hints:
        order = store.orders.get(hints["SalesOrder"].rstrip())
        return [order] if order is not None else []
    return _candidates(store.orders, hints, _same("Customer", "CustomerPoNumber"))


def _sor_master(store: Store, hints: Hints) -> Iterable[Row]:
    for order in _orders(store, hints):
        row = cells(order)
        row["ShipAddress3Loc"] = row.pop("ShipAddress3Locality")
        yield {
            **row, "EntrySystemDate": order.OrderDate, "CashCredit": "CR", "FixExchangeRate": "N",
            "NextDetailLine": Decimal(len(order.lines) + 1), "SalesOrderSource": "SORTOI",
        }  # fmt: skip


def _sor_detail(store: Store, hints: Hints) -> Iterable[Row]:
    only = {name: value for name, value in hints.items() if name == "SalesOrder"}
    return ({"SalesOrder": o.SalesOrder, **cells(line)} for o in _orders(store, only) for line in o.lines)


def customer_row(store: Store, customer: Customer) -> dict[str, Cell]:
    """A customer's master columns."""
    return {**customer.others, **cells(customer), "Currency": store.currency_of(customer)}


def _customers(store: Store, hints: Hints) -> Iterable[Customer]:
    if "Customer" in hints:
        held = store.customers.get(hints["Customer"].rstrip())
        return [held] if held is not None else []
    return _candidates(store.customers, hints, _same("Name", "Email"))


def _ar_customer(store: Store, hints: Hints) -> Iterable[Row]:
    return (customer_row(store, customer) for customer in _customers(store, hints))


def _ar_customer_bal(store: Store, hints: Hints) -> Iterable[Row]:
    for customer in _customers(store, {k: v for k, v in hints.items() if k == "Customer"}):
        total = store.balances.get(customer.Customer) or ZERO
        credit = store.credits.get(customer.Customer) or ZERO
        row: dict[str, Cell] = dict.fromkeys(columns.AR_CUSTOMER_BAL, ZERO)
        row.update(
            Customer=customer.Customer,
            CurrentBalance1=total,
            ValCreditsInv=credit,
            ValCurrentInv=total - credit,
        )
        yield row


def _invoice_row(invoice: ArInvoice) -> Row:
    return {
        **cells(invoice), "InvoiceBal2": ZERO, "InvoiceBal3": ZERO, "InvoiceYear": invoice.InvoiceDate[:4],
        "InvoiceMonth": invoice.InvoiceDate[5:7], "FixExchangeRate": "N",
    }  # fmt: skip


def _ar_invoice(store: Store, hints: Hints) -> Iterable[Row]:
    names = _same("Customer", "Invoice", "CustomerPoNumber", "SalesOrder")
    return map(_invoice_row, _candidates(store.invoices, hints, names))


def _ar_invoice_pay(store: Store, hints: Hints) -> Iterable[Row]:
    held: Iterable[ArInvoicePay] = _candidates(
        store.movements, hints, _same("Customer", "Reference", "Invoice")
    )
    return map(cells, held)


def _ar_trn_summary(store: Store, hints: Hints) -> Iterable[Row]:
    return summary_rows(_candidates(store.invoices, hints, _same("Customer", "Invoice", "SalesOrder")))


def _ar_trn_detail(store: Store, hints: Hints) -> Iterable[Row]:
    only = {name: value for name, value in hints.items() if name == "SalesOrder"}
    return detail_rows(_orders(store, only))


def _journals(store: Store, hints: Hints, number: str) -> Iterable[Journal]:
    if {"GlYear", "GlPeriod", number} <= hints.keys():
        year, period, journal = (hints[name].strip() for name in ("GlYear", "GlPeriod", number))
        held = store.journals.get(f"{year.zfill(4)}|{period.zfill(2)}|{journal.zfill(10)}")
        return [held] if held is not None else []
    return _candidates(store.journals, hints, _same("Reference"))


def _gen_journal_ctl(store: Store, hints: Hints) -> Iterable[Row]:
    return map(cells, _journals(store, hints, "GlJournal"))


def _gen_journal_detail(store: Store, hints: Hints) -> Iterable[Row]:
    for journal in _journals(store, hints, "Journal"):
        for line in journal.lines:
            row = cells(line)
            row["GlCode"] = row.pop("LedgerCode")
            yield {
                **row, "GlYear": journal.GlYear, "GlPeriod": journal.GlPeriod, "Journal": journal.GlJournal,
                "EntryPosted": "Y" if journal.JnlStatus == "P" else "N", "Source": journal.JournalSource,
                "Company": store.config.company,
            }  # fmt: skip


def _account_row(store: Store, account: GlAccount) -> Row:
    row = cells(account)
    row["GlCode"] = row.pop("LedgerCode")
    return {**row, "Company": store.config.company}


def _gen_master(store: Store, hints: Hints) -> Iterable[Row]:
    return (_account_row(store, account) for account in store.gl_accounts)


def _bank_rows(store: Store, hints: Hints) -> Iterable[Row]:
    for bank in store.banks:
        zero: dict[str, Cell] = {
            name: ZERO for name in columns.AP_BANK if name.startswith(("Cb", "Outst"))
        }  # fmt: skip
        yield {**zero, **cells(bank), "CbCurBalLoc1": bank.CbCurBal1}


def _inv_master(store: Store, hints: Hints) -> Iterable[Row]:
    if "StockCode" not in hints:
        return map(cells, store.stock)
    held = store.stock.get(hints["StockCode"].rstrip())
    return [cells(held)] if held is not None else []


def _sal_branch(store: Store, hints: Hints) -> Iterable[Row]:
    accounts = store.accounts
    return (
        {
            "Branch": branch, "Description": f"Branch {branch}", "SalesCtlAcc": control,
            "SalesTaxAcc": accounts.tax, "FrtSalesAcc": accounts.freight,
        }
        for branch, control in sorted(store.branches.items())
    )  # fmt: skip


def _adm_tax(store: Store, hints: Hints) -> Iterable[Row]:
    return (
        {
            "TaxCode": code, "Description": f"VAT {rate} %", "CurTaxRate": rate.quantize(Decimal("0.00001")),
            "GlTaxGlCode": store.accounts.tax,
        }
        for code, rate in sorted(store.tax_rates.items())
    )  # fmt: skip


def _terms(store: Store, hints: Hints) -> Iterable[Row]:
    return (
        {"TermsCode": code, "Description": f"Terms {code}", "DueDays": Decimal(code), "DiscPct": ZERO}
        for code in sorted(store.terms)
    )


def _none(store: Store, hints: Hints) -> Iterable[Row]:
    return ()


_TABLES = (
    SqlTable(
        "ArCustomer", ("Customer",), columns.AR_CUSTOMER, _ar_customer, "Customers",
        ("Customer", "Name", "ShortName", "Branch"),
    ),
    SqlTable("ArCustomerBal", ("Customer",), columns.AR_CUSTOMER_BAL, _ar_customer_bal),
    SqlTable("ArInvoice", ("Customer", "Invoice", "DocumentType"), columns.AR_INVOICE, _ar_invoice),
    SqlTable(
        "ArInvoicePay", ("Customer", "Invoice", "DocumentType", "EntryNumber"), columns.AR_INVOICE_PAY,
        _ar_invoice_pay,
    ),
    SqlTable(
        "ArTrnSummary", ("TrnYear", "TrnMonth", "Register", "Invoice", "SummaryLine"),
        columns.AR_TRN_SUMMARY, _ar_trn_summary,
    ),
    SqlTable(
        "ArTrnDetail", ("TrnYear", "TrnMonth", "Register", "Invoice", "SummaryLine", "DetailLine"),
        columns.AR_TRN_DETAIL, _ar_trn_detail,
    ),
    SqlTable(
        "SorMaster", ("SalesOrder",), columns.SOR_MASTER, _sor_master, "Sales Orders",
        ("SalesOrder", "Customer", "CustomerPoNumber", "OrderStatus"),
    ),
    SqlTable("SorDetail", ("SalesOrder", "SalesOrderLine"), columns.SOR_DETAIL, _sor_detail),
    SqlTable(
        "GenJournalCtl", ("GlYear", "GlPeriod", "GlJournal"), columns.GEN_JOURNAL_CTL, _gen_journal_ctl
    ),
    SqlTable(
        "GenJournalDetail", ("GlYear", "GlPeriod", "Journal", "EntryNumber"), columns.GEN_JOURNAL_DETAIL,
        _gen_journal_detail,
    ),
    SqlTable(
        "GenMaster", ("Company", "GlCode"), columns.GEN_MASTER, _gen_master, "Ledger Codes",
        ("GlCode", "Description"),
    ),
    SqlTable("ApBank", ("Bank",), columns.AP_BANK, _bank_rows, "Banks", ("Bank", "Description")),
    SqlTable(
        "InvMaster", ("StockCode",), columns.INV_MASTER, _inv_master, "Stock Codes",
        ("StockCode", "Description", "LongDesc"),
    ),
    SqlTable(
        "InvWarehouse", ("StockCode", "Warehouse"), columns.INV_WAREHOUSE,
        lambda store, hints: map(cells, _candidates(store.warehouse_items, hints, _same("StockCode"))),
    ),
    SqlTable(
        "TblCurrency", ("Currency",), columns.TBL_CURRENCY,
        lambda store, hints: map(cells, store.currencies), "Currencies", ("Currency", "Description"),
    ),
    SqlTable("SalBranch", ("Branch",), columns.SAL_BRANCH, _sal_branch, "Branches", ("Branch", "Description")),
    SqlTable("AdmTax", ("TaxCode",), columns.ADM_TAX, _adm_tax, "Tax Codes", ("TaxCode", "Description")),
    SqlTable("TblArTerms", ("TermsCode",), columns.TBL_AR_TERMS, _terms),
    # Custom-form tables exist and hold nothing until a site fills them.
    SqlTable("SorMaster+", ("SalesOrder",), ("SalesOrder",), _none),
    SqlTable("CusSorMaster+", ("SalesOrder", "InvoiceNumber"), ("SalesOrder", "InvoiceNumber"), _none),
    SqlTable("ArCustomer+", ("Customer",), ("Customer",), _none),
    SqlTable("InvMaster+", ("StockCode",), ("StockCode",), _none),
)  # fmt: skip
TABLES = {table.name: table for table in _TABLES}
