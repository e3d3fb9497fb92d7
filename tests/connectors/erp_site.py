"""A SYSPRO company to test a transport against: served for real, broken to order, its books open to look at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from decimal import Decimal

import msgspec

from integration.canonical.documents import (
    ArInvoice,
    ArPayment,
    ErpDocument,
    InvoiceToPay,
    Receipt,
    SalesOrder,
    SalesOrderLine,
    Stored,
    UnappliedPayment,
)
from integration.canonical.journal import GlJournal, JournalEntry
from integration.canonical.money import Money
from integration.ports import ERP
from integration.sandbox.faults import FaultMatch, FaultOrder
from integration.sandbox.syspro import Settings, SysproSandbox, SysproSandboxConfig
from integration.sandbox.syspro.ledger import ledger
from integration.syspro.config import SysproConfig
from tests.connectors.serving import served

TODAY = date(2025, 6, 16)

Transport = Callable[[SysproConfig, Callable[[], None]], ERP]


class Site:
    """One served company and the transport under test."""

    def __init__(self, sandbox: SysproSandbox, config: SysproConfig, transport: Transport) -> None:
        self.sandbox = sandbox
        self.config = config
        self.evictions = 0
        self.opened: list[ERP] = []
        self._transport = transport

    def erp(self, **changes: object) -> ERP:
        """An ERP of the first operator; `changes` go into its configuration."""
        config = msgspec.structs.replace(self.config, **changes)
        erp = self._transport(config, self._evicted)
        self.opened.append(erp)
        return erp

    def _evicted(self) -> None:
        self.evictions += 1

    def fault(
        self, name: str, times: int = 1, writes_only: bool = True, **parameters: str | int | bool
    ) -> None:
        """Order a fault for the next calls; of the writes alone unless said otherwise."""
        match = FaultMatch(writes_only=writes_only)
        self.sandbox.plan.order(FaultOrder(name, times, match, dict(parameters)))

    @property
    def orders(self) -> int:
        """How many sales orders the company holds."""
        return len(self.sandbox.store.orders)

    def books(self, kind: str) -> list[dict[str, object]]:
        """The company's own books: `sales_orders`, `ar_payments`, `invoices`, `journals`."""
        return ledger(self.sandbox.store)[kind]


@asynccontextmanager
async def a_site(path: str, transport: Transport) -> AsyncIterator[Site]:
    """Serve a company whose face lives at `path`; its idempotency store is off, so look-ups must do."""
    settings = Settings(idempotency=False, accounting_date=TODAY.isoformat())
    sandbox = SysproSandbox(SysproSandboxConfig(settings=settings))
    async with AsyncExitStack() as stack:
        base_url = await stack.enter_async_context(served(sandbox.app))
        config = SysproConfig(
            base_url=base_url + path,
            operator="OPAYO1",
            operator_password="sandbox-1",
            company_id="EDU1",
            query_timeout=2.0,
            post_timeout=2.0,
            logon_timeout=2.0,
            look_again_after=(0.0, 0.01, 0.01),
            read_again_after=(0.0, 0.0),
        )
        site = Site(sandbox, config, transport)
        stack.push_async_callback(_close_all, site)
        yield site


async def _close_all(site: Site) -> None:
    for erp in site.opened:
        await erp.close()


# --- documents that the company takes -------------------------------------------------------------


def gbp(minor: int) -> Money:
    """Pounds, in pence."""
    return Money(minor, "GBP")


def order(number: str = "WEB-1", customer: str = "0000001", stock_code: str = "A100") -> SalesOrder:
    """An order with a line of each kind."""
    return SalesOrder(
        customer_po_number=number,
        customer=customer,
        currency="GBP",
        order_date=TODAY,
        requested_ship_date=TODAY,
        customer_name="J Smith",
        ship_address2="1 High Street",
        ship_address3="Leeds",
        ship_postal_code="LS1 1AA",
        email="j@example.org",
        branch="10",
        salesperson="100",
        special_instrs="OPAYO 12345678",
        invoice_terms="00",
        order_comments=("Paid on line",),
        lines=(
            SalesOrderLine(
                kind="stock",
                customer_po_line=1,
                stock_code=stock_code,
                warehouse="FG",
                order_qty=Decimal(2),
                order_uom="EA",
                price=Decimal("10.12345"),
                tax_code="A",
            ),
            SalesOrderLine(kind="freight", customer_po_line=2, value=gbp(400), tax_code="A"),
            SalesOrderLine(
                kind="charge",
                customer_po_line=3,
                value=gbp(-100),
                product_class="_DSC",
                not_taxable=True,
                description="Voucher",
            ),
            SalesOrderLine(kind="comment", customer_po_line=4, description="A gift"),
        ),
    )


def payment(
    reference: str = "PAY1", minor: int = 12_000, number: str = "WEB-1", customer: str = "1"
) -> ArPayment:
    """Unapplied cash for an order."""
    return ArPayment(
        reference=reference,
        customer=customer,
        payment_value=gbp(minor),
        payment_date=TODAY,
        journal_notation="Opayo " + number,
        payment_narration="6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f",
        bank="OC",
        unapplied=(UnappliedPayment(gross_payment_value=gbp(minor), customer_purchase_order=number),),
    )


def invoice(number: str = "9001", minor: int = 10_000) -> ArInvoice:
    """An invoice with a number of our own."""
    return ArInvoice(
        reference=f"INV{number}",
        transaction_type="I",
        customer="1",
        invoice_value=gbp(minor),
        invoice=number,
        invoice_date=TODAY,
        product_class="WEB",
        branch="10",
        invoice_terms="00",
    )


def credit_memo(reference: str = "REFUND1", minor: int = 2_500) -> ArInvoice:
    """A credit memo that stands alone and that SYSPRO numbers."""
    return msgspec.structs.replace(
        invoice(minor=minor), reference=reference, transaction_type="C", invoice=""
    )


def paying(number: str = "9001", minor: int = 10_000, unapplied: int = 0) -> ArPayment:
    """A payment of an invoice, the rest unapplied; a pound of discount is taken on top."""
    whole = payment("PAYINV", minor + unapplied)
    part = InvoiceToPay(invoice=number, gross_payment_value=gbp(minor + 100), discount_value=gbp(100))
    kept = UnappliedPayment(gross_payment_value=gbp(unapplied), customer_purchase_order="WEB-1")
    return msgspec.structs.replace(whole, invoices=(part,), unapplied=(kept,) if unapplied else ())


def journal(reference: str = "OPAYO SETTLE 20250616", minor: int = 1_234) -> GlJournal:
    """Card fees."""
    return GlJournal(
        reference=reference,
        journal_date=TODAY,
        posting_year=2025,
        posting_period=6,
        notation="Opayo fees",
        entries=(
            JournalEntry(ledger_code="30-6200", entry_amount=gbp(minor), reference=reference, comment="Fees"),
            JournalEntry(
                ledger_code="00-1015", entry_amount=gbp(-minor), reference=reference, comment="Fees"
            ),
        ),
    )


def of_every_kind() -> dict[str, ErpDocument]:
    """One document of each kind that posts without another."""
    documents: list[ErpDocument] = [order(), payment(), invoice(), credit_memo(), journal()]
    return {document.reference: document for document in documents}


def untrue(sent: object, stored: object, path: str = "") -> list[str]:
    """Where a stored document differs from what was sent; what was not told, or left to SYSPRO, is no difference."""
    if stored is None or sent is None or (isinstance(sent, str | tuple) and len(sent) == 0):
        return []
    if isinstance(sent, tuple) and isinstance(stored, tuple):
        if len(sent) != len(stored):
            return [f"{path}: {len(sent)} sent, {len(stored)} stored"]
        return [
            each
            for n, (a, b) in enumerate(zip(sent, stored, strict=True))
            for each in untrue(a, b, f"{path}[{n}]")
        ]
    if isinstance(sent, msgspec.Struct) and not isinstance(sent, Money):
        names = type(sent).__struct_fields__
        return [
            each
            for name in names
            for each in untrue(getattr(sent, name), getattr(stored, name), f"{path}.{name}")
        ]
    return [] if sent == stored else [f"{path}: sent {sent!r}, stored {stored!r}"]


async def post_and_find(erp: ERP, document: ErpDocument) -> tuple[Receipt, Stored]:
    """Post a document and find the one document of it."""
    receipt = await erp.post(document, f"key-{document.reference}")
    found = await erp.find([document])
    assert list(found) == [document.reference]
    (stored,) = found[document.reference]
    return receipt, stored
