"""The sandbox's e.net face answers as recorded: elements in order, numbers padded, documents taken as written."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from tests.connectors.enet_client import REST, Client, connected, errors, importing, order, payment, xml
from tests.connectors.enet_documents import (
    CREDIT_MEMO,
    CUSTOMER,
    CUSTOMER_PARAMETERS,
    JOURNAL,
    ORDER,
    ORDER_PARAMETERS,
    PAYMENT,
    PAYMENT_PARAMETERS,
    WITHDRAWAL,
)

ATTRIBUTES = (
    "Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01' "
    "Version='8.0.161' OperatorPrimaryRole='   '"
)
SETTINGS = {"accounting_date": "2025-06-16"}


async def invoiced(client: Client) -> None:
    """Give customer 1 the invoice that the recorded payment pays."""
    item = {
        "TransactionType": "I", "Customer": "0000001", "GenerateInvoiceNumber": "N", "Invoice": "100270",
        "InvoiceDate": "2025-06-02", "InvoiceValue": "100.00", "ProductClass": "WEB", "Branch": "10",
    }  # fmt: skip
    answer = await client.post("ARSTIN", "<PostArInvoices/>", xml("PostArInvoices", Item=item))
    assert errors(answer) == []


@pytest.mark.parametrize("strict", [False, True])
async def test_every_document_of_the_reference_is_taken_as_written(strict: bool) -> None:
    async with connected() as client:
        await client.control("PUT", "settings", SETTINGS)
        # Each element in them is one that the objects know.
        await client.quirk(unknown_elements_refused=strict)
        await invoiced(client)
        for code, parameters, document in (
            ("SORTOI", ORDER_PARAMETERS, ORDER), ("ARSTPY", PAYMENT_PARAMETERS, PAYMENT),
            ("ARSTIN", "", CREDIT_MEMO), ("CSHTWD", "", WITHDRAWAL), ("GENTJL", "", JOURNAL),
        ):  # fmt: skip
            answer = await client.post(code, parameters, document)
            assert errors(answer) == [], code
        answer = await client.send("Setup/Add", "ARSSCS", CUSTOMER_PARAMETERS, CUSTOMER)
        counters = [(each.tag, each.text) for each in answer.iterfind("StatusOfItems/*")]
        assert counters == [("RecordsRead", "1"), ("RecordsInvalid", "0")]
        books = await client.ledger()
        assert [one["CustomerPoNumber"] for one in books["sales_orders"]] == ["WEB-2025-000123"]
        assert [one["PaymentValue"] for one in books["ar_payments"]] == ["120.00"]
        await client.books_hold()


async def test_a_payment_is_answered_in_the_layout_of_the_sample() -> None:
    async with connected() as client:
        await client.control("PUT", "settings", SETTINGS)
        asked = {"BusinessObject": "ARSTPY", "XmlParameters": "", "XmlIn": payment()}
        text = (await client.text("Transaction/Post", **asked)).replace("\n", "")
        assert re.fullmatch(
            rf"<\?xml version=\"1.0\" encoding=\"Windows-1252\"\?><postarpayment {ATTRIBUTES}>"
            r"<Item><Payment><Key><TrnYear>2025</TrnYear><TrnMonth>06</TrnMonth><Journal>\d{10}</Journal></Key>"
            r"<Customer>0000001</Customer></Payment></Item><StatusOfItems><GlJournal><GlYear>2025</GlYear>"
            r"<GlPeriod>06</GlPeriod><GlJournal>\d{10}</GlJournal><GlJournalError/><GlJournalMessage/></GlJournal>"
            r"<ItemsProcessed>000001</ItemsProcessed><ItemsInvalid/></StatusOfItems></postarpayment> ",
            text,
        )


async def test_a_search_is_answered_with_its_header_its_rows_and_a_padded_count() -> None:
    async with connected() as client:
        document = xml("Query", TableName="ArCustomer", Columns={"Column": ["Customer", "Name"]},
                       Where={"Expression": {"Column": "Customer", "Condition": "EQ", "Value": "0000001"}},
                       OrderBy={"Column": "Name"})  # fmt: skip
        text = await client.text("Query/Query", BusinessObject="COMFND", XmlIn=document)
        shown = re.sub(r"<Name>[^<]+</Name>", "<Name>…</Name>", text.replace("\n", ""))
        assert shown == (
            f'<?xml version="1.0" encoding="Windows-1252"?><ArCustomer {ATTRIBUTES}>'
            "<HeaderDetails><TableName>ArCustomer</TableName><Columns><Column>Customer</Column><Column>Name</Column>"
            "</Columns><OrderBy><Column>Name</Column></OrderBy></HeaderDetails>"
            "<Row><Customer>0000001</Customer><Name>…</Name></Row><RowsReturned>       1</RowsReturned></ArCustomer> "
        )
        none = xml("Query", TableName="ArCustomer", Columns={"Column": ["Customer"]},
                   Where={"Expression": {"Column": "Customer", "Condition": "EQ", "Value": "nobody"}})  # fmt: skip
        text = await client.text("Query/Query", BusinessObject="COMFND", XmlIn=none)
        assert "<Row>" not in text
        assert "<RowsReturned>       0</RowsReturned>" in text


def in_order(element: ET.Element | None, wanted: str) -> bool:
    """Whether an element's children contain these names one after the other."""
    names = iter([child.tag for child in element] if element is not None else [])
    return all(name in names for name in wanted.split())


async def test_a_statement_holds_its_parts_in_order() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        await client.post("ARSTPY", "<PostArPayment/>", payment())
        answer = await client.query("ARSQRY", xml("Query", Key={"Customer": "1"}))
        assert answer.tag == "ARStatement"
        assert in_order(answer, "SystemInformation Header InvoiceDetail PayDetail TotalSection")
        assert in_order(
            answer.find("Header"),
            "Customer Name SoldToAddr1 SoldToAddr2 SoldToAddr3 SoldToAddr4 SoldToAddr5 SoldPostalCode ShipToAddr1"
            " ShipToAddr2 ShipToAddr3 ShipToAddr4 ShipToAddr5 ShipPostalCode TermsCode Currency CreditLimit CreditStatus"
            " CreditCheckFlag CustomerOnHold BalanceType TaxStatus Salesperson Branch Area OutstOrdVal NumOutstOrd"
            " DateLastSale DateLastPay Email Telephone MasterAccount",
        )
        assert in_order(
            answer.find("InvoiceDetail"),
            "DocumentType Invoice InvoiceDate DueDate CustomerPoNumber CurrencyValue InvoiceBal Branch SalesOrder"
            " BaseCurrencyValue ConvRate MulDiv TransDetail",
        )
        assert in_order(answer.find("InvoiceDetail/TransDetail"), "Reference TrnValue JournalDate DiscValue")
        assert in_order(answer.find("PayDetail"), "ChequeReference PayDate PayValue PaymYear PaymMonth")
        assert in_order(
            answer.find("TotalSection"),
            "CurrentBalance ValueFutureInv Current Days30 Days60 Days90 Days120 Days150 Days180 CreditBalance"
            " DiscountAvailable",
        )
        assert answer.findtext("Header/OutstOrdVal") == "          20.00"
        assert answer.findtext("Header/NumOutstOrd") == "       1"
        assert answer.findtext("InvoiceDetail/ConvRate") == "     1.000000"
        fetched = await client.get("Query/Fetch", UserId=client.token,
                                   XmlIn=xml("Fetch", TableName="ArCustomer", Key="0000001"))  # fmt: skip
        assert "<OutstOrdVal>          20.00</OutstOrdVal>" in fetched.text


async def test_an_order_holds_its_header_flat_and_in_order() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        answer = await client.query("SORQRY", xml("Query", Key={"SalesOrder": "100673"}))
        assert in_order(
            answer,
            "SalesOrder DocumentType DocumentTypeDesc Customer CustomerName TaxStatusCode SoldToName SoldAddr1 SoldAddr2"
            " SoldAddr3 SoldAddr4 SoldAddr5 Salesperson DiscPct1 DiscPct2 DiscPct3 Commissions OrderStatus OrderStatusDesc"
            " CustomerPoNumber OrderDate ReqShipDate ShippingInstrs ShippingInstrsCod SpecialInstrs InvTermsOverride"
            " DeliveryNote LastInvoice DateLastInvPrt Branch OrderType Area Currency ShipAddress1 ShipAddress2"
            " ShipAddress3 ShipAddress4 ShipAddress5 ShipAddress3Locality ShipPostalCode Email FixExchangeRate ExchangeRate"
            " MulDiv Nationality DepositFlag WebCreated SalesOrderLine",
        )
        assert answer.findtext("ExchangeRate") == "     1.000000"
        listed = await client.query("SORQSO", xml("Query", Option={"ReturnOrders": "1"}))
        assert in_order(
            listed.find("SalesOrderItem"),
            "SalesOrder Customer CustomerName OrderStatus Branch OrderType Area AlternateKey NextDetailLine DocumentType"
            " Salesperson Currency CustomerPoNumber ShippingInstrs SpecialInstrs OrderDate ReqShipDate",
        )


async def test_a_profile_tells_every_name_that_clients_read() -> None:
    names = (
        "CompanyName OperatorCode OperatorGroup OperatorEmailAddress OperatorLocation OperatorLanguageCode SystemLanguage"
        " AccountingDate CompanyDate DefaultArBranch DefaultApBranch DefaultBank DefaultWarehouse DefaultCustomer"
        " SystemSiteId SystemNationalityCode LocalCurrencyCode CurrencyDescription DefaultRequisitionUser"
        " XMLToHTMLTransform CssStyle CssSuffix DecimalFormat DateFormat FunctionalRole DatabaseType SysproVersion"
        " EnetVersion SysproServerBitWidth"
    )
    async with connected() as client:
        profile = ET.fromstring((await client.text("GetLogonProfile")).partition("?>")[2])
        assert in_order(profile, names)


async def test_an_account_tells_its_balances_at_the_ends_of_periods() -> None:
    async with connected() as client:
        answer = await client.query("GENQRY", xml("Query", Key={"LedgerCode": "30-6200"}))
        assert in_order(
            answer,
            "GlCode Description Currency GlYear GlPeriod AccountType GlGroup ControlAccFlag AccOnHldFlag PasswordInUse"
            " PrevPerEndBal PtdDrValue PtdCrValue CurrentBalance BalancesAtPeriodEnd",
        )
        ends = " ".join(f"Period{n}" for n in range(1, 16))
        assert in_order(answer.find("BalancesAtPeriodEnd"), f"BeginYearBalance {ends}")


async def test_a_refused_setup_names_the_element_beside_the_echoed_key() -> None:
    async with connected() as client:
        item = {"Key": {"StockCode": "1004", "Warehouse": "P0"}}
        answer = await client.send("Setup/Add", "INVSWS", "", xml("SetupInvWarehouse", Item=item))
        shown = re.sub(r"\s*\n\s*", "", ET.tostring(answer, encoding="unicode"))
        assert re.sub(r"^<(\w+)[^>]*>", r"<\1>", shown) == (
            "<setupinvwarehouse><item><key><stockcode>1004</stockcode><warehouse>P0</warehouse></key>"
            "<stockcode><Value>1004</Value><ErrorNumber>240004</ErrorNumber>"
            "<ErrorDescription>Stock code '1004' not found</ErrorDescription></stockcode></item>"
            "<StatusOfItems><RecordsRead>1</RecordsRead><RecordsInvalid>1</RecordsInvalid></StatusOfItems>"
            "</setupinvwarehouse>"
        )


@pytest.mark.parametrize(
    ("element", "value", "number", "said"),
    [
        ("OrderDate", "02/06/2025", "100028", ""),
        ("OrderQty", "two", "100031", ""),
        ("StockCode", "", "100030", "XML element '{StockLine}{StockCode}' cannot be spaces"),
        ("StockCode", "NONE", "240004", "Stock code 'NONE' not found"),
    ],
)
async def test_known_numbers_stand_for_known_errors(element: str, value: str, number: str, said: str) -> None:
    async with connected() as client:
        line, header = ({}, {element: value}) if element == "OrderDate" else ({element: value}, {})
        answer = await client.post("SORTOI", importing(), order(lines=[line], **header))
        assert number in [each for each, _ in errors(answer)]
        if said:
            assert said in [text for _, text in errors(answer)]


async def test_a_logon_takes_what_clients_send_and_does_without_what_they_leave_out() -> None:
    whole = {
        "Operator": "OPAYO1", "OperatorPassword": "sandbox-1", "CompanyId": "EDU1", "CompanyPassword": "",
        "LanguageCode": "05", "LogLevel": "NoDebug", "EncoreInstance": "0", "XmlIn": "",
    }  # fmt: skip
    async with connected(logon=False) as client:
        for count in (8, 4, 3):
            asked = dict(list(whole.items())[:count])
            lower = {name.lower(): value for name, value in asked.items()}
            for params in (asked, lower):
                assert re.fullmatch(r"[0-9A-F]{34}  ", (await client.get("logon", **params)).text)
        assert (await client.get("Logon", **{**whole, "OperatorPassword": "x"})).text == (
            "ERROR: Invalid operator password"
        )
        assert (await client.get("Logoff", UserId="0" * 34)).text == (
            "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"
        )
        assert re.fullmatch(r"\d+(\.\d+){3}", (await client.get("GetVersion")).text)


@pytest.mark.parametrize("blank", ["%20%20", "++", "%20+", ""])
async def test_a_token_comes_back_with_blanks_in_any_encoding_or_without(blank: str) -> None:
    async with connected() as client:
        query = f"UserId={client.token.strip()}{blank}&BusinessObject=INVQRY&XmlParameters=&XmlIn="
        document = "%3CQuery%3E%3CKey%3E%3CStockCode%3EA100%3C/StockCode%3E%3C/Key%3E%3C/Query%3E"
        answer = await client.http.get(f"{REST}/Query/Query?{query}{document}")
        assert answer.status_code == 200
        assert "<InvQuery " in answer.text
