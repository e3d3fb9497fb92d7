"""Payments, invoices, journals and cash over e.net: defaults per object, shapes, errors where they stood."""

from __future__ import annotations

import pytest

from tests.connectors.enet_client import (
    connected,
    errors,
    parameters,
    payment,
    warnings,
    xml,
)

JOURNAL = "PostGlJournal"
LINES = [
    {"LedgerCode": "30-6200", "Reference": "SETTLE 1", "EntryAmount": "2.34", "Comment": "Card fees"},
    {"LedgerCode": "00-1015", "Reference": "SETTLE 1", "EntryAmount": "-2.34", "Comment": "Card fees"},
]


def journal(lines: list[dict[str, str]] | None = None, **elements: str) -> str:
    item = {
        "JournalType": "N", "PostJournal": "Y", "JournalDate": "2025-06-02", "JournalReference": "SETTLE 1",
        "PostingPeriod": "06", "PostingYear": "2025", "JournalDetails": lines or LINES, **elements,
    }  # fmt: skip
    return xml(JOURNAL, Item=item)


def invoice(**elements: str) -> str:
    item = {
        "TransactionType": "I", "Customer": "1", "GenerateInvoiceNumber": "Y", "InvoiceValue": "100.00",
        "ProductClass": "WEB", "Reference": "R1", **elements,
    }  # fmt: skip
    return xml("PostArInvoices", Item=item)


async def test_a_payment_returns_its_journal_and_no_credit_number() -> None:
    async with connected() as client:
        answer = await client.post("ARSTPY", "", payment())
        key = {node.tag: node.text for node in answer.findall("Item/Payment/Key/*")}
        assert key == {"TrnYear": "2025", "TrnMonth": "06", "Journal": "0000000001"}
        assert answer.findtext("Item/Payment/Customer") == "0000001"
        assert "_CRD" not in "".join(answer.itertext())
        status = {node.tag: node.text for node in answer.findall("StatusOfItems/*")}
        assert (status["ItemsProcessed"], status["ItemsInvalid"]) == ("000001", None)
        assert answer.findtext("StatusOfItems/GlJournal/GlJournal") == "0000000001"
        assert not answer.findtext("StatusOfItems/GlJournal/GlJournalError")
        await client.books_hold()


async def test_a_payment_may_post_while_its_journal_fails() -> None:
    async with connected() as client:
        await client.quirk(gl_journal_error="Period is not open")
        answer = await client.post("ARSTPY", "", payment())
        assert answer.findtext("StatusOfItems/GlJournal/GlJournalMessage") == "Period is not open"
        assert len((await client.ledger())["ar_payments"]) == 1
        assert (await client.ledger())["journals"] == []


async def test_a_payments_errors_stand_where_its_elements_stood() -> None:
    async with connected() as client:
        line = {"TransactionType": "I", "Invoice": "100999", "GrossPaymentValue": "120.00"}
        answer = await client.post("ARSTPY", "", payment(InvoiceToPay=line, UnappliedPayment=None))
        wrong = answer.find("Item/Payment/InvoiceToPay/Invoice")
        assert wrong is not None
        assert [node.text for node in wrong] == ["100999", "900002", "Invoice '100999' not found"]
        assert answer.findtext("Item/ItemNumber") == "000001"
        assert answer.findtext("StatusOfItems/ItemsInvalid") == "000001"
        answer = await client.post("ARSTPY", "", payment(PaymentValue="130.00"))
        assert "not fully distributed" in errors(answer)[0][1]
        assert (await client.ledger())["ar_payments"] == []


async def test_a_payment_of_an_invoice_takes_its_balance_down() -> None:
    async with connected() as client:
        answer = await client.post("ARSTIN", "", invoice())
        number = answer.findtext("Item/Invoice", "")
        assert (number, answer.findtext("Item/ItemNumber")) == ("000000000100270", "000001")
        assert answer.findtext("StatusOfItems/ItemsValidated") == "000001"
        assert not answer.findtext("StatusOfItems/InvalidItems")
        line = {"Invoice": "100270", "GrossPaymentValue": "100.00", "DiscountValue": "0.00"}
        await client.post("ARSTPY", "", payment("100.00", InvoiceToPay=line, UnappliedPayment=None))
        (found,) = await client.find("ArInvoice", "InvoiceBal1", ("Invoice", "EQ", number))
        assert found == {"InvoiceBal1": "0.00"}
        (paid,) = await client.find("ArInvoicePay", "TrnType TrnValue", ("Invoice", "EQ", number))
        assert paid == {"TrnType": "P", "TrnValue": "100.00"}
        await client.books_hold()


async def test_credit_notes_say_which_document_they_hit() -> None:
    async with connected() as client:
        await client.post("ARSTIN", "", invoice())
        answer = await client.post("ARSTIN", "", invoice(TransactionType="C", InvoiceValue="12.00"))
        assert (answer.findtext("Item/DocumentType"), answer.findtext("Item/TransactionType")) == ("C", "C")
        on = {
            "TransactionType": "C",
            "PostToExistingInvoice": "Y",
            "GenerateInvoiceNumber": "N",
            "Invoice": "100270",
        }
        answer = await client.post("ARSTIN", "", invoice(**on))
        assert (answer.findtext("Item/DocumentType"), answer.findtext("Item/TransactionType")) == ("I", "C")
        answer = await client.post("ARSTIN", "", invoice(InvoiceValue="-1.00"))
        assert "cannot be negative" in errors(answer)[0][1]


@pytest.mark.parametrize("code", ["ARSTPY", "ARSTIN"])
async def test_a_closed_period_is_refused_and_the_previous_one_is_not(code: str) -> None:
    async with connected() as client:
        await client.control("PUT", "settings", {"closed_periods": ["C"]})
        root, document = {"ARSTPY": ("PostArPayment", payment()), "ARSTIN": ("PostArInvoices", invoice())}[
            code
        ]
        assert "is closed" in errors(await client.post(code, "", document))[0][1]
        assert errors(await client.post(code, parameters(root, PostingPeriod="P"), document)) == []


async def test_a_journal_answers_compact_dates_and_is_held_to_balance() -> None:
    async with connected() as client:
        answer = await client.post("GENTJL", "", journal())
        assert answer.tag == "postgljournal"
        said = {node.tag: (node.text or "").strip() for node in answer.findall("Item/Transaction/*")}
        assert (said["JournalDate"], said["DebitAmount"], said["CreditAmount"]) == (
            "20250602",
            "2.34",
            "2.34",
        )
        assert (said["Jnlstatus"], said["NumOfEntries"], said["Authorised"]) == ("P", "00002", "Y")
        assert answer.findtext("StatusOfItems/JournalsProcessed") == "000001"
        key = [node.text for node in answer.findall("Item/Transaction/Key/*")]
        assert key == ["2025", "06", "0000000001"]
        crooked = journal([LINES[0], {**LINES[1], "EntryAmount": "-2.00"}])
        assert "does not balance" in errors(await client.post("GENTJL", "", crooked))[0][1]
        entries = await client.find(
            "GenJournalDetail", "EntryType EntryValue GlCode", ("Reference", "EQ", "SETTLE 1")
        )
        assert entries == [
            {"EntryType": "D", "EntryValue": "2.34", "GlCode": "30-6200"},
            {"EntryType": "C", "EntryValue": "2.34", "GlCode": "00-1015"},
        ]


async def test_control_accounts_are_warned_about_only_where_warnings_are_wanted() -> None:
    async with connected() as client:
        on_control = journal([{**LINES[0], "LedgerCode": "00-1200"}, LINES[1]])
        assert "control account" in errors(await client.post("GENTJL", "", on_control))[0][1]
        answer = await client.post("GENTJL", parameters(JOURNAL, IgnoreWarnings="W"), on_control)
        assert (errors(answer), len(warnings(answer))) == ([], 1)


async def test_a_withdrawal_returns_the_whole_key_for_reconciling() -> None:
    async with connected() as client:
        transaction = {
            "Bank": "OC", "DepositOrWithdrawal": "W", "Reference": "FEES", "TransactionValue": "2.34",
            "TransactionDate": "2025-06-02",
            "LedgerDistribution": {"LedgerCode": "30-6200", "LedgerValue": "2.34"},
        }  # fmt: skip
        answer = await client.post(
            "CSHTWD", "", xml("PostCbDepositsWithdrawals", Item={"AddTransaction": transaction})
        )
        key = {node.tag: node.text for node in answer.findall("Item/AddTransaction/Key/*")}
        assert (key["Bank"], key["CbTrnDate"], key["CbTrnYear"], key["EntryNumber"]) == (
            "OC",
            "20250602",
            "2025",
            "00001",
        )
        assert answer.tag == "postcbdepositswithdrawals"
        answer = await client.query("CSHQRY", xml("Query", Key={"Bank": "OC"}))
        assert answer.findtext("BankItem/CshTrnItem/TrnReference") == "FEES"
        chosen = '<Query><Option><Month>C</Month></Option><Filter><Bank FilterType="S" FilterValue="OC"/></Filter></Query>'
        answer = await client.query("CSHQ45", chosen)
        assert [node.findtext("Bank") for node in answer.findall("BankDetails")] == ["OC"]
        assert answer.findtext("BankDetails/CurrentBalance", "").strip() == "-2.34"
