"""SYSPRO's rules for sales orders and stock hold in the sandbox, and a refusal leaves nothing behind."""

from __future__ import annotations

import pytest

from tests.connectors.syspro_client import (
    Json,
    connected,
    order,
    payment,
    refused,
    sandbox,
    with_parameters,
)

SALES, PAY, INV = "SalesOrder", "AccountsReceivable/Payment", "AccountsReceivable/Invoice"
GL = "GeneralLedger/JournalEntry"


def line(**elements: str) -> list[Json]:
    base = {
        "StockCode": "A101",
        "OrderQty": "1.000000",
        "OrderUom": "EA",
        "Price": "10.00000",
        "PriceUom": "EA",
    }
    return [{**base, **elements}]


ORDER_REFUSALS: list[tuple[Json, int, str, str]] = [
    (order(Customer="777"), 422, "VALIDATION_FAILED", "OrderHeader.Customer"),
    (order(Customer="90"), 422, "CUSTOMER_ON_HOLD", "OrderHeader.Customer"),
    (order(Customer=""), 422, "VALIDATION_FAILED", "OrderHeader.Customer"),
    (order(po=""), 422, "VALIDATION_FAILED", "OrderHeader.CustomerPoNumber"),
    (order(po="P" * 31), 422, "VALIDATION_FAILED", "OrderHeader.CustomerPoNumber"),
    (order(Currency="EUR"), 422, "VALIDATION_FAILED", "OrderHeader.Currency"),
    (order(OrderDate="02/06/2025"), 422, "VALIDATION_FAILED", "OrderHeader.OrderDate"),
    (order(Branch="99"), 422, "VALIDATION_FAILED", "OrderHeader.Branch"),
    (order(lines=line(StockCode="ZZZ")), 422, "VALIDATION_FAILED", "OrderDetails.StockLine[0].StockCode"),
    (order(lines=line(StockCode="H100")), 422, "BUSINESS_REJECTED", "OrderDetails.StockLine[0].StockCode"),
    (order(lines=line(Warehouse="N1")), 422, "VALIDATION_FAILED", "OrderDetails.StockLine[0].Warehouse"),
    (order(lines=line(Warehouse="XX")), 422, "VALIDATION_FAILED", "OrderDetails.StockLine[0].Warehouse"),
    (order(lines=line(OrderUom="BOX")), 422, "VALIDATION_FAILED", "OrderDetails.StockLine[0].OrderUom"),
    (order(lines=line(Price="0.00")), 422, "VALIDATION_FAILED", "OrderDetails.StockLine[0].Price"),
    (order(lines=line(StockTaxCode="Q")), 422, "VALIDATION_FAILED", "OrderDetails.StockLine[0].StockTaxCode"),
    (with_parameters(order(), OrderStatus="2"), 422, "VALIDATION_FAILED", "Parameters.OrderStatus"),
    (with_parameters(order(), AllocationAction="S"), 422, "VALIDATION_FAILED", "Parameters.AllocationAction"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code", "element"), ORDER_REFUSALS)
async def test_an_unlawful_order_is_refused(body: Json, status: int, code: str, element: str) -> None:
    async with connected(sandbox()) as client:
        await refused(client, SALES, body, (status, code, element))


async def test_an_unknown_stock_code_carries_syspros_own_number() -> None:
    async with connected(sandbox()) as client:
        answer = await client.post(SALES, order(lines=line(StockCode="ZZZ")))
        (error,) = answer.json()["Items"][0]["Errors"]
        assert (error["ErrorNumber"], error["ErrorDescription"]) == ("240004", "Stock code 'ZZZ' not found")


async def test_a_purchase_order_number_is_taken_once_per_customer() -> None:
    async with connected(sandbox()) as client:
        assert (await client.post(SALES, order("PO"))).status_code == 201
        text = await refused(client, SALES, order("PO"), (409, "DUPLICATE", "OrderHeader.CustomerPoNumber"))
        assert "100673" in text
        assert (await client.post(SALES, order("PO", Customer="2"))).status_code == 201
        allowed = with_parameters(order("PO"), AllowDuplicateOrderNumbers="Y")
        assert (await client.post(SALES, allowed)).status_code == 201
        # With the company option on, only A lets a number through twice, whoever the customer is.
        await client.control("PUT", "quirks", {"unique_purchase_orders": True})
        await refused(
            client, SALES, order("PO", Customer="3"), (409, "DUPLICATE", "OrderHeader.CustomerPoNumber")
        )
        await refused(client, SALES, allowed, (409, "DUPLICATE", "OrderHeader.CustomerPoNumber"))
        assert (
            await client.post(SALES, with_parameters(order("PO"), AllowDuplicateOrderNumbers="A"))
        ).status_code == 201


async def test_a_cancelled_order_frees_its_number_and_its_stock() -> None:
    async with connected(sandbox()) as client:
        await client.post(SALES, order("PO"))
        item = (await client.get("StockItem/A101", Warehouse="FG")).json()["WarehouseItem"][0]
        assert (item["QtyAllocated"], item["AvailableQty"]) == ("2.000000", "998.000000")
        answer = await client.post("SalesOrder/100673/Cancel", {"CancelReasonCode": "X"}, key=None)
        assert answer.json()["Cancelled"] == "Y"
        stored = (await client.get("SalesOrder/000000000100673")).json()
        assert (stored["OrderStatus"], stored["CancelledFlag"]) == ("\\", "Y")
        item = (await client.get("StockItem/A101")).json()["WarehouseItem"][0]
        assert item["QtyAllocated"] == "0.000000"
        assert (await client.post(SALES, order("PO"))).status_code == 201
        assert await client.invariants_hold()


@pytest.mark.parametrize(
    ("action", "shipped"), [("F", "0.000000"), ("B", "0.000000"), ("A", "3.000000"), ("", "0.000000")]
)
async def test_allocation_follows_the_action_asked_for(action: str, shipped: str) -> None:
    async with connected(sandbox()) as client:
        await client.control(
            "POST", "seed", {"stock": [{"StockCode": "S1", "QtyOnHand": "3", "TaxCode": "Z"}]}
        )
        body = with_parameters(
            order(lines=line(StockCode="S1", OrderQty="5.000000")), AllocationAction=action
        )
        (item,) = (await client.post(SALES, body)).json()["Items"]
        assert "placed on back order" in item["Warnings"][0]["WarningDescription"]
        (stored,) = (await client.get(f"SalesOrder/{item['SalesOrder']}")).json()["SalesOrderLine"]
        assert stored["MShipQty"] == shipped
        assert await client.invariants_hold()


async def test_warnings_reject_pass_or_vanish_as_ignore_warnings_says() -> None:
    async with connected(sandbox()) as client:
        short = order(lines=line(StockCode="B100"))
        answer = await client.post(SALES, with_parameters(short, IgnoreWarnings="N"))
        assert answer.status_code == 422
        assert (await client.ledger())["sales_orders"] == []
        (item,) = (await client.post(SALES, with_parameters(short, IgnoreWarnings="Y"))).json()["Items"]
        assert item["Warnings"] == []


async def test_validate_only_answers_200_and_uses_no_number() -> None:
    async with connected(sandbox()) as client:
        answer = await client.post(SALES, with_parameters(order(), ValidateOnly="Y"))
        assert (answer.status_code, answer.json()["Items"][0]["Status"]) == (200, "VALIDATED")
        assert (await client.ledger())["sales_orders"] == []
        (item,) = (await client.post(SALES, order())).json()["Items"]
        assert item["SalesOrderDisplay"] == "100673"


async def test_one_bad_item_undoes_the_document_unless_told_otherwise() -> None:
    both = [payment("1.00")["Items"][0], payment("2.00", Customer="777")["Items"][0]]
    async with connected(sandbox()) as client:
        answer = await client.post(PAY, {"Parameters": {}, "Items": both})
        assert answer.status_code == 422
        assert [item["Status"] for item in answer.json()["Items"]] == ["SKIPPED", "REJECTED"]
        assert (await client.ledger())["ar_payments"] == []
        partial = {"Parameters": {"ApplyIfEntireDocumentValid": "N"}, "Items": both}
        answer = await client.post(PAY, partial)
        assert answer.status_code == 207
        assert [item["Status"] for item in answer.json()["Items"]] == ["POSTED", "REJECTED"]
        assert len((await client.ledger())["ar_payments"]) == 1
        assert await client.invariants_hold()


async def test_an_order_goes_from_entry_to_invoice_to_credit() -> None:
    async with connected(sandbox()) as client:
        await client.post(SALES, order("PO", lines=line(OrderQty="2.000000")))
        early = await client.post("SalesOrder/100673/Invoice", {})
        assert early.status_code == 422
        moved = await client.post("SalesOrder/100673/Status", {"NewOrderStatus": "8"}, key=None)
        assert moved.json()["NewOrderStatus"] == "8"
        billed = await client.post("SalesOrder/100673/Invoice", {"InvoiceDate": "2025-06-02"})
        assert (billed.status_code, billed.json()["TrnMonth"]) == (201, "06")
        number = billed.json()["InvoiceNumber"]
        (row,) = (await client.get(INV, SalesOrder="100673")).json()["Items"]
        assert (row["Invoice"], row["CurrencyValue"], row["TaxPortion"]) == (number, "24.00", "4.00")
        stored = (await client.get("SalesOrder/100673")).json()
        assert (stored["OrderStatus"], stored["LastInvoice"]) == ("9", number)
        stock = (await client.get("StockItem/A101")).json()["WarehouseItem"][0]
        assert (stock["QtyOnHand"], stock["QtyAllocated"]) == ("998.000000", "0.000000")
        note = {"Items": [{"InvoiceNumber": number, "Customer": "1", "Lines": [{"LineNumber": "1"}]}]}
        made = await client.post("AccountsReceivable/CreditNote", note)
        credit_order = made.json()["Items"][0]["CreditNoteCreated"]
        await client.post(f"SalesOrder/{credit_order}/Invoice", {"OrderType": "C"})
        assert (await client.get("Customer/1")).json()["Balance"]["CurrentBalance1"] == "0.00"
        assert await client.invariants_hold()


async def test_suspense_is_left_only_with_credit_authority() -> None:
    async with connected(sandbox()) as client:
        await client.post(SALES, with_parameters(order(), OrderStatus="S"))
        bare = await client.post("SalesOrder/100673/Status", {"NewOrderStatus": "1"}, key=None)
        assert bare.status_code == 422
        allowed = {"NewOrderStatus": "1", "CreditAuthority": "AB"}
        assert (await client.post("SalesOrder/100673/Status", allowed, key=None)).status_code == 201


async def test_an_order_is_changed_by_header_and_by_line() -> None:
    async with connected(sandbox()) as client:
        await client.post(SALES, order())
        change = {
            "Parameters": {"IgnoreWarnings": "W"},
            "Orders": [{
                "OrderHeader": {"OrderActionType": "C", "SpecialInstrs": "Leave at the door"},
                "OrderDetails": {"StockLine": [{"CustomerPoLine": "1", "LineActionType": "C", "OrderQty": "5.000000"}]},
            }],
        }  # fmt: skip
        answer = await client.put("SalesOrder/100673", change)
        assert answer.status_code == 200, answer.text
        stored = (await client.get("SalesOrder/100673")).json()
        assert (stored["SpecialInstrs"], stored["SalesOrderLine"][0]["MOrderQty"]) == (
            "Leave at the door",
            "5.000000",
        )
        assert stored["CustomerPoNumber"] == "WEB-2025-000123"
        assert await client.invariants_hold()
