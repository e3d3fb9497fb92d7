"""Habits of SYSPRO that a site may not have: each is on by itself and can be switched."""

from __future__ import annotations

import pytest

from integration.syspro.enet.config import EnetConfig
from tests.connectors.enet_client import connected, errors, importing, order, payment, xml
from tests.connectors.enet_site import an_enet_site, other
from tests.connectors.erp_site import of_every_kind


async def test_an_import_validates_by_default_and_a_status_too() -> None:
    async with connected() as client:
        blank = xml("SalesOrders", Parameters={"AllocationAction": "A"})
        assert (await client.post("SORTOI", blank, order())).findtext(
            "ValidationStatus/Status"
        ) == "Successful"
        assert (await client.ledger())["sales_orders"] == []
        await client.quirk(import_by_default=True)
        assert (await client.post("SORTOI", blank, order())).find("ValidationStatus") is None
        assert len((await client.ledger())["sales_orders"]) == 1
        change = xml("PostSorOrderStatus", Item={"SalesOrder": "100673", "NewOrderStatus": "S"})
        await client.quirk(import_by_default=False)
        for usual, status in ((False, "1"), (True, "S")):
            await client.quirk(import_by_default=usual)
            await client.post("SORTOS", "<PostSorOrderStatus/>", change)
            assert (await client.ledger())["sales_orders"][0]["OrderStatus"] == status


@pytest.mark.parametrize("where", ["parameter", "header", "line"])
async def test_a_misspelt_element_is_lost_without_a_word_or_refused(where: str) -> None:
    async with connected() as client:
        parameters = importing(ValidateOnly="Y") if where == "parameter" else importing()
        header = {"ShippingInstrsCod": "AIR"} if where == "header" else {}
        lines = [{"TaxCode": "Z"}] if where == "line" else None
        document = order(lines=lines, **header)
        assert errors(await client.post("SORTOI", parameters, document)) == []
        await client.quirk(unknown_elements_refused=True)
        asked = {"BusinessObject": "SORTOI", "XmlParameters": parameters, "XmlIn": document}
        answer = await client.text("Transaction/Post", **asked)
        assert answer.startswith("ERROR: XML element '")
        assert len((await client.ledger())["sales_orders"]) == 1


async def test_our_own_documents_hold_no_element_that_syspro_does_not_know() -> None:
    async with an_enet_site() as site:
        site.sandbox.config.quirks.unknown_elements_refused = True
        erp = other(site, EnetConfig())
        for document in of_every_kind().values():
            assert (await erp.post(document, "key")).key


async def test_credit_numbers_run_per_customer_or_through_the_company() -> None:
    async with connected() as client:

        async def numbers(first: str) -> list[str]:
            for customer in ("0000001", "0000002"):
                await client.post(
                    "ARSTPY", "<PostArPayment/>", payment(Customer=customer, Reference=f"{first}{customer}")
                )
            found = await client.find("ArInvoicePay", "Invoice Reference", ("Reference", "LIKE", f"{first}*"))
            return [row["Invoice"] for row in sorted(found, key=lambda row: row["Reference"])]

        assert await numbers("A") == ["_CRD0000001", "_CRD0000001"]
        await client.quirk(credit_numbers_shared=True, unapplied_prefix="_UNA")
        assert await numbers("B") == ["_UNA0000001", "_UNA0000002"]


@pytest.mark.parametrize(
    ("auto", "value", "taken"), [("N", "130.00", None), ("Y", "120.00", 1), ("U", "130.00", 2)]
)
async def test_a_payment_is_held_against_its_parts_as_its_parameter_says(
    auto: str, value: str, taken: int | None
) -> None:
    async with connected() as client:
        asked = xml("PostArPayment", Parameters={"AutoCorrectPaymentValue": auto})
        parts = {"UnappliedPayment": {"GrossPaymentValue": "120.00", "CustomerPurchaseOrder": "WEB-1"}}
        answer = await client.post("ARSTPY", asked, payment("130.00", **parts))
        posted = (await client.ledger())["ar_payments"]
        if taken is None:
            assert "not fully distributed" in errors(answer)[0][1]
            assert posted == []
        else:
            assert [one["PaymentValue"] for one in posted] == [value]
            assert len(await client.find("ArInvoicePay", "Invoice", ("TrnType", "EQ", "P"))) == taken


async def test_a_site_without_the_check_takes_a_payment_that_is_not_distributed() -> None:
    async with connected() as client:
        await client.quirk(payments_not_distributed=True)
        parts = {"UnappliedPayment": {"GrossPaymentValue": "120.00", "CustomerPurchaseOrder": "WEB-1"}}
        assert errors(await client.post("ARSTPY", "<PostArPayment/>", payment("130.00", **parts))) == []
        assert [one["PaymentValue"] for one in (await client.ledger())["ar_payments"]] == ["130.00"]


async def test_an_order_number_is_guarded_per_customer_or_through_the_company() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        for unique, customer, allow, refused in (
            (False, "0000001", "N", True), (False, "0000002", "N", False), (False, "0000001", "Y", False),
            (True, "0000003", "Y", True), (True, "0000003", "A", False),
        ):  # fmt: skip
            await client.quirk(unique_purchase_orders=unique)
            answer = await client.post(
                "SORTOI", importing(AllowDuplicateOrderNumbers=allow), order(Customer=customer)
            )
            assert bool(errors(answer)) is refused, (unique, customer, allow)


async def test_the_widths_of_stored_keys_are_the_companys() -> None:
    async with connected() as client:
        await client.quirk(sales_order_digits=6, invoice_digits=8, customer_digits=7)
        await client.post("SORTOI", importing(), order())
        assert await client.find("SorMaster", "SalesOrder", ("CustomerPoNumber", "EQ", "WEB-1")) == [
            {"SalesOrder": "100673"}
        ]


async def test_a_customer_on_hold_gets_no_order_and_may_pay() -> None:
    async with connected() as client:
        held = {"Customer": "HOLD9", "Name": "Held", "CustomerOnHold": "Y"}
        await client.control("POST", "seed", {"customers": [held]})
        assert "on hold" in errors(await client.post("SORTOI", importing(), order(Customer="HOLD9")))[0][1]
        taken = importing(WarnIfCustomerOnHold="Y", IgnoreWarnings="W")
        assert errors(await client.post("SORTOI", taken, order(Customer="HOLD9"))) == []
        assert errors(await client.post("ARSTPY", "<PostArPayment/>", payment(Customer="HOLD9"))) == []
