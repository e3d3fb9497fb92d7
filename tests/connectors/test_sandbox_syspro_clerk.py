"""The clerk of the SYSPRO sandbox: ships, invoices and credits as people do on its screens, and the books stay sound."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.syspro_client import Client, Json, connected, order, sandbox


async def an_order(client: Client) -> str:
    body = order()
    (line,) = body["Orders"][0]["OrderDetails"]["StockLine"]
    body["Orders"][0]["OrderDetails"]["StockLine"] = [line, {**line, "CustomerPoLine": "0002"}]
    answer = await client.post("SalesOrder", body)
    assert answer.status_code == 201, answer.text
    number: str = answer.json()["Items"][0]["SalesOrder"]
    return number


async def books(client: Client, kind: str) -> list[Json]:
    assert (await client.control("GET", "invariants"))["ok"]
    rows: list[Json] = (await client.control("GET", "ledger"))[kind]
    return rows


async def account(client: Client, code: str) -> str:
    rows = await books(client, "gl_accounts")
    return next(str(row["CurrentBalance"]) for row in rows if row["LedgerCode"] == code)


async def test_an_order_ships_and_is_invoiced_as_a_clerk_would() -> None:
    async with connected(sandbox()) as client:
        number = await an_order(client)
        shipped = await client.control("POST", "ship", {"SalesOrder": number})
        assert shipped == {"SalesOrder": number, "OrderStatus": "1", "NewOrderStatus": "8"}
        made = await client.control("POST", "invoice", {"SalesOrder": number})
        (invoice,) = await books(client, "invoices")
        assert (invoice["Invoice"], invoice["SalesOrder"]) == (made["InvoiceNumber"], number)
        assert await account(client, "00-1200") == invoice["CurrencyValue"]


async def test_invoicing_ships_what_was_not_shipped_and_goes_by_our_own_number_too() -> None:
    async with connected(sandbox()) as client:
        number = await an_order(client)
        po_number = (await client.get(f"SalesOrder/{number}")).json()["CustomerPoNumber"]
        made = await client.control("POST", "invoice", {"CustomerPoNumber": po_number})
        assert made["SalesOrder"] == number
        assert (await client.get(f"SalesOrder/{number}")).json()["OrderStatus"] == "9"


async def test_a_part_that_ships_leaves_the_rest_on_back_order() -> None:
    async with connected(sandbox()) as client:
        number = await an_order(client)
        before = (await client.get(f"SalesOrder/{number}")).json()["SalesOrderLine"][0]
        await client.control("POST", "ship", {"SalesOrder": number, "Lines": {"1": "1"}})
        after = (await client.get(f"SalesOrder/{number}")).json()["SalesOrderLine"][0]
        assert (before["MShipQty"], after["MShipQty"]) == (before["MOrderQty"], "1.000000")
        assert float(after["MBackOrderQty"]) == float(before["MOrderQty"]) - 1
        assert (await client.control("GET", "invariants"))["ok"]


@pytest.mark.parametrize(
    "ways", [{}, {"Lines": ["1"]}, {"Value": "5.00"}, {"Value": "5.00", "OnInvoice": False}], ids=str
)
async def test_a_credit_note_takes_from_the_customer_what_it_credits(ways: dict[str, Any]) -> None:
    async with connected(sandbox()) as client:
        number = await an_order(client)
        made = await client.control("POST", "invoice", {"SalesOrder": number})
        owed = float(await account(client, "00-1200"))
        await client.control("POST", "raise-credit-note", {"Invoice": made["InvoiceNumber"], **ways})
        held = sum(float(row["InvoiceBal1"]) for row in await books(client, "invoices"))
        assert held == pytest.approx(float(await account(client, "00-1200")))
        if not ways:
            assert held == 0
        elif "Value" in ways:
            assert held == pytest.approx(owed - 5)
        else:
            assert 0 < held < owed


async def test_a_credit_note_may_wait_as_an_order_to_be_completed() -> None:
    async with connected(sandbox()) as client:
        number = await an_order(client)
        made = await client.control("POST", "invoice", {"SalesOrder": number})
        note = await client.control(
            "POST", "raise-credit-note", {"Invoice": made["InvoiceNumber"], "CompleteOrder": False}
        )
        stored = (await client.get(f"SalesOrder/{note['CreditNoteCreated']}")).json()
        assert (stored["DocumentType"], stored["OrderStatus"]) == ("C", "8")
        assert {line["MCreditOrderNo"] for line in stored["SalesOrderLine"]} == {number}
        assert len(await books(client, "invoices")) == 1


@pytest.mark.parametrize(
    ("control", "body"),
    [
        ("ship", {"SalesOrder": "999999"}),
        ("invoice", {"CustomerPoNumber": "NOBODY"}),
        ("raise-credit-note", {"Invoice": "4711"}),
        ("ship", {"SalesOrdr": "1"}),
        ("raise-credit-note", {}),
    ],
    ids=str,
)
async def test_a_clerk_refuses_what_is_not_there(control: str, body: Json) -> None:
    async with connected(sandbox()) as client:
        answer = await client.http.request("POST", f"/_sandbox/{control}", json=body)
        assert answer.status_code == 422
        assert answer.json()["error"]


async def test_goods_that_come_back_are_on_hand_again() -> None:
    company = sandbox()
    async with connected(company) as client:
        number = await an_order(client)
        line = (await client.get(f"SalesOrder/{number}")).json()["SalesOrderLine"][0]
        key = f"{line['MStockCode']}|{line['MWarehouse']}"
        before = company.store.warehouse_items[key].QtyOnHand
        made = await client.control("POST", "invoice", {"SalesOrder": number})
        assert company.store.warehouse_items[key].QtyOnHand < before
        await client.control("POST", "raise-credit-note", {"Invoice": made["InvoiceNumber"]})
        assert company.store.warehouse_items[key].QtyOnHand == before
        assert (await client.control("GET", "invariants"))["ok"]
