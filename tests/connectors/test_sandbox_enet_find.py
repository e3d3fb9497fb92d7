"""COMFND, COMFCH and COMBRW over the sandbox's tables: conditions, keys as stored, errors inside documents."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.enet_client import (
    Client,
    connected,
    errors,
    importing,
    order,
    payment,
    read,
    rows,
    xml,
)

Expression = tuple[str, str, str]


def condition(
    column: str, how: str, value: str, join: str = "", brackets: tuple[str, str] = ("", "")
) -> dict[str, str]:
    made = {"Column": column, "Condition": how, "Value": value}
    extra = {"AndOr": join, "OpenBracket": brackets[0], "CloseBracket": brackets[1]}
    return {**{name: text for name, text in extra.items() if text}, **made}


async def stock(client: Client, *conditions: dict[str, str], **more: Any) -> list[str]:
    asked = xml(
        "Query",
        TableName="InvMaster",
        Columns={"Column": ["StockCode"]},
        Where={"Expression": list(conditions)},
        **more,
    )
    return [row["StockCode"] for row in rows(await client.query("COMFND", asked))]


@pytest.mark.parametrize(
    ("how", "value", "found"),
    [
        ("EQ", "A102", ["A102"]), ("EQ", "a102", []), ("LT", "A102", ["A100", "A101"]),
        ("LE", "A101", ["A100", "A101"]), ("GT", "H100", ["N100"]), ("GE", "H100", ["H100", "N100"]),
        ("LIKE", "?100", ["A100", "B100", "H100", "N100"]), ("LIKE", "N*", ["N100"]), ("LIKE", "N", []),
    ],
)  # fmt: skip
async def test_each_condition_compares_bytes(how: str, value: str, found: list[str]) -> None:
    async with connected() as client:
        assert await stock(client, condition("StockCode", how, value)) == found


async def test_and_binds_closer_than_or_and_brackets_closer_still() -> None:
    async with connected() as client:
        flat = (
            condition("StockCode", "EQ", "B100"), condition("StockCode", "EQ", "N100", join="Or"),
            condition("WarehouseToUse", "EQ", "FG", join="And"),
        )  # fmt: skip
        assert await stock(client, *flat) == ["B100"]
        bracketed = (
            condition("StockCode", "EQ", "B100", brackets=("((", "")), condition("StockCode", "EQ", "N100", join="OR", brackets=("", ")")),
            condition("WarehouseToUse", "EQ", "N1", brackets=("", ")")),
        )  # fmt: skip
        assert await stock(client, *bracketed) == ["N100"]


async def test_rows_are_sorted_counted_and_cut_as_asked() -> None:
    async with connected() as client:
        up = await stock(client, condition("StockCode", "LIKE", "A10*"), ReturnRows="3")
        assert up == ["A100", "A101", "A102"]
        asked = (
            "<Query><TableName>InvMaster</TableName><ReturnRows>2</ReturnRows><AllColumns>Y</AllColumns>"
            '<Sequence><Column Name="StockCode" Orderby="D"/></Sequence></Query>'
        )
        answer = await client.query("COMFND", asked)
        assert [row["StockCode"] for row in rows(answer)] == ["N100", "H100"]
        assert answer.findtext("RowsReturned") == "       2"
        assert rows(answer)[0]["Description"] == "Only in the north"
        where = xml("Where", Expression=condition("StockCode", "EQ", "Q"))
        nothing = await client.query("COMFND", asked.replace("<Sequence>", f"{where}<Sequence>"))
        assert (nothing.findtext("RowsReturned"), nothing.find("Row")) == ("       0", None)


async def test_money_compares_as_numbers_and_refuses_words() -> None:
    async with connected() as client:
        await client.post("ARSTPY", "", payment("9.00"))
        await client.post("ARSTPY", "", payment("120.00", Reference="B"))
        found = await client.find("ArInvoicePay", "Reference", ("TrnValue", "GT", "10"))
        assert found == [{"Reference": "B"}]
        asked = xml("Query", TableName="ArInvoicePay", Columns={"Column": "Invoice"},
                    Where={"Expression": condition("TrnValue", "EQ", "ten")})  # fmt: skip
        assert "must be numeric" in errors(await client.query("COMFND", asked))[0][1]


async def test_keys_are_compared_as_stored() -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        assert await client.find("SorMaster", "OrderStatus", ("SalesOrder", "EQ", "100673")) == []
        assert await client.find("SorMaster", "OrderStatus", ("SalesOrder", "EQ", "000000000100673")) == [
            {"OrderStatus": "1"}
        ]
        asked = xml("Fetch", TableName="SorMaster", Key="100673", FullKeyProvided="Y")
        answer = read((await client.get("Query/Fetch", UserId=client.token, XmlIn=asked)).content)
        assert (answer.tag, answer.findtext("SalesOrder")) == ("SorMaster", "000000000100673")


async def test_an_underscore_is_a_wildcard_unless_the_site_escapes_it() -> None:
    async with connected() as client:
        await client.post("ARSTPY", "", payment())
        like = ("Invoice", "LIKE", "__RD*")
        assert await client.find("ArInvoice", "Invoice", like) == [{"Invoice": "_CRD0000001"}]
        await client.quirk(like_underscore=False)
        assert await client.find("ArInvoice", "Invoice", like) == []
        assert await client.find("ArInvoice", "Invoice", ("Invoice", "LIKE", "_CRD*")) == [
            {"Invoice": "_CRD0000001"}
        ]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("SorMaster", "SalesOrder"), ("SorDetail", "MStockCode"), ("ArCustomer", "Customer"),
        ("ArCustomerBal", "CurrentBalance1"), ("ArInvoice", "Invoice"), ("ArInvoicePay", "Reference"),
        ("GenJournalCtl", "Reference"), ("GenJournalDetail", "GlCode"), ("GenMaster", "GlCode"),
        ("ApBank", "CashGlCode"), ("InvMaster", "StockCode"), ("InvWarehouse", "QtyOnHand"),
        ("TblCurrency", "SellExchangeRate"), ("SalBranch", "SalesCtlAcc"), ("AdmTax", "CurTaxRate"),
        ("TblArTerms", "TermsCode"),
    ],
)  # fmt: skip
async def test_every_table_of_the_reference_has_rows(table: str, column: str) -> None:
    async with connected() as client:
        await client.post("SORTOI", importing(), order())
        await client.post("ARSTPY", "", payment())
        found = await client.find(table, column)
        assert found
        assert all(row[column] for row in found)


@pytest.mark.parametrize("table", ["SorMaster+", "CusSorMaster+", "ArCustomer+", "InvMaster+"])
async def test_custom_form_tables_are_there_and_empty(table: str) -> None:
    async with connected() as client:
        key = {"A": "Customer", "I": "StockCode"}.get(table[0], "SalesOrder")
        assert await client.find(table, key) == []


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"TableName": "sormaster"}, "Table 'sormaster' not found"),
        ({"Columns": {"Column": "Colour"}}, "Column 'Colour' not found in table 'InvMaster'"),
        ({"Columns": {}}, "At least one column must be selected"),
        ({"Where": {"Expression": condition("Colour", "EQ", "1")}}, "Column 'Colour' not found in table 'InvMaster'"),
        ({"Where": {"Expression": condition("StockCode", "IS", "1")}}, "Condition 'IS' must be one of"),
        ({"Where": {"Expression": condition("StockCode", "EQ", "1", brackets=("(", ""))}}, "Brackets must be in pairs"),
        ({"Where": {"Expression": condition("StockCode", "EQ", "1", brackets=("", ")"))}}, "Brackets must be in pairs"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_an_error_inside_the_document(asked: dict[str, Any], said: str) -> None:
    async with connected() as client:
        members: dict[str, Any] = {"TableName": "InvMaster", "Columns": {"Column": "StockCode"}, **asked}
        answer = await client.query("COMFND", xml("Query", **members))
        assert said in errors(answer)[0][1]
        assert answer.findall("Row") == []


async def test_a_browse_goes_on_from_its_key_and_filters() -> None:
    async with connected() as client:

        async def page(**asked: Any) -> list[str]:
            document = xml("Browse", BrowseName="ArCustomer", ReturnRows="2", **asked)
            answer = read((await client.get("Query/Browse", UserId=client.token, XmlIn=document)).content)
            return [row.findtext("Customer/Value", "") for row in answer.findall("Row")]

        assert await page(StartAtKey="3", StartCondition="GE") == ["0000003", "0000004"]
        assert await page(StartAtKey="3", StartCondition="GR") == ["0000004", "0000005"]
        assert await page(StartAtKey="3", StartCondition="LE") == ["0000002", "0000003"]
        named = {"ColumnFilterName": "Name", "ColumnFilterValue": "B*"}
        assert await page(Filter=[named]) == ["0000003", "0000092"]


async def test_a_missing_key_is_an_error_of_the_fetch() -> None:
    async with connected() as client:
        asked = xml("Fetch", TableName="ArCustomer", Key="777")
        answer = read((await client.get("Query/Fetch", UserId=client.token, XmlIn=asked)).content)
        assert errors(answer) == [("900002", "Key '777' not found on 'ArCustomer'")]
