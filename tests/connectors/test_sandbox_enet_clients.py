"""Public SYSPRO clients, replayed call by call, read the sandbox's e.net face without changes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from tests.connectors.enet_client import LD, REST, connected, errors, importing, order, read, xml

PROLOG = '<?xml version="1.0" encoding="Windows-1252"?>\n'
XSD = 'xmlns:xsd="http://www.w3.org/2001/XMLSchema-instance" xsd:noNamespaceSchemaLocation="{}.XSD"'


def ruby(root: str, schema: str, inside: str) -> str:
    """A document as the Ruby gem's templates print it: prolog, schema attributes, new-lines everywhere."""
    return f"{PROLOG}<{root} {XSD.format(schema)}>\n  \n{inside}\n  \n</{root}>\n"


async def test_the_ruby_gem_logs_on_reads_and_logs_off() -> None:
    async with connected(logon=False) as client:
        params = {
            "Operator": "OPAYO1",
            "OperatorPassword": "sandbox-1",
            "CompanyId": "EDU1",
            "CompanyPassword": "",
        }
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await client.http.get(f"{REST}/logon", params=params, headers=form)
        assert re.fullmatch(r"[0-9A-F]{34}  ", answer.text)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "Microsoft-HTTPAPI/2.0" in answer.headers.get_list("server")
        client.token = answer.text
        assert re.fullmatch(r"\d+(\.\d+){3}", (await client.get("getversion")).text)
        profile = ET.fromstring((await client.text("GetLogonProfile")).partition("?>")[2])
        assert [profile.findtext(f".//{name}") for name in ("OperatorCode", "LocalCurrencyCode", "DefaultBank")] == [
            "OPAYO1", "GBP", "HB",
        ]  # fmt: skip
        answer = await client.http.get(f"{REST}/logoff?UserId={client.token[:34]}%20%20")
        assert answer.text == "0"
        answer = await client.http.get(f"{REST}/logoff?UserId=1BB5B3050954BB459A5D034DB5CC386980")
        assert answer.text == "ERROR: Unable to read the SYSPRO base directory registry string BaseDir8"


async def test_the_ruby_gem_reads_a_refused_logon_as_an_error() -> None:
    async with connected(logon=False) as client:
        assert await client.logon(OperatorPassword="wrong") == "ERROR: Invalid operator password"


async def test_the_ruby_gem_queries_a_stock_code() -> None:
    async with connected() as client:
        key = "<Key>\n<StockCode>A101</StockCode>\n</Key>\n<Option>\n<IncludeHistory>N</IncludeHistory>\n</Option>"
        chosen = '\n<Filter>\n<Warehouse FilterType="L" FilterValue="FG"/>\n</Filter>'
        answer = await client.query("INVQRY", ruby("Query", "INVQRY", key + chosen))
        assert answer.tag == "InvQuery"
        assert answer.findtext("StockItem/StockCode") == "A101"
        (item,) = answer.findall("WarehouseItem")
        assert item.findtext("QtyOnHand") == "         1000.000000"
        assert (item.findtext("Warehouse"), item.findtext("Edited_QtyOnHand")) == ("FG", "1,000")


async def test_the_ruby_gem_queries_a_sales_order_with_its_joined_descriptions() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        answer = await client.query(
            "SORQRY", ruby("Query", "SORQRY", "<Key><SalesOrder>100673</SalesOrder></Key>")
        )
        assert (answer.tag, answer.findtext("SalesOrder")) == ("SorDetail", "000000000100673")
        # The gem asks XPath for //SALSLS:Name, which works because the root declares the prefixes.
        assert answer.findtext("{SALSLS}Name") == "Salesperson 100"
        assert answer.findtext("{SALBRN}Description") == "Branch 10"
        assert answer.findtext("ExchangeRate") == "     1.000000"
        (line,) = answer.findall("SalesOrderLine")
        assert (line[0].tag, line[0].findtext("MOrderQty", "").split()) == ("Merchandise", ["2.000000"])
        hidden = "<Key><SalesOrder>100673</SalesOrder></Key><Option><IncludeStockedLines>N</IncludeStockedLines></Option>"
        assert not (await client.query("SORQRY", ruby("Query", "SORQRY", hidden))).findall("SalesOrderLine")


async def test_the_ruby_gem_finds_browses_and_fetches() -> None:
    async with connected() as client:
        where = (
            "<Where>\n<Expression>\n<OpenBracket>(</OpenBracket>\n<AndOr>And</AndOr>\n<Column>StockCode</Column>\n"
            "<Condition>EQ</Condition>\n<Value>A102</Value>\n<CloseBracket>)</CloseBracket>\n</Expression>\n</Where>"
        )
        asked = "<TableName>InvMaster</TableName><ReturnRows>5</ReturnRows><Columns><Column>StockCode</Column></Columns>"
        ordered = "<OrderBy><Column>StockCode</Column></OrderBy>"
        answer = await client.query("COMFND", ruby("Query", "COMFND", asked + where + ordered))
        assert (answer.tag, answer.findtext("RowsReturned")) == ("InvMaster", "       1")
        assert answer.findtext("HeaderDetails/TableName") == "InvMaster"
        assert [row.findtext("StockCode") for row in answer.findall("Row")] == ["A102"]
        page = ruby(
            "Browse", "COMBRW",
            "<BrowseName>InvMaster</BrowseName><StartAtKey/><StartCondition></StartCondition><ReturnRows>5</ReturnRows>",
        )  # fmt: skip
        answer = read((await client.get("Query/Browse", UserId=client.token, XmlIn=page)).content)
        assert (answer.tag, answer.findtext("Title"), len(answer.findall("Row"))) == (
            "InvMaster",
            "Stock Codes",
            5,
        )
        assert answer.findtext("Row/StockCode/Value") == "A100"
        assert answer.findtext("Row/StockCode/DataType") == "AlphaNumeric"
        keys = {node.tag: node.text for node in answer.findall("NextPrevKey/*")}
        assert keys == {"PrevKey": "A100", "NextKey": "A104", "Fwd": "True", "Back": "False"}
        asked = "<TableName>InvMaster</TableName><Key>A103</Key><FullKeyProvided>Y</FullKeyProvided><DefaultType/>"
        fetch = ruby("Fetch", "COMFCH", asked)
        answer = read((await client.get("Query/Fetch", UserId=client.token, XmlIn=fetch)).content)
        assert (answer.tag, answer.findtext("StockCode"), answer.findtext("Description")) == (
            "InvMaster", "A103", "Bunting",
        )  # fmt: skip


async def test_the_ruby_gem_meets_the_recorded_error_of_a_setup_object() -> None:
    async with connected() as client:
        key = {"StockCode": "1004", "Warehouse": "FG"}
        document = xml("SetupInvWarehouse", Item={"Key": key, "CostMultiplier": "1.0"})
        answer = await client.get(
            "Setup/Add", UserId=client.token, BusinessObject="INVSWS", XmlIn=document,
            XmlParameters=xml("SetupInvWarehouse", Parameters={"ValidateOnly": "Y"}),
        )  # fmt: skip
        lines = answer.text.partition("'   '>")[2]
        assert answer.text.startswith(
            f"{PROLOG}<setupinvwarehouse Language='05' Language2='EN' CssStyle='' DecFormat='1'"
        )
        assert lines == (
            "\n<item>\n<key>\n<stockcode>1004</stockcode>\n<warehouse>FG</warehouse>\n</key>\n<stockcode>\n"
            "<Value>1004</Value>\n<ErrorNumber>240004</ErrorNumber>\n"
            "<ErrorDescription>Stock code '1004' not found</ErrorDescription>\n</stockcode>\n</item>\n"
            "<StatusOfItems>\n<RecordsRead>1</RecordsRead>\n<RecordsInvalid>1</RecordsInvalid>\n</StatusOfItems>\n"
            "</setupinvwarehouse>\n "
        )


async def test_the_python_sdk_sends_blank_parameters_and_repeated_wheres() -> None:
    async with connected(logon=False) as client:
        params = {"Operator": "OPAYO1", "OperatorPassword": "sandbox-1", "CompanyId": "EDU1"}
        token = (await client.http.get(f"{REST}/logon", params=params)).content.decode()
        where = "".join(
            f"<Where><Expression><Column>{column}</Column><Condition>{how}</Condition><Value>{value}</Value></Expression></Where>"
            for column, how, value in (("Customer", "GT", "0000002"), ("Customer", "LE", "0000004"))
        )
        root = f"<Query {XSD.format('COMFND')}>"
        query = f"{root}<TableName>ArCustomer</TableName><ReturnRows /><Columns><Column>Customer</Column></Columns>{where}<OrderBy /></Query>"
        asked = {"UserId": token, "BusinessObject": "COMFND", "XmlIn": query, "XmlParameters": ""}
        answer = read((await client.http.get(f"{REST}/Query/Query", params=asked)).content)
        assert [row.findtext("Customer") for row in answer.findall("Row")] == ["0000003", "0000004"]
        forms = f"<Query {XSD.format('INVQRY')}><Key><StockCode>A101</StockCode></Key><Option><IncludeCustomForms>Y</IncludeCustomForms></Option></Query>"
        asked = {"UserId": token, "BusinessObject": "INVQRY", "XmlIn": forms, "XmlParameters": ""}
        answer = read((await client.http.get(f"{REST}/Query/Query", params=asked)).content)
        assert answer.findtext("StockItem/CustomForm/Field/Column")
        # A table SYSPRO does not have gives a document, which the SDK can parse, and an error inside.
        missing = query.replace("ArCustomer", "StockMaster").replace(where, "<Where />")
        asked = {"UserId": token, "BusinessObject": "COMFND", "XmlIn": missing, "XmlParameters": ""}
        answer = read((await client.http.get(f"{REST}/Query/Query", params=asked)).content)
        assert errors(answer) == [("900002", "Table 'StockMaster' not found")]


async def test_the_python_sdks_blanks_may_arrive_as_plus_signs() -> None:
    async with connected() as client:
        answer = await client.http.get(f"{REST}/GetLogonProfile?UserId={client.token.strip()}++")
        assert "<OperatorCode>OPAYO1</OperatorCode>" in answer.text


async def test_the_go_service_imports_an_order_and_takes_counters_for_success() -> None:
    async with connected() as client:
        token = client.token.strip()  # it trims
        asked = {
            "UserId": token,
            "BusinessObject": "SORTOI",
            "XmlParameters": importing(),
            "XmlIn": order("GO-1"),
        }
        answer = await client.http.get(f"{REST}/Transaction/Post", params=asked)
        document = read(answer.content)
        assert (document.tag, document.find("Order")) == ("SalesOrders", None)
        assert document.findtext("StatusOfItems/ItemsProcessed") == "000001"
        assert document.find("ValidationStatus") is None
        key = xml("Query", Key={"SalesOrder": "100673"})
        asked = {"UserId": token, "BusinessObject": "SORQRY", "XmlIn": key}
        answer = await client.http.get(f"{REST}/Query/Query", params=asked)
        assert read(answer.content).findtext("OrderStatus") == "1"
        assert (await client.http.get(f"{REST}/Logoff", params={"UserId": token})).text == "0"


async def test_the_go_service_sees_a_refused_order_by_its_empty_number() -> None:
    async with connected() as client:
        answer = await client.post("SORTOI", importing(), order(Customer="777"))
        (refused,) = answer.findall("Order")
        assert (refused.findtext("CustomerPoNumber"), refused.findtext("SalesOrder")) == ("WEB-1", "")
        assert answer.findtext("StatusOfItems/ItemsProcessed") == "000000"


async def test_the_large_document_client_posts_with_trimmed_tokens_and_empty_parameters() -> None:
    async with connected() as client:
        document = "<PostArPayment><Item/></PostArPayment>"
        body = LD.format(
            token=client.token.strip(), code="ARSTPY", parameters="<Parameters />", document=document
        )
        headers = {"Content-Type": "application/xml"}
        answer = await client.http.post(f"{REST}/Transaction/PostLD", content=body, headers=headers)
        assert read(answer.content).findtext("StatusOfItems/ItemsInvalid") == "000001"
        body = LD.format(token=client.token, code="SORTOI", parameters=importing(), document=order("LD-1"))
        answer = await client.http.post(f"{REST}/Transaction/PostLD", content=body, headers=headers)
        assert read(answer.content).findtext("StatusOfItems/ItemsProcessed") == "000001"
        assert [row["CustomerPoNumber"] for row in (await client.ledger())["sales_orders"]] == ["LD-1"]


async def test_paths_are_taken_in_any_case() -> None:
    async with connected() as client:
        lower = f"/sysprowcfservice/rest/getlogonprofile?userid={client.token}"
        assert "OPAYO1" in (await client.http.get(lower)).text
        assert (await client.http.get("/SYSPROWCFSERVICE/REST/GETVERSION")).status_code == 200


async def test_what_is_no_operation_is_not_found() -> None:
    async with connected() as client:
        assert (await client.http.get(f"{REST}/Transaction/Undo")).status_code == 404
        assert (await client.http.post(f"{REST}/Transaction/Post")).status_code == 405
        assert (await client.http.get(f"{REST}/Transaction/PostLD")).status_code == 405
