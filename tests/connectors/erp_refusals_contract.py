"""What a transport of the port `ERP` must say when SYSPRO refuses, drops or cannot finish."""

from __future__ import annotations

import msgspec
import pytest

from integration.canonical.documents import SalesOrder
from integration.errors import (
    CustomerOnHold,
    IntegrationError,
    Misconfigured,
    PeriodClosed,
    RecordLocked,
    Rejected,
    Unclassified,
    UnknownCustomer,
    UnknownStockCode,
)
from tests.connectors.erp_site import (
    Site,
    credit_memo,
    gbp,
    journal,
    order,
    paying,
    payment,
    post_and_find,
    untrue,
)


class SaysWhatIsWrong:
    """Refusals have names, and what SYSPRO dropped or could not finish is visible."""

    @pytest.mark.parametrize(
        ("document", "error", "code"),
        [
            (order(customer="4242"), UnknownCustomer, "syspro.unknown-customer"),
            (payment(customer="4242"), UnknownCustomer, "syspro.unknown-customer"),
            (order(stock_code="NOPE"), UnknownStockCode, "syspro.unknown-stock-code"),
            (order(stock_code="N100"), UnknownStockCode, "syspro.unknown-stock-code"),
            (order(customer="90"), CustomerOnHold, "syspro.customer-on-hold"),
            (order(stock_code="H100"), Unclassified, "syspro.unclassified"),
            (
                msgspec.structs.replace(payment(), payment_value=gbp(12_001)),
                Rejected,
                "syspro.not-distributed",
            ),
            (
                msgspec.structs.replace(
                    journal(),
                    entries=(
                        journal().entries[0],
                        msgspec.structs.replace(journal().entries[1], entry_amount=gbp(-1)),
                    ),
                ),
                Rejected,
                "syspro.unbalanced",
            ),
            (paying("4711"), Rejected, "syspro.validation-failed"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    async def test_a_refusal_has_a_name_and_posts_nothing(
        self, site: Site, document: SalesOrder, error: type[IntegrationError], code: str
    ) -> None:
        erp = site.erp()
        with pytest.raises(IntegrationError) as caught:
            await erp.post(document, "k")
        assert type(caught.value) is error
        assert caught.value.error_code == code
        assert document.reference in caught.value.title
        assert await erp.find([document]) == {}

    async def test_an_unclassified_refusal_keeps_syspros_words(self, site: Site) -> None:
        with pytest.raises(Unclassified) as caught:
            await site.erp().post(order(stock_code="H100"), "k")
        assert caught.value.evidence["ErrorDescription"] == "Stock code 'H100' is on hold"
        assert caught.value.evidence["ErrorNumber"]

    @pytest.mark.parametrize(
        "document", [payment(), journal(), credit_memo()], ids=["payment", "journal", "memo"]
    )
    async def test_a_closed_period_is_named(self, site: Site, document: SalesOrder) -> None:
        site.sandbox.config.settings.closed_periods = ["2025-06"]
        with pytest.raises(PeriodClosed):
            await site.erp().post(document, "k")

    async def test_a_locked_record_is_retried(self, site: Site) -> None:
        erp = site.erp()
        await erp.profile()
        site.fault("locked")
        with pytest.raises(RecordLocked):
            await erp.post(order(), "k")
        assert site.orders == 0

    async def test_an_unlicensed_object_is_a_misconfiguration(self, site: Site) -> None:
        site.sandbox.config.settings.unlicensed = ["ARSTPY"]
        with pytest.raises(Misconfigured) as caught:
            await site.erp().post(payment(), "k")
        assert caught.value.error_code == "syspro.not-licensed"

    @pytest.mark.parametrize(
        ("element", "document", "path"),
        [
            ("SpecialInstrs", order(), ".special_instrs"),
            ("ShipPostalCode", order(), ".ship_postal_code"),
            ("PaymentNarration", payment(), ".payment_narration"),
            ("CustomerPurchaseOrder", payment(), ".unapplied[0].customer_purchase_order"),
            ("Notation", journal(), ".notation"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    async def test_an_element_that_syspro_dropped_is_visible(
        self, site: Site, element: str, document: SalesOrder, path: str
    ) -> None:
        erp = site.erp()
        site.fault("element-ignored", element=element)
        _, stored = await post_and_find(erp, document)
        assert [each.partition(":")[0] for each in untrue(document, stored.document)] == [path]

    async def test_a_price_that_syspro_changed_is_visible(self, site: Site) -> None:
        site.sandbox.config.quirks.stock_tax_code_ignored = True
        lines = tuple(
            msgspec.structs.replace(line, tax_code="B") if line.kind == "stock" else line
            for line in order().lines
        )
        sent = msgspec.structs.replace(order(), lines=lines)
        _, stored = await post_and_find(site.erp(), sent)
        assert untrue(sent, stored.document) == [".lines[0].tax_code: sent 'B', stored 'A'"]

    async def test_a_failed_gl_journal_is_a_warning_on_a_posted_payment(self, site: Site) -> None:
        site.sandbox.config.quirks.gl_journal_error = "No payments interface"
        receipt = await site.erp().post(payment(), "k")
        assert any("No payments interface" in warning for warning in receipt.warnings)

    async def test_a_back_order_is_a_warning_on_a_posted_order(self, site: Site) -> None:
        receipt = await site.erp().post(order(stock_code="B100"), "k")
        assert any("back order" in warning for warning in receipt.warnings)
