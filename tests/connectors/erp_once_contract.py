"""How a transport of the port `ERP` must never post twice, whatever happens on the way."""

from __future__ import annotations

import pytest

from integration.canonical.documents import SalesOrder
from integration.errors import (
    AlreadyPosted,
    OutcomeUnknown,
    Transient,
    Unreachable,
)
from tests.connectors.erp_site import (
    Site,
    of_every_kind,
    order,
    payment,
    post_and_find,
    untrue,
)

KINDS = sorted(of_every_kind())


class NeverPostsTwice:
    """A lost answer is an unknown outcome, and a look settles it."""

    @pytest.mark.parametrize("reference", KINDS)
    async def test_a_posting_whose_answer_was_lost_is_found(self, site: Site, reference: str) -> None:
        erp, document = site.erp(), of_every_kind()[reference]
        site.fault("commit-then-drop")
        with pytest.raises(OutcomeUnknown):
            await erp.post(document, "k")
        (stored,) = (await erp.find([document]))[reference]
        assert untrue(document, stored.document) == []

    @pytest.mark.parametrize("reference", KINDS)
    async def test_a_posting_that_never_arrived_is_not_found(self, site: Site, reference: str) -> None:
        erp, document = site.erp(), of_every_kind()[reference]
        site.fault("drop")
        with pytest.raises(OutcomeUnknown):
            await erp.post(document, "k")
        assert await erp.find([document]) == {}
        await erp.post(document, "k")

    @pytest.mark.parametrize("fault", ["garbage", "slow"])
    async def test_an_answer_late_or_senseless_leaves_the_outcome_open(self, site: Site, fault: str) -> None:
        erp = site.erp(post_timeout=0.2)
        await erp.profile()
        site.fault(fault)
        with pytest.raises(OutcomeUnknown):
            await erp.post(payment(), "k")
        assert len((await erp.find([payment()]))["PAY1"]) == 1

    async def test_a_gateway_error_leaves_the_outcome_of_a_write_open(self, site: Site) -> None:
        erp = site.erp()
        site.fault("5xx", status=502, committed=True)
        with pytest.raises(OutcomeUnknown):
            await erp.post(payment(), "k")
        assert len(site.books("ar_payments")) == 1

    async def test_a_read_is_made_again_at_once_and_never_an_unknown_outcome(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(payment(), "k")
        for fault in ("drop", "garbage", "locked", "5xx"):
            site.fault(fault, writes_only=False)
            assert len((await erp.find([payment()]))["PAY1"]) == 1
        site.fault("drop", times=3, writes_only=False)
        with pytest.raises(Unreachable):
            await erp.find([payment()])

    async def test_nobody_listening_means_that_nothing_was_sent(self, site: Site) -> None:
        with pytest.raises(Unreachable):
            await site.erp(base_url="http://127.0.0.1:9").post(payment(), "k")

    async def test_unapplied_cash_without_our_reference_is_found_by_inference(self, site: Site) -> None:
        site.sandbox.config.quirks.unapplied_without_reference = True
        _, stored = await post_and_find(site.erp(), payment())
        assert not stored.certain
        assert untrue(payment(), stored.document) == []

    @pytest.mark.parametrize(
        "other",
        [payment("OTHER", 12_001), payment("OTHER", number="WEB-2"), payment("OTHER", customer="2")],
        ids=["value", "order", "customer"],
    )
    async def test_cash_of_another_value_order_or_customer_is_not_taken_for_ours(
        self, site: Site, other: SalesOrder
    ) -> None:
        site.sandbox.config.quirks.unapplied_without_reference = True
        erp = site.erp()
        await erp.post(other, "k")
        assert await erp.find([payment()]) == {}

    async def test_cash_that_names_another_payment_is_not_taken_for_ours(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(payment("OTHER"), "k")
        assert await erp.find([payment()]) == {}

    async def test_an_order_number_that_was_not_returned_is_looked_up(self, site: Site) -> None:
        site.sandbox.config.quirks.number_not_returned = True
        receipt, stored = await post_and_find(site.erp(), order())
        assert receipt.key == stored.receipt.key == "100673"

    async def test_an_order_taken_without_a_number_is_never_reported_as_not_taken(self, site: Site) -> None:
        site.sandbox.config.quirks.number_not_returned = True
        erp = site.erp(look_again_after=())
        with pytest.raises(OutcomeUnknown):
            await erp.post(order(), "k")
        assert len((await erp.find([order()]))["WEB-1"]) == 1

    async def test_a_duplicate_order_is_already_posted_and_the_first_is_found(self, site: Site) -> None:
        erp = site.erp()
        first = await erp.post(order(), "a")
        with pytest.raises(AlreadyPosted) as caught:
            await erp.post(order(), "b")
        assert caught.value.reference == "WEB-1"
        assert (await erp.find([order()]))["WEB-1"][0].receipt.key == first.key
        assert site.orders == 1

    async def test_a_storm_ends_with_every_payment_posted_once(self, site: Site) -> None:
        erp = site.erp()
        site.sandbox.plan.set_rates(
            {
                "commit-then-drop": 0.2,
                "drop": 0.1,
                "5xx": 0.1,
                "locked": 0.05,
                "session-killed": 0.05,
                "garbage": 0.05,
            }
        )
        many = [payment(f"P{n}", 100 + n, f"WEB-{n}") for n in range(40)]
        waiting = dict.fromkeys(range(len(many)), False)
        for n in [*waiting] * 60:
            try:
                if waiting.get(n) and await erp.find([many[n]]):
                    del waiting[n]
                if n in waiting:
                    waiting[n] = False
                    await erp.post(many[n], f"k{n}")
                    del waiting[n]
            except OutcomeUnknown:
                waiting[n] = True
            except Transient:
                continue
        site.sandbox.plan.clear()
        assert site.sandbox.plan.fired["commit-then-drop"] > 0
        assert waiting == {}
        assert sorted(str(row["Reference"]) for row in site.books("ar_payments")) == sorted(
            each.reference for each in many
        )
