"""What a transport of the port `ERP` must do with credit-note orders, and with money out that SYSPRO refuses."""

from __future__ import annotations

import msgspec
import pytest

from integration.canonical.documents_money_out import ArAdjustment
from integration.errors import CustomerOnHold, IntegrationError, Misconfigured, Rejected
from tests.connectors.erp_money_out_site import (
    PREPARED,
    a_credit_to_adjust,
    adjustment,
    an_invoiced_order,
    completion,
    credit_note,
    withdrawal,
)
from tests.connectors.erp_site import Site, post_and_find, untrue


class CreditsOrders:
    """Credit-note orders carry no reference of ours, so they are known by what they credit."""

    async def test_a_note_that_syspro_numbered_is_only_probably_ours(self, site: Site) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        _, stored = await post_and_find(erp, credit_note(invoice, 1))
        assert not stored.certain

    async def test_a_note_with_a_number_of_our_own_is_found_for_certain(self, site: Site) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        numbered = msgspec.structs.replace(credit_note(invoice, 1), credit_note_number="900001")
        posted, stored = await post_and_find(erp, numbered)
        assert (posted.key, stored.certain) == ("900001", True)

    @pytest.mark.parametrize("lines", [(2,), (1, 2), ()], ids=str)
    async def test_a_note_of_other_lines_is_not_taken_for_ours(
        self, site: Site, lines: tuple[int, ...]
    ) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        await erp.post(credit_note(invoice, 1), "k")
        assert await erp.find([credit_note(invoice, *lines)]) == {}

    async def test_a_note_of_the_whole_invoice_is_found(self, site: Site) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        _, stored = await post_and_find(erp, credit_note(invoice))
        assert untrue(credit_note(invoice), stored.document) == []

    async def test_a_cancelled_note_does_not_count(self, site: Site) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        posted = await erp.post(credit_note(invoice, 1), "k")
        store = site.sandbox.store
        key = posted.details["CreditNoteCreated"]
        store.orders.put(key, msgspec.structs.replace(store.orders[key], CancelledFlag="Y", OrderStatus="\\"))
        assert await erp.find([credit_note(invoice, 1)]) == {}

    async def test_an_order_that_is_ready_has_not_been_invoiced_although_it_was_before(
        self, site: Site
    ) -> None:
        erp = site.erp()
        number, _ = await an_invoiced_order(site, erp)
        store = site.sandbox.store
        store.orders.put(number, msgspec.structs.replace(store.orders[number], OrderStatus="8"))
        assert await erp.find([completion(number)]) == {}
        store.orders.put(number, msgspec.structs.replace(store.orders[number], OrderStatus="2"))
        ((stored,),) = (await erp.find([completion(number)])).values()
        assert not stored.certain

    @pytest.mark.parametrize(
        ("unlicensed", "kind"),
        [("SORTCI", "credit_note"), ("SORTIC", "order_invoice"), ("CSHTWD", "cash_transaction")],
    )
    async def test_a_step_that_nobody_licensed_is_a_misconfiguration(
        self, site: Site, unlicensed: str, kind: str
    ) -> None:
        erp = site.erp()
        document = await PREPARED[kind](site, erp)
        site.sandbox.config.settings.unlicensed = [unlicensed]
        with pytest.raises(Misconfigured) as caught:
            await erp.post(document, "k")
        assert caught.value.error_code == "syspro.not-licensed"

    async def test_an_adjustment_of_a_customer_on_hold_is_refused_by_name(self, site: Site) -> None:
        erp = site.erp()
        document = await a_credit_to_adjust(site, erp)
        store = site.sandbox.store
        held = store.customers["0000001"]
        store.customers.put("0000001", msgspec.structs.replace(held, CustomerOnHold="Y"))
        with pytest.raises(CustomerOnHold):
            await erp.post(document, "k")

    @pytest.mark.parametrize(
        "document",
        [completion("999999"), credit_note("4711"), adjustment("4711", 100), withdrawal(0)],
        ids=["order", "invoice", "document", "value"],
    )
    async def test_a_refusal_posts_nothing(self, site: Site, document: ArAdjustment) -> None:
        erp = site.erp()
        with pytest.raises(IntegrationError) as caught:
            await erp.post(document, "k")
        assert isinstance(caught.value, Rejected)
        assert await erp.find([document]) == {}
