"""The JSON face of the SYSPRO sandbox answers the contract's own examples, in shape and in number."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tests.connectors.syspro_client import BASE, code_of, connected, invoice, journal, order, payment, sandbox

ORDER_EXAMPLE = """
{ "Parameters": { "ValidateOnly":"N", "OrderStatus":"1", "TypeOfOrder":"ORD", "IgnoreWarnings":"W",
                  "AllocationAction":"A", "AlwaysUsePriceEntered":"Y", "AllowZeroPrice":"N",
                  "AllowDuplicateOrderNumbers":"N", "CheckForCustomerPoNumbers":"Y",
                  "WarnIfCustomerOnHold":"N", "AcceptEarlierShipDate":"Y", "AcceptOrdersIfNoCredit":"N",
                  "ShipFromDefaultBin":"Y", "AllowNonStockItems":"N", "WarehouseListToUse":"" },
  "Orders": [ { "OrderHeader": {
      "CustomerPoNumber":"WEB-2025-000123", "OrderActionType":"A", "Customer":"0000001",
      "OrderDate":"2025-06-02", "RequestedShipDate":"2025-06-04", "Currency":"GBP",
      "CustomerName":"J Smith", "ShipAddress1":"", "ShipAddress2":"1 High Street", "ShipAddress3":"Leeds",
      "ShipAddress3Locality":"", "ShipAddress4":"West Yorkshire", "ShipAddress5":"GB", "ShipPostalCode":"LS1 1AA",
      "Email":"j@example.org", "Warehouse":"FG", "Branch":"10", "Salesperson":"100",
      "SpecialInstrs":"OPAYO 12345678", "InvoiceTerms":"00", "OrderComments":["Paid on line"] },
    "OrderDetails": {
      "StockLine":[ { "CustomerPoLine":"0001", "LineActionType":"A", "StockCode":"A100", "Warehouse":"FG",
                      "OrderQty":"2.000000", "OrderUom":"EA", "Price":"10.00000", "PriceUom":"EA",
                      "StockTaxCode":"A", "LineDiscPercent1":"0.00" } ],
      "FreightLine":[ { "CustomerPoLine":"0002", "LineActionType":"A", "FreightValue":"4.00", "FreightCost":"0.00",
                        "FreightTaxCode":"A" } ],
      "MiscChargeLine":[ { "CustomerPoLine":"0003", "LineActionType":"A", "MiscChargeValue":"-1.00",
                           "MiscChargeCost":"0.00", "MiscProductClass":"_DSC", "MiscDescription":"Voucher",
                           "MiscNotTaxable":"Y" } ],
      "CommentLine":[ { "CustomerPoLine":"0004", "LineActionType":"A", "Comment":"Gift", "CommentType":"O" } ] } } ] }
"""
PAYMENT_EXAMPLE = """
{ "Parameters": { "PostingPeriod":"C", "IgnoreWarnings":"N", "ApplyIfEntireDocumentValid":"Y", "ValidateOnly":"N",
                  "AutoCorrectPaymentValue":"N", "IntegrateToCashBookInDetail":"N", "AutoCalculateTax":"N",
                  "IgnoreAnalysis":"Y" },
  "Items": [ { "Payment": {
      "Customer":"0000001", "PaymentValue":"120.00", "Reference":"6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E",
      "PaymentDate":"2025-06-02", "JournalNotation":"Opayo WEB-2025-000123",
      "PaymentNarration":"6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f", "Bank":"OC", "PaymentType":"O",
      "InvoiceToPay":[ { "TransactionType":"I", "Invoice":"000000000100270", "GrossPaymentValue":"100.00",
                         "DiscountValue":"0.00" } ],
      "UnappliedPayment":[ { "GrossPaymentValue":"20.00", "CustomerPurchaseOrder":"WEB-2025-000124" } ] } } ] }
"""
JOURNAL_EXAMPLE = """
{ "Parameters": { "IgnoreWarnings":"N", "ApplyIfEntireDocumentValid":"Y", "ValidateOnly":"N", "ActionType":"A",
                  "IgnoreAnalysis":"Y" },
  "Items": [ { "JournalType":"N", "AuthorizeJournal":"A", "PostJournal":"Y", "HoldJournal":"N",
      "JournalDate":"2025-06-03", "JournalReference":"OPAYO SETTLE 20250602", "Notation":"Opayo fees 2025-06-02",
      "PostingYear":"2025", "PostingPeriod":"06", "SourceCode":"", "Currency":"",
      "JournalDetails":[
        { "LedgerCode":"30-6200", "Reference":"OPAYO SETTLE 20250602", "EntryAmount":"12.34",  "Comment":"Card fees" },
        { "LedgerCode":"00-1010", "Reference":"OPAYO SETTLE 20250602", "EntryAmount":"-12.34", "Comment":"Card fees" } ] } ] }
"""


async def test_the_sales_order_example_posts_and_reads_back() -> None:
    company = sandbox()
    company.store.add_stock("A100", Decimal(1))
    async with connected(company) as client:
        answer = await client.post("SalesOrder", msgspec.json.decode(ORDER_EXAMPLE))
        assert answer.status_code == 201, answer.text
        body = answer.json()
        (item,) = body["Items"]
        expected = {
            "ItemNumber": "000001", "Status": "POSTED", "SalesOrder": "000000000100673",
            "SalesOrderDisplay": "100673", "CustomerPoNumber": "WEB-2025-000123", "OrderActionType": "A",
            "OrderStatus": "1",
            "Warnings": [
                {"WarningNumber": "",
                 "WarningDescription": "Line 0001 for stock code 'A100' was placed on back order"}
            ],
        }  # fmt: skip
        assert {name: item[name] for name in expected} == expected
        assert body["StatusOfItems"] == {
            "ItemsProcessed": "000001", "ItemsRejectedWithWarnings": "000000",
            "ItemsProcessedWithWarnings": "000001", "ItemsInvalid": "000000",
        }  # fmt: skip
        assert body["ValidationStatus"] == {"Status": "Successful"}

        stored = (await client.get("SalesOrder/100673")).json()
        assert stored["SalesOrder"] == "000000000100673"
        assert stored["SpecialInstrs"] == "OPAYO 12345678"
        assert stored["ShipPostalCode"] == "LS1 1AA"
        kinds = [
            (line["LineType"], line["MStockCode"] or line["NComment"]) for line in stored["SalesOrderLine"]
        ]
        assert kinds == [("1", "A100"), ("4", ""), ("5", "Voucher"), ("6", "Gift"), ("6", "Paid on line")]
        first = stored["SalesOrderLine"][0]
        assert (first["MOrderQty"], first["MShipQty"], first["MBackOrderQty"]) == (
            "2.000000",
            "1.000000",
            "1.000000",
        )
        assert (first["MPrice"], stored["SalesOrderLine"][2]["NMscChargeValue"]) == ("10.00000", "-1.00")
        assert await client.invariants_hold()


async def test_the_payment_example_posts_and_reads_back() -> None:
    async with connected(sandbox()) as client:
        raised = await client.post("AccountsReceivable/Invoice", invoice("100.00"))
        assert raised.json()["Items"][0]["Invoice"] == "000000000100270"
        answer = await client.post("AccountsReceivable/Payment", msgspec.json.decode(PAYMENT_EXAMPLE))
        assert answer.status_code == 201, answer.text
        (item,) = answer.json()["Items"]
        assert item["Status"] == "POSTED"
        assert (item["Kind"], item["Customer"]) == ("Payment", "0000001")
        assert item["Key"] == {"TrnYear": "2025", "TrnMonth": "06", "Journal": "0000000001"}
        assert item["UnappliedInvoices"] == [{"Invoice": "_CRD0000001", "GrossPaymentValue": "20.00"}]
        totals = answer.json()["StatusOfItems"]
        assert totals["GlJournal"] == {
            "GlYear": "2025", "GlPeriod": "06", "GlJournal": "0000000002", "GlJournalError": "",
            "GlJournalMessage": "",
        }  # fmt: skip
        assert (totals["ItemsProcessed"], totals["ItemsInvalid"]) == ("000001", "")

        found = (
            await client.get(
                "AccountsReceivable/Payment", Customer="1", Reference="6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E"
            )
        ).json()
        assert found["RowsReturned"] == 2
        assert found["NextStartAt"] is None
        assert {(row["Invoice"], row["TrnType"], row["TrnValue"]) for row in found["Items"]} == {
            ("000000000100270", "P", "100.00"), ("_CRD0000001", "P", "20.00"),
        }  # fmt: skip
        assert {row["InvoiceNotation"] for row in found["Items"]} == {"6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f"}
        assert (await client.get("AccountsReceivable/Payment/2025/6/1")).json()["RowsReturned"] == 2
        gl = (await client.get("GeneralLedger/JournalEntry/2025/06/2")).json()
        assert {(x["LedgerCode"], x["EntryAmount"]) for x in gl["JournalDetails"]} == {
            ("00-1200", "-100.00"), ("00-1200", "-20.00"), ("00-1015", "100.00"), ("00-1015", "20.00"),
        }  # fmt: skip
        assert await client.invariants_hold()


async def test_the_journal_example_posts_and_reads_back() -> None:
    async with connected(sandbox()) as client:
        answer = await client.post("GeneralLedger/JournalEntry", msgspec.json.decode(JOURNAL_EXAMPLE))
        assert answer.status_code == 201, answer.text
        (item,) = answer.json()["Items"]
        expected = {
            "ItemNumber": "000001", "Status": "POSTED",
            "Key": {"GlYear": "2025", "GlPeriod": "06", "GlJournal": "0000000001"},
            "JournalDate": "2025-06-03", "NumOfEntries": "00002", "DebitAmount": "12.34",
            "CreditAmount": "12.34", "JnlPostingType": "N", "JnlStatus": "P", "Authorised": "Y",
        }  # fmt: skip
        assert {name: item[name] for name in expected} == expected
        assert answer.json()["StatusOfItems"] == {
            "JournalsProcessed": "1", "JournalsInvalid": "", "PostingsProcessed": "1", "PostingsInvalid": "",
        }  # fmt: skip
        found = (await client.get("GeneralLedger/JournalEntry", Reference="OPAYO SETTLE 20250602")).json()
        (stored,) = found["Items"]
        assert stored["Key"] == item["Key"]
        assert [(x["EntryType"], x["EntryValue"], x["EntryAmount"]) for x in stored["JournalDetails"]] == [
            ("D", "12.34", "12.34"), ("C", "12.34", "-12.34"),
        ]  # fmt: skip
        account = (await client.get("GeneralLedger/Account/30-6200")).json()
        assert (account["CurrentBalance"], account["GlPeriod"]) == ("12.34", "06")


async def test_the_logon_example_answers_the_operators_profile() -> None:
    async with connected(sandbox(), logon=False) as client:
        answer = await client.logon()
        assert answer.json() == {
            "UserId": client.token, "TokenType": "Bearer", "CompanyId": "EDU1", "Operator": "OPAYO1",
            "SysproVersion": "8.0.0", "EnetVersion": "8.0.161", "LocalCurrencyCode": "GBP",
            "AccountingDate": "2025-06-02", "DefaultBank": "HB", "DefaultArBranch": "10",
            "DefaultWarehouse": "FG",
        }  # fmt: skip
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        assert (await client.get("Auth/Profile")).json() == answer.json()


async def test_the_error_example_has_its_exact_body() -> None:
    async with connected(sandbox()) as client:
        body = payment(
            "1.00", UnappliedPayment=None, InvoiceToPay=[{"Invoice": "100999", "GrossPaymentValue": "1.00"}]
        )
        answer = await client.http.post(
            f"{BASE}/AccountsReceivable/Payment",
            json=body,
            headers={**client.headers("k"), "X-Correlation-Id": "b7"},
        )
        assert answer.status_code == 422
        parsed = answer.json()
        assert parsed["Error"] == {
            "Code": "BUSINESS_REJECTED", "Message": "1 of 1 items rejected", "BusinessObject": "ARSTPY",
            "CorrelationId": "b7", "Retryable": False,
        }  # fmt: skip
        (item,) = parsed["Items"]
        assert (item["ItemNumber"], item["Status"], item["Warnings"]) == ("000001", "REJECTED", [])
        (error,) = item["Errors"]
        assert error["Element"] == "Payment.InvoiceToPay[0].Invoice"
        assert (error["Value"], error["ErrorDescription"]) == ("100999", "Invoice '100999' not found")
        assert parsed["StatusOfItems"] == {"ItemsProcessed": "000000", "ItemsInvalid": "000001"}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("SalesOrder", order(Custmer="1"), "UNKNOWN_ELEMENT"),
        ("SalesOrder", {**order(), "Extra": {}}, "UNKNOWN_ELEMENT"),
        ("SalesOrder", {"Parameters": {"PostingPeriod": "C"}, "Orders": order()["Orders"]}, "UNKNOWN_ELEMENT"),
        ("AccountsReceivable/Payment", payment(PaymentValue=120.0), "BAD_TYPE"),
        ("AccountsReceivable/Payment", payment(PaymentValue="120"), "BAD_TYPE"),
        ("AccountsReceivable/Payment", payment(PaymentValue="1.2e2"), "BAD_TYPE"),
        ("AccountsReceivable/Payment", {"Items": [{"Payment": {"Customer": None}}]}, "BAD_TYPE"),
        ("GeneralLedger/JournalEntry", journal("1.00", "-1.00", HoldJournal=True), "BAD_TYPE"),
        ("GeneralLedger/JournalEntry", {"Items": []}, "MALFORMED"),
    ],
)  # fmt: skip
async def test_a_request_out_of_shape_is_refused_before_the_business_object(
    path: str, body: object, code: str
) -> None:
    async with connected(sandbox()) as client:
        answer = await client.post(path, body)
        assert (answer.status_code, code_of(answer)) == (400, code)


async def test_broken_json_missing_keys_and_too_many_items_are_told_apart() -> None:
    async with connected(sandbox()) as client:
        url = f"{BASE}/SalesOrder"
        broken = await client.http.post(url, content=b"{", headers=client.headers("k1"))
        assert (broken.status_code, code_of(broken)) == (400, "MALFORMED")
        keyless = await client.post("SalesOrder", order(), key=None)
        assert (keyless.status_code, code_of(keyless)) == (400, "MALFORMED")
        odd = await client.post("SalesOrder", order(), key="not a key")
        assert (odd.status_code, code_of(odd)) == (400, "MALFORMED")
        many = await client.post("SalesOrder", {"Orders": order()["Orders"] * 101})
        assert (many.status_code, code_of(many)) == (413, "TOO_LARGE")
        assert (await client.ledger())["sales_orders"] == []


@pytest.mark.parametrize(
    "path",
    ["SalesOrder/1", "Customer/999", "StockItem/ZZZ", "Currency/XXX", "GeneralLedger/Account/1", "Nothing",
     "AccountsReceivable/Payment/2025/06/9", "GeneralLedger/JournalEntry/2025/06/9"],
)  # fmt: skip
async def test_an_unknown_key_in_the_path_is_404(path: str) -> None:
    async with connected(sandbox()) as client:
        answer = await client.get(path)
        assert (answer.status_code, code_of(answer)) == (404, "NOT_FOUND")


async def test_health_needs_no_session_and_capabilities_name_every_business_object() -> None:
    async with connected(sandbox(unlicensed=["ARSTPY"]), logon=False) as client:
        assert (await client.get("Health")).status_code == 200
        assert (await client.get("Capabilities")).status_code == 401
        await client.logon()
        objects = (await client.get("Capabilities")).json()["BusinessObjects"]
        assert (objects["ARSTPY"], objects["SORTOI"]) == ("N", "Y")
        answer = await client.post("AccountsReceivable/Payment", payment())
        assert (answer.status_code, code_of(answer)) == (403, "NOT_LICENSED")


async def test_lists_page_by_key_and_combine_filters() -> None:
    async with connected(sandbox()) as client:
        for n in range(5):
            answer = await client.post("SalesOrder", order(f"PO-{n}", Customer="1" if n < 3 else "2"))
            assert answer.status_code == 201
        first = (await client.get("SalesOrder", Limit="2")).json()
        assert first["NextStartAt"] == "000000000100674"
        second = (await client.get("SalesOrder", Limit="3", StartAt=first["NextStartAt"])).json()
        assert [row["SalesOrderDisplay"] for row in second["Items"]] == ["100675", "100676", "100677"]
        assert second["NextStartAt"] is None
        both = (
            await client.get("SalesOrder", CustomerPoNumber="PO-0,PO-3,PO-9", Customer="0000001,2")
        ).json()
        assert [row["CustomerPoNumber"] for row in both["Items"]] == ["PO-0", "PO-3"]
        like = (
            await client.get("SalesOrder", CustomerPoNumber="PO*", Customer="2", OrderStatus="1,2,S")
        ).json()
        assert like["RowsReturned"] == 2
        stock = (await client.get("StockItem", StockCode="A10*")).json()
        assert stock["RowsReturned"] == 10
        assert (await client.get("Customer", Name="Held*")).json()["Items"][0]["CustomerOnHold"] == "Y"
        for bad in ({"Limit": "501"}, {"Limit": "x"}, {"Colour": "red"}):
            assert (await client.get("SalesOrder", **bad)).status_code == 400
