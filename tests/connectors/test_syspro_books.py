"""The books of a site whose answers are old-fashioned, or whose register nobody may read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

import pytest

from integration.canonical.erp_records import ReceivablesQuery
from integration.errors import Misconfigured, Unreachable
from integration.sandbox.syspro import clerk
from integration.sandbox.syspro.enet.sql_tables import TABLES
from integration.sandbox.syspro.invoices import post_invoices
from integration.sandbox.syspro.posting import Posting
from integration.syspro.books import sensible
from integration.syspro.changes import change_of, is_since, plain_number
from integration.syspro.currency import CurrencyCodes
from integration.syspro.customers import customer_record
from tests.connectors.enet_site import an_enet_site
from tests.connectors.erp_money_out_site import an_invoiced_order
from tests.connectors.erp_site import Site, gbp


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with an_enet_site() as served:
        yield served


async def test_a_closed_register_hides_what_it_tells_and_nothing_else(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(TABLES, "ArTrnSummary")
    monkeypatch.delitem(TABLES, "ArTrnDetail")
    erp = site.erp()
    number, invoice = await an_invoiced_order(site, erp)
    clerk.raise_credit_note(site.sandbox.store, clerk.RaiseCreditNote(Invoice=invoice))
    order = await erp.sales_order(number)
    assert order is not None
    assert (order.order_status, order.lines[0].invoiced_qty) == ("9", None)
    documents = await erp.receivables(ReceivablesQuery(customer="1"))
    assert [(each.document_type, each.credited_invoice) for each in documents] == [("I", ""), ("C", "")]


async def test_many_open_documents_are_read_in_as_many_calls_as_their_keys_need(site: Site) -> None:
    erp = site.erp()
    store = site.sandbox.store
    for _ in range(60):
        clerk.raise_credit_note(
            store,
            clerk.RaiseCreditNote(Invoice=(await an_open_invoice(site)), Value="1.00", Reference="C"),
        )
    documents = await erp.receivables(ReceivablesQuery(customer="1"))
    assert len(documents) == 60
    assert {each.invoice_balance for each in documents} == {gbp(900)}
    assert {next(moved.trn_type for moved in each.movements) for each in documents} == {"C"}


async def an_open_invoice(site: Site) -> str:
    posting = Posting(site.sandbox.store, {}, clerk.CLERK)
    outcome = post_invoices(
        posting,
        [{"TransactionType": "I", "Customer": "1", "InvoiceValue": "10.00", "ProductClass": "WEB"}],
    )
    return str(outcome.items[0].result["Invoice"])


@pytest.mark.parametrize(
    ("text", "plain"),
    [("", "0.00"), ("12.5", "12.50"), ("12.50-", "-12.50"), ("-3", "-3.00"), ("0.00-", "-0.00")],
)
def test_amounts_take_one_form(text: str, plain: str) -> None:
    assert plain_number(text) == plain.replace("-0.00", "0.00")


def test_a_row_without_a_date_is_never_too_old() -> None:
    change = change_of("sales_order", {"SalesOrder": "1", "OrderDate": "0000-00-00"}.get)
    assert (change.key, change.values["OrderDate"]) == ("1", "")
    assert is_since(change, date(2025, 6, 16))
    dated = change_of("sales_order", {"SalesOrder": "1", "OrderDate": "2025/06/15"}.get)
    assert dated.values["OrderDate"] == "2025-06-15"
    assert not is_since(dated, date(2025, 6, 16))


def test_a_customer_whose_currency_nobody_knows_is_a_misconfiguration() -> None:
    with pytest.raises(Misconfigured):
        customer_record({"Customer": "1", "Currency": "$"}.get, CurrencyCodes({}, "GBP"))


def test_a_value_that_is_none_is_an_answer_without_sense() -> None:
    with pytest.raises(Unreachable), sensible():
        change_of("ar_invoice", {"CurrencyValue": "twelve"}.get)
