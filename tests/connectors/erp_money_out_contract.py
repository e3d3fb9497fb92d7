"""What a transport of the port `ERP` must do with documents by which money leaves again."""

from __future__ import annotations

import msgspec
import pytest

from integration.canonical.documents import ErpDocument, kind_of
from integration.canonical.documents_money_out import ArAdjustment, InvoiceToAdjust
from integration.errors import (
    OutcomeUnknown,
    PeriodClosed,
    Rejected,
    Transient,
    UnmappedField,
)
from integration.sandbox.syspro import clerk
from tests.connectors.erp_money_out_site import (
    PREPARED,
    REFUND_CLEARING,
    a_credit_to_adjust,
    adjustment,
    an_invoiced_order,
    balance,
    completion,
    credit_note,
    receipt,
    sound,
    withdrawal,
)
from tests.connectors.erp_site import Site, gbp, order, payment, post_and_find, untrue

KINDS = sorted(PREPARED)


class MovesMoneyOut:
    """Each step of a refund is posted once and found again, and the ledger agrees to the penny."""

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_step_posted_is_found_as_it_was_sent(self, site: Site, kind: str) -> None:
        erp = site.erp()
        document = await PREPARED[kind](site, erp)
        assert await erp.find([document]) == {}
        receipt_, stored = await post_and_find(erp, document)
        assert untrue(document, stored.document) == []
        assert stored.receipt.key == receipt_.key
        assert (receipt_.kind, stored.receipt.kind) == (kind, kind) == (kind_of(document),) * 2
        assert (receipt_.adopted, stored.receipt.adopted) == (False, True)
        assert sound(site)

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_step_whose_answer_was_lost_is_found(self, site: Site, kind: str) -> None:
        erp = site.erp()
        document = await PREPARED[kind](site, erp)
        site.fault("commit-then-drop")
        with pytest.raises(OutcomeUnknown):
            await erp.post(document, "k")
        (stored,) = (await erp.find([document]))[document.reference]
        assert untrue(document, stored.document) == []

    @pytest.mark.parametrize("kind", KINDS)
    async def test_a_step_that_never_arrived_is_not_found(self, site: Site, kind: str) -> None:
        erp = site.erp()
        document = await PREPARED[kind](site, erp)
        site.fault("drop")
        with pytest.raises(OutcomeUnknown):
            await erp.post(document, "k")
        assert await erp.find([document]) == {}
        await erp.post(document, "k")

    @pytest.mark.parametrize("kind", sorted(set(KINDS) - {"credit_note", "order_invoice"}))
    async def test_a_second_posting_under_one_reference_shows(self, site: Site, kind: str) -> None:
        erp = site.erp()
        document = await PREPARED[kind](site, erp)
        await erp.post(document, "a")
        await erp.post(document, "b")
        assert len((await erp.find([document]))[document.reference]) == 2

    @pytest.mark.parametrize("kind", sorted(set(KINDS) - {"credit_note"}))
    async def test_a_step_in_a_closed_period_is_refused_by_name(self, site: Site, kind: str) -> None:
        erp = site.erp()
        document = await PREPARED[kind](site, erp)
        site.sandbox.config.settings.closed_periods = ["2025-06"]
        with pytest.raises(PeriodClosed):
            await erp.post(document, "k")
        assert await erp.find([document]) == {}

    async def test_a_refund_of_goods_nets_refund_clearing_to_zero(self, site: Site) -> None:
        """Pattern R1: the goods come back, the credit is brought to zero, the money leaves the clearing bank."""
        erp = site.erp()
        await erp.post(payment(minor=2_810), "p")
        _, invoice = await an_invoiced_order(site, erp)
        banked, owed = balance(site, "00-1015"), balance(site, "00-1200")
        note = await erp.post(credit_note(invoice), "a")
        credit = await erp.post(completion(note.key, "C"), "b")
        assert balance(site, "00-1200") == owed - gbp(2_810)
        await erp.post(adjustment(credit.key, 2_810), "c")
        await erp.post(withdrawal(2_810), "d")
        assert balance(site, REFUND_CLEARING) == gbp(0)
        assert balance(site, "00-1015") == banked - gbp(2_810)
        assert balance(site, "00-1200") == owed
        assert balance(site, "10-4000") + balance(site, "10-4100") + balance(site, "00-2200") == gbp(0)
        assert sound(site)

    @pytest.mark.parametrize("fault", ["commit-then-drop", "drop", "garbage", "session-killed", "locked"])
    async def test_a_refund_whose_every_step_fails_once_is_posted_once(self, site: Site, fault: str) -> None:
        """What the road does: look, post, and after any failure look again; the next step has the last one's key."""
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        banked = balance(site, "00-1015")

        async def once(document: ErpDocument) -> str:
            site.fault(fault)
            for _ in range(3):
                found = await erp.find([document])
                if found:
                    return found[document.reference][0].receipt.key
                try:
                    return (await erp.post(document, document.reference)).key
                except Transient:
                    continue
            raise AssertionError(f"{document.reference} was never posted")

        note = await once(credit_note(invoice))
        credit = await once(completion(note, "C"))
        await once(adjustment(credit, 2_810))
        await once(withdrawal(2_810))
        await once(receipt(-2_810))
        assert balance(site, REFUND_CLEARING) == gbp(2_810)
        assert balance(site, "00-1015") == banked - gbp(2 * 2_810)
        assert balance(site, "00-1200") == gbp(2_810)
        assert site.sandbox.plan.fired[fault] == 5
        assert sound(site)

    async def test_the_negative_receipt_takes_the_money_out_as_well(self, site: Site) -> None:
        """Pattern R2."""
        erp = site.erp()
        document = await a_credit_to_adjust(site, erp)
        await erp.post(document, "b")
        posted = await erp.post(receipt(-1_200), "c")
        assert posted.warnings == ()
        assert balance(site, REFUND_CLEARING) == gbp(0)
        assert balance(site, "00-1015") == gbp(-1_200)
        assert sound(site)

    async def test_a_receipt_is_found_in_the_cash_book_when_its_journal_failed(self, site: Site) -> None:
        site.sandbox.config.quirks.gl_journal_error = "No payments interface"
        erp = site.erp()
        posted, stored = await post_and_find(erp, receipt())
        assert any("No payments interface" in warning for warning in posted.warnings)
        assert stored.receipt.key == posted.key
        assert untrue(receipt(), stored.document) == []

    async def test_warnings_are_ignored_for_the_one_negative_receipt_only(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(receipt(), "a")
        await erp.post(order(), "o")
        made = clerk.invoice(site.sandbox.store, clerk.Invoice(CustomerPoNumber="WEB-1"))
        too_much = adjustment(str(made["InvoiceNumber"]), 0, "I")
        with pytest.raises(Rejected):
            await erp.post(too_much, "b")

    async def test_an_unapplied_credit_is_moved_onto_an_invoice(self, site: Site) -> None:
        """The pair of adjustments by which a `_CRD` pays an invoice that was raised later."""
        erp = site.erp()
        paid = await erp.post(payment(minor=2_810), "p")
        found = (await erp.find([payment(minor=2_810)]))["PAY1"][0]
        credit = found.receipt.details["UnappliedInvoice"]
        _, invoice = await an_invoiced_order(site, erp)
        pair = ArAdjustment(
            reference="APPLY1",
            customer="1",
            invoices=(
                InvoiceToAdjust(
                    invoice=invoice, adjustment_value=gbp(-2_810), adjustment_ledger_code="00-2310"
                ),
                InvoiceToAdjust(
                    invoice=credit, adjustment_value=gbp(2_810), adjustment_ledger_code="00-2310"
                ),
            ),
        )
        _, stored = await post_and_find(erp, pair)
        assert untrue(pair, stored.document) == []
        assert balance(site, "00-2310") == gbp(0)
        assert {row["InvoiceBal1"] for row in site.books("invoices")} == {"0.00"}
        assert paid.key != stored.receipt.key
        assert sound(site)

    async def test_a_cash_transaction_keeps_syspros_whole_key(self, site: Site) -> None:
        posted = await site.erp().post(withdrawal(fee=34), "k")
        assert posted.key == "OC/2025/06/0000000001"
        assert posted.details == {
            "Bank": "OC",
            "CbTrnYear": "2025",
            "CbTrnMonth": "06",
            "Journal": "0000000001",
            "EntryNumber": "00001",
            "CbTrnDate": "20250616",
            "CbTrnTime": "000000",
            "GlJournal": "2025/06/0000000001",
        }
        assert balance(site, "30-6200") == gbp(34)

    async def test_a_cash_transaction_that_is_not_distributed_is_never_sent(self, site: Site) -> None:
        lacking = msgspec.structs.replace(withdrawal(), transaction_value=gbp(2_501))
        with pytest.raises(UnmappedField) as caught:
            await site.erp().post(lacking, "k")
        assert caught.value.error_code == "syspro.not-distributed"

    async def test_another_value_under_our_reference_is_told_as_it_is(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(withdrawal(2_500), "a")
        (stored,) = (await erp.find([withdrawal(2_400)]))["CASH1"]
        assert untrue(withdrawal(2_400), stored.document) == [
            f".transaction_value: sent {gbp(2_400)!r}, stored {gbp(2_500)!r}"
        ]
