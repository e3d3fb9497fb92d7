"""What a transport of the port `ERP` must read of the company, set up in it, and poll."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from integration.canonical.erp_records import ArDocument, Change, ChangeKind, CustomerRecord, ReceivablesQuery
from integration.errors import AlreadyPosted, OutcomeUnknown, Rejected, UnknownCustomer, Unreachable
from integration.ports import ERP
from integration.sandbox.syspro import clerk
from tests.connectors.erp_money_out_site import an_invoiced_order, credit_note, sound, withdrawal
from tests.connectors.erp_site import TODAY, Site, credit_memo, gbp, order, payment

SHOPPER = CustomerRecord(
    customer="WEB0042",
    name="Zoë Smith & Sons",
    short_name="Z Smith",
    salesperson="100",
    branch="10",
    terms_code="00",
    email="zoe@example.org",
    telephone="01632 960001",
    balance_type="I",
    tax_status="N",
    sold_to_addr2="1 High Street",
    sold_to_addr3="Leeds",
    sold_postal_code="LS1 1AA",
)


async def all_changes(erp: ERP, kind: ChangeKind, limit: int = 2) -> list[Change]:
    """Every row of a kind, page by page."""
    found: list[Change] = []
    after: str | None = ""
    while after is not None:
        page = await erp.changes(kind, after=after, limit=limit)
        found += page.items
        after = page.after
    return found


class KeepsCustomers:
    """Customers are added once, changed by the members given, and read whole."""

    async def test_a_customer_added_is_read_as_it_was_sent(self, site: Site) -> None:
        erp = site.erp()
        assert await erp.customer_record("WEB0042") is None
        assert await erp.save_customer(SHOPPER, "add", "c") == "WEB0042"
        stored = await erp.customer_record("WEB0042")
        assert stored is not None
        for name in CustomerRecord.__struct_fields__:
            sent = getattr(SHOPPER, name)
            assert sent is None or getattr(stored, name) == sent, name
        assert (stored.currency, stored.customer_on_hold, stored.payments_allowed) == ("GBP", False, True)

    async def test_a_change_leaves_alone_what_it_does_not_name(self, site: Site) -> None:
        erp = site.erp()
        await erp.save_customer(SHOPPER, "add", "c")
        await erp.save_customer(
            CustomerRecord(customer="WEB0042", email="", customer_on_hold=True, credit_limit=500), "change"
        )
        stored = await erp.customer_record("WEB0042")
        assert stored is not None
        assert (stored.email, stored.customer_on_hold, stored.credit_limit) == ("", True, 500)
        assert (stored.name, stored.sold_to_addr2) == ("Zoë Smith & Sons", "1 High Street")

    async def test_a_customer_is_never_added_twice(self, site: Site) -> None:
        erp = site.erp()
        site.fault("commit-then-drop")
        with pytest.raises(OutcomeUnknown):
            await erp.save_customer(SHOPPER, "add", "c")
        assert await erp.customer_record("WEB0042") is not None
        with pytest.raises(AlreadyPosted) as caught:
            await erp.save_customer(SHOPPER, "add", "d")
        assert caught.value.reference == "WEB0042"

    async def test_a_customer_that_is_not_there_cannot_be_changed(self, site: Site) -> None:
        with pytest.raises(UnknownCustomer):
            await site.erp().save_customer(SHOPPER, "change")

    async def test_a_set_up_that_lacks_what_syspro_requires_is_refused(self, site: Site) -> None:
        erp = site.erp()
        with pytest.raises(Rejected):
            await erp.save_customer(CustomerRecord(customer="WEB0042", name="Z", terms_code="00"), "add")
        assert await erp.customer_record("WEB0042") is None

    @pytest.mark.parametrize("limit", [1, 7, 500])
    async def test_every_customer_is_browsed_once(self, site: Site, limit: int) -> None:
        erp = site.erp()
        found: list[str] = []
        after: str | None = ""
        while after is not None:
            page = await erp.customers(after=after, limit=limit)
            found += [each.customer for each in page.items]
            after = page.after
        assert found == [each.Customer for each in site.sandbox.store.customers]

    async def test_customers_are_found_by_their_exact_address(self, site: Site) -> None:
        page = await site.erp().customers(email="customer3@example.org")
        assert [(each.customer, each.name) for each in page.items] == [("0000003", "Birch & Sons")]

    async def test_a_foreign_customer_keeps_its_currency(self, site: Site) -> None:
        record = await site.erp().customer_record("91")
        assert record is not None
        assert (record.customer, record.currency) == ("91", "EUR")


class ReadsTheBooks:
    """Orders, receivables and the cash book, as they are now."""

    async def test_an_order_is_followed_from_open_to_invoiced(self, site: Site) -> None:
        erp = site.erp()
        assert await erp.sales_order("100673") is None
        posted = await erp.post(order(), "o")
        opened = await erp.sales_order(posted.key)
        assert opened is not None
        assert (opened.order_status, opened.document_type, opened.last_invoice) == ("1", "O", "")
        assert (opened.customer, opened.customer_po_number, opened.currency) == ("0000001", "WEB-1", "GBP")
        clerk.ship(site.sandbox.store, clerk.Ship(SalesOrder=posted.key, Lines={"1": "1"}))
        shipped = await erp.sales_order(posted.key)
        assert shipped is not None
        goods = shipped.lines[0]
        assert (shipped.order_status, goods.stock_code, goods.price) == ("8", "A100", Decimal("10.12345"))
        assert [goods.order_qty, goods.ship_qty, goods.back_order_qty, goods.invoiced_qty] == [2, 1, 1, 0]
        clerk.invoice(site.sandbox.store, clerk.Invoice(SalesOrder=posted.key))
        invoiced = await erp.sales_order(posted.key)
        assert invoiced is not None
        assert invoiced.order_status == "9"
        assert invoiced.lines[0].invoiced_qty == Decimal(1)
        assert (invoiced.last_invoice.lstrip("0"), invoiced.last_invoice_date) == ("100270", TODAY)
        assert [line.charge_value for line in invoiced.lines[1:3]] == [gbp(400), gbp(-100)]
        assert sound(site)

    async def test_an_order_is_moved_on_and_a_move_that_is_not_allowed_is_refused(self, site: Site) -> None:
        erp = site.erp()
        posted = await erp.post(order(), "o")
        await erp.order_to_status(posted.key, "S")
        with pytest.raises(Rejected):
            await erp.order_to_status(posted.key, "8")
        await erp.order_to_status(posted.key, "8", credit_authority="JS")
        moved = await erp.sales_order(posted.key)
        assert moved is not None
        assert moved.order_status == "8"
        with pytest.raises(Rejected):
            await erp.order_to_status("999999", "8")

    async def test_open_documents_are_told_with_what_moved_them(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(payment(), "p")
        number, invoice = await an_invoiced_order(site, erp)
        cash, owed = sorted(
            await erp.receivables(ReceivablesQuery(customer="1")), key=lambda each: each.invoice_balance
        )
        assert (cash.is_unapplied_cash, cash.invoice_balance) == (True, gbp(-12_000))
        assert [(each.trn_type, each.reference) for each in cash.movements] == [("P", "PAY1")]
        assert (owed.invoice, owed.sales_order, owed.invoice_balance) == (invoice, number, gbp(2_810))
        assert (owed.document_type, owed.is_unapplied_cash, owed.invoice_date) == ("I", False, TODAY)

    @pytest.mark.parametrize(
        "query",
        [
            ReceivablesQuery(invoice="100270"),
            ReceivablesQuery(sales_order="100673"),
            ReceivablesQuery(customer_po_number="WEB-1", customer="0000001"),
            ReceivablesQuery(customer="1", invoice="100270", open_only=False),
        ],
        ids=["invoice", "order", "order-number", "customer-and-invoice"],
    )
    async def test_a_document_is_found_by_what_it_is_known_by(
        self, site: Site, query: ReceivablesQuery
    ) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        await erp.post(payment(number="WEB-2"), "p")
        assert [each.invoice for each in await erp.receivables(query)] == [invoice]

    async def test_receivables_of_nobody_are_not_asked_for(self, site: Site) -> None:
        with pytest.raises(ValueError, match="by customer"):
            await site.erp().receivables(ReceivablesQuery())

    async def test_a_clerks_credit_note_names_the_invoice_that_it_credits(self, site: Site) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        clerk.raise_credit_note(site.sandbox.store, clerk.RaiseCreditNote(Invoice=invoice, Lines=["1"]))
        query = ReceivablesQuery(customer="1")
        notes = [each for each in await erp.receivables(query) if each.document_type == "C"]
        assert [(each.credited_invoice, each.currency_value) for each in notes] == [(invoice, gbp(-2_430))]
        state = await erp.sales_order(notes[0].sales_order)
        assert state is not None
        assert [line.credited_line for line in state.lines] == [1]
        assert sound(site)

    async def test_a_clerks_note_by_value_is_a_movement_on_the_invoice(self, site: Site) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        clerk.raise_credit_note(
            site.sandbox.store, clerk.RaiseCreditNote(Invoice=invoice, Value="12.00", Reference="CLERK 1")
        )
        found: tuple[ArDocument, ...] = await erp.receivables(ReceivablesQuery(invoice=invoice))
        assert found[0].invoice_balance == gbp(2_810 - 1_200)
        assert [(each.trn_type, each.reference) for each in found[0].movements] == [("C", "CLERK 1")]

    async def test_the_cash_book_is_read_by_bank_and_day(self, site: Site) -> None:
        erp = site.erp()
        await erp.post(payment(), "p")
        await erp.post(withdrawal(fee=34), "w")
        entries = await erp.cash_book("OC", TODAY, TODAY)
        assert sorted((each.deposit_or_withdrawal, each.value, each.reference) for each in entries) == [
            ("D", gbp(12_000), "PAY1"),
            ("W", gbp(2_534), "CASH1"),
        ]
        assert {each.reconciled for each in entries} == {False}
        yesterday = TODAY - timedelta(days=1)
        assert await erp.cash_book("OC", yesterday, yesterday) == ()
        with pytest.raises(Rejected):
            await erp.cash_book("XX", TODAY, TODAY)

    async def test_a_read_whose_answer_is_lost_is_made_again_and_never_leaves_an_outcome_open(
        self, site: Site
    ) -> None:
        erp = site.erp()
        await erp.profile()
        site.fault("drop", writes_only=False)
        assert await erp.sales_order("100673") is None
        site.fault("drop", times=9, writes_only=False)
        with pytest.raises(Unreachable):
            await erp.changes("customer")


class PollsForChanges:
    """SYSPRO pushes nothing: rows are browsed by key, and whoever keeps their hashes sees what changed."""

    @pytest.mark.parametrize("limit", [1, 2, 500])
    async def test_every_row_comes_once_whatever_the_page(self, site: Site, limit: int) -> None:
        erp = site.erp()
        for n in range(3):
            await erp.post(order(f"WEB-{n}", customer=str(n + 1)), f"o{n}")
            clerk.invoice(site.sandbox.store, clerk.Invoice(CustomerPoNumber=f"WEB-{n}"))
            await erp.post(payment(f"PAY{n}", 100 + n, customer=str(n + 1)), f"p{n}")
        await erp.post(credit_memo(), "c")
        counted = {kind: await all_changes(erp, kind, limit) for kind in ("sales_order", "ar_invoice")}
        movements = await all_changes(erp, "ar_payment", limit)
        assert [len(found) for found in counted.values()] == [3, 7]
        assert sorted((each.values["TrnType"], each.values["Reference"]) for each in movements) == [
            ("C", "REFUND1"),
            ("P", "PAY0"),
            ("P", "PAY1"),
            ("P", "PAY2"),
        ]
        for found in (*counted.values(), movements):
            assert len({each.key for each in found}) == len(found)
        assert len(await all_changes(erp, "customer", limit)) == len(site.sandbox.store.customers)

    async def test_a_row_that_did_not_change_stays_the_same_and_one_that_did_does_not(
        self, site: Site
    ) -> None:
        erp = site.erp()
        await erp.post(order("WEB-1"), "a")
        await erp.post(order("WEB-2"), "b")
        before = {each.key: each.values for each in await all_changes(erp, "sales_order")}
        clerk.ship(site.sandbox.store, clerk.Ship(CustomerPoNumber="WEB-2"))
        after = {each.key: each.values for each in await all_changes(erp, "sales_order")}
        changed = [after[key] for key in after if after[key] != before[key]]
        assert [(each["CustomerPoNumber"], each["OrderStatus"]) for each in changed] == [("WEB-2", "8")]

    async def test_values_take_one_form_on_every_transport(self, site: Site) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        (change,) = await all_changes(erp, "ar_invoice")
        assert change.key == f"0000001|{invoice}|I"
        assert change.values["InvoiceBal1"] == change.values["CurrencyValue"] == "28.10"
        assert change.values["InvoiceDate"] == "2025-06-16"

    async def test_a_credit_note_order_shows_in_the_poll_before_it_is_an_ar_document(
        self, site: Site
    ) -> None:
        erp = site.erp()
        _, invoice = await an_invoiced_order(site, erp)
        await erp.post(credit_note(invoice, 1), "k")
        kinds = [each.values["DocumentType"] for each in await all_changes(erp, "sales_order")]
        assert kinds == ["O", "C"]

    @pytest.mark.parametrize("kind", ["sales_order", "ar_invoice", "ar_payment"])
    async def test_older_rows_are_left_out_when_asked(self, site: Site, kind: ChangeKind) -> None:
        erp = site.erp()
        await an_invoiced_order(site, erp)
        await erp.post(payment(), "p")
        assert (await erp.changes(kind, since=TODAY)).items
        assert (await erp.changes(kind, since=TODAY + timedelta(days=1))).items == ()
