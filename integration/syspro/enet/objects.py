"""The business objects that post our documents."""

from __future__ import annotations

from msgspec import Struct


class BusinessObject(Struct, frozen=True):
    """One of SYSPRO's: its code, the root of its documents, and what we call such a document."""

    code: str
    root: str
    noun: str


SORTOI = BusinessObject("SORTOI", "SalesOrders", "sales order")
ARSTPY = BusinessObject("ARSTPY", "PostArPayment", "AR payment")
ARSTIN = BusinessObject("ARSTIN", "PostArInvoices", "AR document")
GENTJL = BusinessObject("GENTJL", "PostGlJournal", "GL journal")
SORTCI = BusinessObject("SORTCI", "PostCreditFromInvoice", "credit note")
SORTIC = BusinessObject("SORTIC", "PostSalesOrderInvoice", "invoice of the order")
CSHTWD = BusinessObject("CSHTWD", "PostCbDepositsWithdrawals", "cash-book transaction")
SORTOS = BusinessObject("SORTOS", "PostSorOrderStatus", "order status")
ARSSCS = BusinessObject("ARSSCS", "SetupArCustomer", "customer")
# The same object as for payments, under the names that its other items have.
ADJUSTMENT = BusinessObject(ARSTPY.code, ARSTPY.root, "AR adjustment")
RECEIPT = BusinessObject(ARSTPY.code, ARSTPY.root, "miscellaneous receipt")

BUSINESS_OBJECTS = (SORTOI, ARSTPY, ARSTIN, GENTJL)
"""Those a site must license for payments; refunds may need SORTCI, SORTIC and CSHTWD besides."""


class Transaction(Struct, frozen=True, kw_only=True):
    """What `Transaction/Post` takes: a business object and its two documents."""

    business_object: BusinessObject
    parameters: str
    document: str
