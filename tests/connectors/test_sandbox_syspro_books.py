"""Seeds, resets and the books of the SYSPRO sandbox: they agree after any sequence of postings."""

from __future__ import annotations

import random

import httpx
import pytest

from tests.connectors.syspro_client import (
    BASE,
    Client,
    connected,
    invoice,
    journal,
    order,
    payment,
    sandbox,
)

PAY = "AccountsReceivable/Payment"


async def test_thousands_of_rows_seed_in_one_call_and_reset_forgets_them() -> None:
    async with connected(sandbox()) as client:
        seed = {
            "customers": [{"Customer": str(n), "Name": f"Shopper {n}"} for n in range(12000, 14000)],
            "stock": [
                {"StockCode": f"s{n}", "Description": "Thing", "QtyOnHand": "5", "StockUom": "BX"} for n in range(2000)
            ],
        }  # fmt: skip
        assert await client.control("POST", "seed", seed) == {"customers": 2000, "stock": 2000}
        assert (await client.get("Customer/12345")).json()["Customer"] == "0012345"
        assert (await client.get("StockItem/S7")).json()["StockItem"]["AlternateUom"] == "BX"
        await client.post(PAY, payment(Customer="12345"))
        await client.control("POST", "reset")
        await client.logon()
        assert (await client.get("Customer/12345")).status_code == 404
        assert (await client.ledger())["ar_payments"] == []


async def _random_call(client: Client, rng: random.Random, number: int) -> httpx.Response:
    customer = rng.choice(["1", "2", "3", "90", "91", "777"])
    value = f"{rng.randrange(0, 20000) / 100:.2f}"
    kind = rng.randrange(6)
    if kind == 0:
        return await client.post("SalesOrder", order(f"PO-{rng.randrange(number + 1)}", Customer=customer))
    if kind == 1:
        return await client.post(
            "AccountsReceivable/Invoice",
            invoice(value, rng.choice("IDC"), Customer=customer, TaxValue="0.10"),
        )
    if kind == 2:
        return await client.post("GeneralLedger/JournalEntry", journal(value, f"-{value}", "0.01", "-0.01"))
    if kind == 3:
        return await client.post(f"SalesOrder/{100673 + rng.randrange(20)}/Cancel", {}, key=None)
    documents = (await client.get("AccountsReceivable/Invoice", Customer=customer, OpenOnly="Y")).json()[
        "Items"
    ]
    bills = [
        row for row in documents if row["DocumentType"] == "I" and not row["InvoiceBal1"].startswith("-")
    ]
    if kind == 4 and bills:
        bill = rng.choice(bills)
        paid = bill["InvoiceBal1"] if rng.random() < 0.5 else "1.00"
        line = {
            "Invoice": bill["Invoice"],
            "GrossPaymentValue": paid,
            "ExchangeRateToUse": rng.choice(["0.8", "0.93"]),
        }
        return await client.post(
            PAY, payment(paid, Customer=customer, UnappliedPayment=None, InvoiceToPay=[line])
        )
    return await client.post(PAY, payment(value, Customer=customer, Reference=f"R{number}"))


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_books_agree_after_any_sequence_of_postings(seed: int) -> None:
    rng = random.Random(seed)
    company = sandbox()
    async with connected(company) as client:
        statuses = [(await _random_call(client, rng, n)).status_code for n in range(120)]
        assert await client.invariants_hold()
    assert {201, 422} <= set(statuses) <= {201, 404, 409, 422}


async def test_a_broken_book_is_reported() -> None:
    company = sandbox()
    async with connected(company) as client:
        await client.post(PAY, payment())
        company.store.balances.put("0000001", company.store.balances["0000001"] + 1)
        answer = (await client.http.get("/_sandbox/invariants")).json()
        assert answer["ok"] is False
        assert "0000001" in answer["broken"][0]


async def test_control_refuses_what_it_does_not_know() -> None:
    async with connected(sandbox()) as client:
        assert (await client.http.put("/_sandbox/quirks", json={"colour": True})).status_code == 422
        assert (await client.http.put("/_sandbox/settings", json={"seats": "many"})).status_code == 422
        assert (
            await client.http.post("/_sandbox/seed", json={"stock": [{"QtyOnHand": "1"}]})
        ).status_code == 422
        assert (await client.http.get("/_sandbox/nothing")).status_code == 404
        assert (await client.http.get(f"{BASE}/")).status_code == 401
