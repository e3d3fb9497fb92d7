"""Documents found by inference belong to the posting that recorded them, and to no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from integration.canonical.documents import DocumentKind, ErpDocument, Receipt, Stored
from integration.canonical.documents_money_out import CreditNoteOrder, OrderInvoice
from service.flow.references import without_others
from service.flow.stage import Stage
from tests.flow.site import Site

NOTE = CreditNoteOrder(reference="NEW", customer="0000001", invoice_number="100270")
COMPLETED = OrderInvoice(reference="NEW", sales_order="100673")


def found(
    document: ErpDocument, kind: DocumentKind, *, certain: bool = False
) -> dict[str, tuple[Stored, ...]]:
    receipt = Receipt(kind=kind, reference="NEW", key="100700", adopted=True)
    return {"NEW": (Stored(receipt=receipt, document=document, certain=certain),)}


async def stage_of(north: Site, kind: DocumentKind, key: str) -> Stage:
    """A stage whose database has one posting recorded: of this kind, under this key, for another reference."""
    await north.sale("SO-1", 1_000)
    await north.walk()
    payment = await north.payment("SO-1")
    async with north.engine.begin() as connection:
        await connection.exec_driver_sql(
            f"UPDATE postings SET kind = '{kind}', erp_key = '{key}', reference = 'OLD' "
            f"WHERE payment_id = {payment.payment_id} AND sequence = 0"
        )
    lane = SimpleNamespace(pair=north.pair)
    return cast("Stage", SimpleNamespace(engine=north.engine, reads=north.engine, lane=lane))


@pytest.mark.parametrize(
    ("document", "kind"), [(NOTE, "credit_note"), (COMPLETED, "order_invoice")], ids=["note", "completion"]
)
async def test_a_document_recorded_for_one_posting_is_never_taken_for_another(
    north: Site, document: ErpDocument, kind: DocumentKind
) -> None:
    stage = await stage_of(north, kind, "100700")
    assert await without_others(found(document, kind), stage) == {"NEW": ()}
    certain = found(document, kind, certain=True)
    assert await without_others(certain, stage) == certain


async def test_a_document_that_is_nobody_elses_is_ours(north: Site) -> None:
    stage = await stage_of(north, "credit_note", "100699")
    assert await without_others(found(NOTE, "credit_note"), stage) == found(NOTE, "credit_note")
