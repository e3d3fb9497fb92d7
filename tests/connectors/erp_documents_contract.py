"""What a transport of the port `ERP` must post, find and read."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from integration.canonical.documents import UnappliedPayment
from integration.canonical.money import Money
from tests.connectors.erp_site import (
    Site,
    credit_memo,
    invoice,
    of_every_kind,
    order,
    paying,
    payment,
    post_and_find,
    untrue,
)

KINDS = sorted(of_every_kind())


class PostsAndFinds:
    """A document posted is found under our reference, whole, and nothing is found that was not posted."""

    @pytest.mark.parametrize("reference", KINDS)
    async def test_a_document_posted_is_found_as_it_was_sent(self, site: Site, reference: str) -> None:
        document = of_every_kind()[reference]
        receipt, stored = await post_and_find(site.erp(), document)
        assert untrue(document, stored.document) == []
        assert stored.certain
        assert stored.receipt.key == receipt.key
        assert (receipt.reference, receipt.adopted, stored.receipt.adopted) == (reference, False, True)

    @pytest.mark.parametrize("unapplied", [0, 2_000])
    async def test_a_payment_of_an_invoice_is_found_with_its_parts(self, site: Site, unapplied: int) -> None:
        erp = site.erp()
        await erp.post(invoice(minor=10_100), "i")
        _, stored = await post_and_find(erp, paying(unapplied=unapplied))
        assert untrue(paying(unapplied=unapplied), stored.document) == []

    async def test_a_payment_is_whole_although_its_unapplied_part_left_no_movement(self, site: Site) -> None:
        site.sandbox.config.quirks.unapplied_without_reference = True
        erp = site.erp()
        await erp.post(invoice(minor=10_100), "i")
        _, stored = await post_and_find(erp, paying(unapplied=2_000))
        assert untrue(paying(unapplied=2_000), stored.document) == []
        assert stored.certain

    async def test_a_credit_memo_on_an_invoice_is_found_on_it(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(invoice(), "i")
        memo = msgspec.structs.replace(credit_memo(), invoice="9001", post_to_existing=True)
        _, stored = await post_and_find(erp, memo)
        assert untrue(memo, stored.document) == []

    async def test_an_invoice_numbered_by_syspro_is_only_probably_ours(self, site: Site) -> None:
        ours = msgspec.structs.replace(invoice(), invoice="")
        _, stored = await post_and_find(site.erp(), ours)
        assert not stored.certain

    async def test_documents_that_were_never_posted_are_not_found(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(order("WEB-10"), "o")
        for document in of_every_kind().values():
            assert await erp.find([document]) == {}
        assert await erp.find([]) == {}

    async def test_keys_come_back_in_the_spelling_that_was_sent(self, site: Site) -> None:
        site.sandbox.config.quirks.customer_digits = 15
        site.sandbox.store.add_customer("77", Name="Padded")
        _, stored = await post_and_find(site.erp(), payment(customer="0000077"))
        assert untrue(payment(customer="0000077"), stored.document) == []

    async def test_a_foreign_payment_keeps_its_currency(self, site: Site) -> None:
        value = Money(5_000, "EUR")
        part = UnappliedPayment(gross_payment_value=value, customer_purchase_order="WEB-1")
        foreign = msgspec.structs.replace(payment(customer="91"), payment_value=value, unapplied=(part,))
        _, stored = await post_and_find(site.erp(), foreign)
        assert untrue(foreign, stored.document) == []

    async def test_every_posting_under_one_reference_is_told(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(payment(), "first")
        await erp.post(payment(), "second")
        assert len((await erp.find([payment()]))["PAY1"]) == 2

    async def test_a_cancelled_order_does_not_count(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(order(), "o")
        store = site.sandbox.store
        (key,) = store.orders.keys_after("")
        store.orders.put(key, msgspec.structs.replace(store.orders[key], CancelledFlag="Y", OrderStatus="\\"))
        assert await erp.find([order()]) == {}

    async def test_many_payments_are_found_in_few_calls(self, site: Site) -> None:
        erp = site.erp()
        many = [payment(f"{n:030X}", 100 + n, f"WEB-{n}") for n in range(120)]
        for each in many:
            await erp.post(each, each.reference)
        before = site.sandbox.plan.calls
        found = await erp.find(many)
        assert site.sandbox.plan.calls - before <= 8
        assert {reference: hits[0].document for reference, hits in found.items()} == {
            each.reference: msgspec.structs.replace(each, journal_notation=None, bank=None, payment_type=None)
            for each in many
        }


class Reads:
    """Master data in our own words."""

    async def test_the_profile_says_who_and_where_we_are(self, site: Site) -> None:
        profile = await site.erp().profile()
        assert (profile.company, profile.operator, profile.local_currency) == ("EDU1", "OPAYO1", "GBP")
        assert (profile.default_bank, profile.default_warehouse) == ("HB", "FG")

    async def test_a_customer_is_read_or_is_not_there(self, site: Site) -> None:
        erp = site.erp()
        held, foreign = await erp.customer("90"), await erp.customer("0000091")
        assert held is not None
        assert foreign is not None
        assert (held.customer, held.on_hold, held.currency) == ("90", True, "GBP")
        assert (foreign.customer, foreign.on_hold, foreign.currency) == ("0000091", False, "EUR")
        assert await erp.customer("4242") is None

    async def test_a_stock_item_is_read_with_its_warehouses_or_is_not_there(self, site: Site) -> None:
        erp = site.erp()
        item, held = await erp.stock_item("N100"), await erp.stock_item("H100")
        assert item is not None
        assert held is not None
        assert (item.unit, item.on_hold, item.warehouses) == ("EA", False, ("N1",))
        assert held.on_hold
        assert await erp.stock_item("A100/B?*") is None

    async def test_the_book_rate_is_exact(self, site: Site) -> None:
        rate = await site.erp().book_rate("EUR")
        assert rate is not None
        assert (rate.source, rate.target, rate.value) == ("EUR", "GBP", Decimal("0.85"))
        assert (rate.authority, rate.as_of.isoformat()) == ("SYSPRO TblCurrency", "2025-06-16")
        assert await site.erp(operator="OPAYO2", operator_password="sandbox-2").book_rate("CHF") is None
