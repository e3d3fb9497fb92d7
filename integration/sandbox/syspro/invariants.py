"""What must hold in the company's books after any sequence of postings."""

from __future__ import annotations

from decimal import Decimal

from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import ZERO


def broken_invariants(store: Store) -> list[str]:
    """Say in words which invariants do not hold; an empty list is what it should be."""
    return [*_customer_balances(store), *_control(store), *_journals(store), *_banks(store), *_stock(store)]


def _customer_balances(store: Store) -> list[str]:
    sums: dict[str, Decimal] = {}
    in_credit: dict[str, Decimal] = {}
    for invoice in store.invoices:
        sums[invoice.Customer] = sums.get(invoice.Customer, ZERO) + invoice.InvoiceBal1
        in_credit[invoice.Customer] = in_credit.get(invoice.Customer, ZERO) + min(invoice.InvoiceBal1, ZERO)
    return [
        f"Customer {customer.Customer}: credits sum to {in_credit.get(customer.Customer, ZERO)}, "
        f"ValCreditsInv is {store.credits.get(customer.Customer) or ZERO}."
        for customer in store.customers
        if in_credit.get(customer.Customer, ZERO) != (store.credits.get(customer.Customer) or ZERO)
    ] + [
        f"Customer {customer.Customer}: documents sum to {sums.get(customer.Customer, ZERO)}, "
        f"CurrentBalance1 is {store.balances.get(customer.Customer) or ZERO}."
        for customer in store.customers
        if sums.get(customer.Customer, ZERO) != (store.balances.get(customer.Customer) or ZERO)
    ]


def _control(store: Store) -> list[str]:
    """AR postings whose GL journal failed are counted with the control accounts they still owe."""
    controls = set(store.branches.values())
    posted = sum((store.gl_accounts[code].CurrentBalance for code in controls), ZERO)
    direct = sum(
        (
            line.amount
            for journal in store.journals
            if journal.JnlStatus == "P" and journal.JournalSource not in {"AR", "SA"}
            for line in journal.lines
            if line.LedgerCode in controls
        ),
        ZERO,
    )
    owed = sum((store.not_integrated.get(code) or ZERO for code in controls), ZERO)
    held = sum((invoice.local_balance for invoice in store.invoices), ZERO)
    if posted - direct + owed == held:
        return []
    return [
        f"AR control is {posted} (of which general journals {direct}, owed {owed}), documents hold {held}."
    ]


def _journals(store: Store) -> list[str]:
    broken: list[str] = []
    sums: dict[str, Decimal] = {}
    for journal in store.journals:
        total = sum((line.amount for line in journal.lines), ZERO)
        if total != 0 or journal.DebitAmount != journal.CreditAmount:
            broken.append(f"Journal {journal.GlJournal} is out by {total}.")
        if journal.JnlStatus == "P":
            for line in journal.lines:
                sums[line.LedgerCode] = sums.get(line.LedgerCode, ZERO) + line.amount
    broken += [
        f"Account {account.LedgerCode}: journals sum to {sums.get(account.LedgerCode, ZERO)}, "
        f"the balance is {account.CurrentBalance}."
        for account in store.gl_accounts
        if account.CurrentBalance != sums.get(account.LedgerCode, ZERO)
    ]
    return broken


def _banks(store: Store) -> list[str]:
    sums: dict[str, Decimal] = {}
    for trn in store.cash_book:
        signed = trn.TrnValue if trn.TrnType == "D" else -trn.TrnValue
        sums[trn.Bank] = sums.get(trn.Bank, ZERO) + signed
    return [
        f"Bank {bank.Bank}: deposits less withdrawals are {sums.get(bank.Bank, ZERO)}, it holds {bank.CbCurBal1}."
        for bank in store.banks
        if bank.CbCurBal1 != sums.get(bank.Bank, ZERO)
    ]


def _stock(store: Store) -> list[str]:
    allocated: dict[str, Decimal] = {}
    for order in store.orders:
        for line in order.lines:
            if line.allocates:
                key = f"{line.MStockCode}|{line.MWarehouse}"
                allocated[key] = allocated.get(key, ZERO) + line.MShipQty
    return [
        f"Stock {item.StockCode} in {item.Warehouse}: orders hold "
        f"{allocated.get(f'{item.StockCode}|{item.Warehouse}', ZERO)}, QtyAllocated is {item.QtyAllocated}."
        for item in store.warehouse_items
        if item.QtyAllocated != allocated.get(f"{item.StockCode}|{item.Warehouse}", ZERO)
    ]
