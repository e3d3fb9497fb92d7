"""Customers, set-up and queries over e.net, and one set of books under both faces."""

from __future__ import annotations

from typing import Any

from tests.connectors.enet_client import (
    connected,
    errors,
    importing,
    order,
    parameters,
    payment,
    read,
    xml,
)
from tests.connectors.syspro_client import order as json_order
from tests.connectors.syspro_client import payment as json_payment


async def test_a_customer_is_added_once_changed_and_deleted_while_unused() -> None:
    async with connected() as client:
        item: dict[str, Any] = {
            "Key": {"Customer": "WEB0002"}, "Name": "J Smith", "Salesperson": "100", "Branch": "10", "TermsCode": "00",
        }  # fmt: skip
        document = xml("SetupArCustomer", Item=item)
        answer = await client.send("Setup/Add", "ARSSCS", "", document)
        assert (answer.tag, answer.findtext("item/key/customer")) == ("setuparcustomer", "WEB0002")
        counters = [node.text for node in answer.findall("StatusOfItems/*")]
        assert counters == ["1", "0"]
        answer = await client.send("Setup/Add", "ARSSCS", "", document)
        assert errors(answer) == [("120001", "Duplicate key 'WEB0002' on 'ArCustomer'")]
        assert answer.findtext("item/customer/Value") == "WEB0002"
        only = parameters("SetupArCustomer", ValidateOnly="Y")
        change = xml("SetupArCustomer", Item={"Key": {"Customer": "WEB0002"}, "Name": "Jo Smith"})
        await client.send("Setup/Update", "ARSSCS", only, change)
        assert (await client.json_get("Customer/WEB0002"))["Name"] == "J Smith"
        await client.send("Setup/Update", "ARSSCS", "", change)
        assert (await client.json_get("Customer/WEB0002"))["Name"] == "Jo Smith"
        key = xml("SetupArCustomer", Item=[{"Key": {"Customer": "WEB0002"}}, {"Key": {"Customer": "777"}}])
        answer = await client.send("Setup/Delete", "ARSSCS", "", key)
        assert errors(answer) == [("900002", "Customer '777' not found")]
        assert await client.find("ArCustomer", "Name", ("Customer", "EQ", "WEB0002")) == []
        await client.post("ARSTPY", "", payment())
        used = xml("SetupArCustomer", Item={"Key": {"Customer": "1"}})
        assert "transactions exist" in errors(await client.send("Setup/Delete", "ARSSCS", "", used))[0][1]


async def test_reads_of_set_up_and_accounts_answer_their_documents() -> None:
    async with connected() as client:
        option = xml("Query", Option={"ReturnSchema": "N", "CompanyId": "0"})
        assert (await client.query("ARSQSO", option)).findtext("General/BankDepSlipReq") == "Y"
        assert (await client.query("GENQSI", option)).findtext("GeneralLedger/PostArGlJournal") == "Y"
        assert (await client.query("IMPQSO", option)).findtext("General1/AllowNegQtys") == "N"
        assert (await client.query("IMPQCD", "<Query/>")).tag == "DatedExchangeRateQuery"
        assert (await client.query("COMPRF", "<Query/>")).findtext("DefaultBank") == "HB"
        answer = await client.query("GENQRY", xml("Query", Key={"LedgerCode": "00-1015"}))
        assert (answer.tag, answer.findtext("GlYear"), answer.findtext("GlPeriod")) == (
            "LedgerQuery",
            "2025",
            "06",
        )
        answer = await client.query("GENQGL", xml("Query", key={"LedgerCode": "00-1200"}))
        assert answer.findtext("LedgerDetails/ControlAccFlag") == "Y"
        assert (
            "on hold"
            in errors(await client.query("GENQGL", xml("Query", key={"LedgerCode": "00-9000"})))[0][1]
        )
        for code, key in (
            ("SORQRY", "SalesOrder"),
            ("ARSQRY", "Customer"),
            ("GENQRY", "LedgerCode"),
            ("INVQRY", "StockCode"),
        ):
            assert errors(await client.query(code, xml("Query", Key={key: "777"})))[0][1].endswith(
                "'777' not found"
            )
        header = await client.get(
            "Transaction/Build",
            UserId=client.token,
            BusinessObject="SORRSH",
            XmlIn=xml("Build", Customer="1"),
        )
        assert read(header.content).findtext("InvoiceTerms") == "00"


async def test_a_statement_is_a_second_way_to_find_a_reference() -> None:
    async with connected() as client:
        await client.post("ARSTPY", "", payment())
        asked = xml("Query", Key={"Customer": "1"}, Option={"IncludeTransactions": "Y"})
        answer = await client.query("ARSQRY", asked)
        assert answer.tag == "ARStatement"
        assert answer.findtext("InvoiceDetail/Invoice") == "_CRD0000001"
        assert answer.findtext("InvoiceDetail/TransDetail/Reference") == "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E"
        assert answer.findtext("PayDetail/ChequeReference") == "6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E"
        assert answer.findtext("TotalSection/CurrentBalance", "").strip() == "-120.00"


async def test_a_list_of_orders_is_filtered_by_attributes() -> None:
    async with connected() as client:
        for po, customer in (("A", "1"), ("B", "2"), ("C", "2")):
            await client.post("SORTOI", importing(), order(po, Customer=customer))
        one = '<Query><Filter><Customer FilterType="S" FilterValue="2"/><OrderStatus FilterType="L" FilterValue="1,S"/></Filter></Query>'
        answer = await client.query("SORQSO", one)
        assert [node.findtext("CustomerPoNumber") for node in answer.findall("SalesOrderItem")] == ["B", "C"]
        assert answer.findtext("SalesOrderItem/DocumentType") == "ORD"
        page = xml("Query", Option={"StartAtOrder": "100674", "ReturnOrders": "1"})
        answer = await client.query("SORQSO", page)
        assert [node.findtext("CustomerPoNumber") for node in answer.findall("SalesOrderItem")] == ["B"]


async def test_what_one_face_posts_the_other_face_shows() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order("E-NET"))
        await client.post("ARSTPY", "", payment(Reference="OVER-ENET"))
        found = await client.json_get("SalesOrder", CustomerPoNumber="E-NET")
        assert found["Items"][0]["SalesOrder"] == "000000000100673"
        found = await client.json_get("AccountsReceivable/Payment", Reference="OVER-ENET")
        assert found["Items"][0]["Invoice"] == "_CRD0000001"
        await client.json_post("SalesOrder", json_order("JSON"))
        await client.json_post("AccountsReceivable/Payment", json_payment(Reference="OVER-JSON"))
        assert await client.find("SorMaster", "SalesOrder", ("CustomerPoNumber", "EQ", "JSON")) == [
            {"SalesOrder": "000000000100674"}
        ]
        (row,) = await client.find(
            "ArInvoicePay", "Invoice TrnValue Journal", ("Reference", "EQ", "OVER-JSON")
        )
        assert row == {"Invoice": "_CRD0000002", "TrnValue": "120.00", "Journal": "0000000002"}
        await client.books_hold()
