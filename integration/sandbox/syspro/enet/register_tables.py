"""Rows of the invoice register: ArTrnSummary and ArTrnDetail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from integration.sandbox.syspro.documents import ArInvoice, SalesOrder
from integration.sandbox.syspro.enet.where import Row


def summary_rows(invoices: Iterable[ArInvoice]) -> Iterator[Row]:
    """A row for each document that was raised; unapplied payments are in no register."""
    for invoice in invoices:
        if not invoice.register:
            continue
        year, month, register = invoice.register.split("-")
        yield {
            "TrnYear": year, "TrnMonth": month, "Register": register, "Invoice": invoice.Invoice,
            "SummaryLine": "00001", "Customer": invoice.Customer, "Branch": invoice.Branch,
            "DocumentType": invoice.DocumentType, "CustomerPoNumber": invoice.CustomerPoNumber,
            "SalesOrder": invoice.SalesOrder, "CashCredit": "CR", "CreditedInvoice": invoice.credited_invoice,
        }  # fmt: skip


def detail_rows(orders: Iterable[SalesOrder]) -> Iterator[Row]:
    """A row for each line that was invoiced."""
    for order in orders:
        for line in order.lines:
            if not line.invoiced:
                continue
            yield {
                "Invoice": order.LastInvoice, "SummaryLine": "00001", "DetailLine": line.SalesOrderLine,
                "Customer": order.Customer, "Branch": order.Branch, "StockCode": line.MStockCode,
                "Warehouse": line.MWarehouse, "TaxCode": line.MTaxCode, "QtyInvoiced": line.invoiced,
                "LineType": line.LineType, "CustomerPoNumber": order.CustomerPoNumber,
                "SalesOrder": order.SalesOrder, "SalesOrderLine": line.SalesOrderLine,
            }  # fmt: skip
