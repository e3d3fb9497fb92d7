"""Sales orders over e.net: what SORTOI, SORTOS, SORTIC, SORTCI and SORTOX default to, answer and refuse."""

from __future__ import annotations

import pytest

from tests.connectors.enet_client import (
    connected,
    errors,
    importing,
    order,
    parameters,
    warnings,
    xml,
)


async def test_an_order_import_validates_unless_told_to_import() -> None:
    async with connected() as client:
        for given in (
            "",
            "<SalesOrders><Parameters/></SalesOrders>",
            parameters("SalesOrders", Process="VALIDATE"),
        ):
            answer = await client.post("SORTOI", given, order())
            assert answer.findtext("ValidationStatus/Status") == "Successful"
            assert answer.findtext("Orders/OrderHeader/CustomerPoNumber") == "WEB-1"
        assert (await client.ledger())["sales_orders"] == []
        await client.post("SORTOI", parameters("SalesOrders", Process="Import"), order())
        assert len((await client.ledger())["sales_orders"]) == 1


async def test_a_clean_import_keeps_its_number_to_itself_and_one_with_warnings_does_not() -> None:
    async with connected() as client:
        answer = await client.post("SORTOI", importing(), order("CLEAN"))
        assert answer.find("Order") is None
        short = order("SHORT", [{"StockCode": "B100"}])
        answer = await client.post("SORTOI", importing(IgnoreWarnings="W"), short)
        assert answer.findtext("Order/SalesOrder") == "000000000100674"
        assert warnings(answer) == ["Line 0001 for stock code 'B100' was placed on back order"]
        assert answer.findtext("Order/BackOrderComment") == warnings(answer)[0]
        assert answer.findtext("StatusOfItems/ItemsProcessedWithWarnings") == "000001"
        await client.fault("number-not-returned", body="SORTOI")
        assert (
            await client.post("SORTOI", importing(IgnoreWarnings="W"), short.replace("SHORT", "S2"))
        ).find("Order") is None
        await client.quirk(order_element_on_clean_import=True)
        answer = await client.post("SORTOI", importing(), order("SAYS"))
        assert answer.findtext("Order/SalesOrder") == "000000000100676"


async def test_a_refused_order_comes_back_with_its_errors_inside() -> None:
    async with connected() as client:
        bad = order(
            "BAD", [{"StockCode": "A101"}, {"StockCode": "ZZZ", "CustomerPoLine": "0002"}], Customer="777"
        )
        answer = await client.post("SORTOI", importing(), bad)
        header = answer.findall("Orders/OrderHeader/Customer")
        assert (header[0].text, header[1].findtext("Value")) == ("777", "777")
        assert header[1].findtext("ErrorDescription") == "Customer '777' not found"
        assert answer.findtext("ValidationStatus/Status") == "Failed"
        answer = await client.post("SORTOI", importing(), bad.replace("777", "1"))
        first, second = answer.findall("Orders/OrderDetails/StockLine")
        assert first.find("ErrorMessages") is None
        assert second.findtext("ErrorMessages/ErrorDescription") == "Stock code 'ZZZ' not found"
        assert second.findtext("ErrorMessages/ErrorNumber") == "240004"
        assert answer.findtext("StatusOfItems/ItemsInvalid") == "000001"
        assert (await client.ledger())["sales_orders"] == []


async def test_one_bad_order_keeps_a_whole_import_out_whatever_is_asked() -> None:
    async with connected() as client:
        good, bad = order("GOOD"), order("BAD", Customer="777")
        both = good.replace("</SalesOrders>", bad.removeprefix("<SalesOrders>"))
        answer = await client.post("SORTOI", importing(ApplyIfEntireDocumentValid="N"), both)
        assert [node.findtext("CustomerPoNumber") for node in answer.findall("Order")] == ["BAD"]
        assert (await client.ledger())["sales_orders"] == []
        # ValidateOnly is nothing SORTOI knows: the import happens all the same.
        await client.post("SORTOI", importing(ValidateOnly="Y"), good)
        assert len((await client.ledger())["sales_orders"]) == 1


async def test_misspelt_elements_and_forbidden_tax_codes_are_lost_without_a_word() -> None:
    async with connected() as client:
        await client.quirk(stock_tax_code_ignored=True)
        lines = [{"StockTaxCode": "Z", "TaxCode": "Z"}]
        document = order("PO", lines, shippingInstrs="x", SpecialInstrs="x" * 50, ShippingInstrsCod="FAST")
        answer = await client.post("SORTOI", importing(), document)
        assert errors(answer) == []
        stored = await client.json_get("SalesOrder/100673")
        assert (stored["SalesOrderLine"][0]["MTaxCode"], stored["ShippingInstrs"]) == ("A", "")
        assert stored["SpecialInstrs"] == "x" * 30


@pytest.mark.parametrize(
    ("header", "number", "said"),
    [
        ({"OrderDate": "2025-06-02T00:00:00"}, "100028", "CCYY-MM-DD"),
        ({"Customer": ""}, "100030", "cannot be spaces"),
        ({"Customer": "90"}, "900004", "on hold"),
        ({"Currency": "EUR"}, "900003", "must be the customer's currency"),
    ],
)
async def test_a_header_is_refused_by_number_and_text(header: dict[str, str], number: str, said: str) -> None:
    async with connected() as client:
        ((found, text),) = errors(await client.post("SORTOI", importing(), order("PO", None, **header)))
        assert found == number
        assert said in text


async def test_long_decimals_are_not_numeric() -> None:
    async with connected() as client:
        answer = await client.post("SORTOI", importing(), order("PO", [{"Price": "10.000000000001"}]))
        assert errors(answer)[0] == ("100031", "Element 'Price' must be numeric")


async def test_a_customer_may_come_from_the_parameters_and_numbers_are_taken_once() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(CustomerToUse="2"), order(Customer=""))
        assert (await client.ledger())["sales_orders"][0]["Customer"] == "0000002"
        answer = await client.post("SORTOI", importing(), order(Customer="2"))
        assert "Duplicate customer purchase order number" in errors(answer)[0][1]


async def test_an_order_is_changed_and_deleted_by_its_number() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        change = xml("SalesOrders", Orders={"OrderHeader": {
            "OrderActionType": "C", "SalesOrder": "100673", "SpecialInstrs": "OPAYO", "CustomerPoNumber": "WEB-1"}})  # fmt: skip
        assert errors(await client.post("SORTOI", importing(), change)) == []
        assert (await client.json_get("SalesOrder/100673"))["SpecialInstrs"] == "OPAYO"
        await client.post("SORTOI", importing(), change.replace(">C<", ">D<"))
        found = await client.find(
            "SorMaster", "OrderStatus CancelledFlag", ("CustomerPoNumber", "EQ", "WEB-1")
        )
        assert found == [{"OrderStatus": "\\", "CancelledFlag": "Y"}]
        answer = await client.post("SORTOI", importing(), change)
        assert "already cancelled" in errors(answer)[0][1]


async def test_an_order_walks_to_its_invoice_and_its_credit() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        to_8 = xml(
            "PostSorOrderStatus", Item={"SalesOrder": "100673", "OrderStatus": "1", "NewOrderStatus": "8"}
        )
        answer = await client.post("SORTOS", "", to_8)
        assert errors(answer) == []
        assert (await client.json_get("SalesOrder/100673"))[
            "OrderStatus"
        ] == "1"  # ValidateOnly is Y by default
        answer = await client.post("SORTOS", parameters("PostSorOrderStatus", ValidateOnly="N"), to_8)
        assert answer.findtext("Item/Order/NewOrderStatus") == "8"
        answer = await client.post("SORTIC", "", xml("PostSalesOrderInvoice", Item={"SalesOrder": "100673"}))
        assert answer.findtext("Item/Key/InvoiceNumber") == "000000000100270"
        assert answer.findtext("Item/Key/Processed") == "Y"
        assert answer.findtext("Item/Key/GlJournal/GlJournal") == "0000000001"
        credit = xml("PostCreditFromInvoice", Item={"InvoiceNumber": "100270"})
        note = (await client.post("SORTCI", "", credit)).findtext("Item/Key/CreditNoteCreated", "")
        given = parameters("PostSalesOrderInvoice", OrderType="C")
        await client.post("SORTIC", given, xml("PostSalesOrderInvoice", Item={"SalesOrder": note}))
        (balance,) = await client.find("ArCustomerBal", "CurrentBalance1", ("Customer", "EQ", "0000001"))
        assert balance == {"CurrentBalance1": "0.00"}
        await client.books_hold()


async def test_invoicing_posts_the_good_orders_unless_the_document_must_be_whole() -> None:
    async with connected() as client:
        for po in ("A", "B"):
            await client.post("SORTOI", importing(OrderStatus="8"), order(po))
        both = xml("PostSalesOrderInvoice", Item=[{"SalesOrder": "777"}, {"SalesOrder": "100673"}])
        root = "PostSalesOrderInvoice"
        answer = await client.post("SORTIC", parameters(root, ApplyIfEntireDocumentValid="Y"), both)
        assert (await client.ledger())["invoices"] == []
        answer = await client.post("SORTIC", "", both)
        assert (answer.findtext("StatusOfItems/ItemsProcessed"), answer.findtext("StatusOfItems/ItemsInvalid")) == (
            "000001", "000001",
        )  # fmt: skip
        assert len((await client.ledger())["invoices"]) == 1


async def test_a_cancelled_order_says_what_it_was() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        answer = await client.post("SORTOX", "", xml("PostSalesOrderCancel", Item={"SalesOrder": "100673"}))
        assert answer.tag == "postsalesordercancel"
        said = {node.tag: node.text for node in answer.findall("Item/*")}
        assert (said["OriginalOrderStatus"], said["Cancelled"], said["Completed"]) == ("1", "Y", "N")
