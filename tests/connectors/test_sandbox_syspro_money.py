"""SYSPRO's rules for receivables, journals, cash and customers hold in the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from tests.connectors.syspro_client import (
    Json,
    code_of,
    connected,
    invoice,
    journal,
    payment,
    refused,
    sandbox,
    with_parameters,
)

SALES, PAY, INV = "SalesOrder", "AccountsReceivable/Payment", "AccountsReceivable/Invoice"
GL = "GeneralLedger/JournalEntry"


PAYMENT_REFUSALS: list[tuple[Json, str, str]] = [
    (payment(Customer="777"), "VALIDATION_FAILED", "Payment.Customer"),
    (payment(Bank="ZZ"), "VALIDATION_FAILED", "Payment.Bank"),
    (payment(Reference="R" * 31), "VALIDATION_FAILED", "Payment.Reference"),
    (payment(PaymentDate="20250602"), "VALIDATION_FAILED", "Payment.PaymentDate"),
    (payment(PaymentValue="121.00"), "NOT_DISTRIBUTED", "Payment.PaymentValue"),
    (payment(UnappliedPayment=None), "NOT_DISTRIBUTED", "Payment.PaymentValue"),
    (payment(PaymentValue="-1.00"), "VALIDATION_FAILED", "Payment.PaymentValue"),
    (payment(PaymentType="X"), "VALIDATION_FAILED", "Payment.PaymentType"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "element"), PAYMENT_REFUSALS)
async def test_an_unlawful_payment_is_refused(body: Json, code: str, element: str) -> None:
    async with connected(sandbox()) as client:
        await refused(client, PAY, body, (422, code, element))


async def test_money_from_a_customer_on_hold_is_taken_and_adjustments_are_not() -> None:
    async with connected(sandbox()) as client:
        assert (await client.post(PAY, payment(Customer="90"))).status_code == 201
        adjust = {
            "TransactionType": "I",
            "Invoice": "_CRD0000001",
            "AdjustmentValue": "1.00",
            "JournalNotation": "n",
        }
        body = {"Items": [{"Adjustments": {"Customer": "90", "Bank": "OC", "InvoiceToAdjust": [adjust]}}]}
        await refused(client, PAY, body, (422, "CUSTOMER_ON_HOLD", "Adjustments.Customer"))


async def test_crd_numbers_count_per_customer() -> None:
    async with connected(sandbox()) as client:
        numbers = []
        for customer in ("1", "2", "1"):
            (item,) = (await client.post(PAY, payment(Customer=customer))).json()["Items"]
            numbers.append((item["Customer"], item["UnappliedInvoices"][0]["Invoice"]))
        assert numbers == [("0000001", "_CRD0000001"), ("0000002", "_CRD0000001"), ("0000001", "_CRD0000002")]
        found = (await client.get(INV, Customer="1", Invoice="_CRD*")).json()["Items"]
        assert [(row["InvoiceBal1"], row["CustomerPoNumber"]) for row in found] == [
            ("-120.00", "WEB-2025-000123")
        ] * 2
        assert (await client.get("Customer/1")).json()["Balance"]["CurrentBalance1"] == "-240.00"


async def test_auto_correction_forces_the_value_or_leaves_the_rest_unapplied() -> None:
    async with connected(sandbox()) as client:
        short: dict[str, Any] = {"UnappliedPayment": [{"GrossPaymentValue": "100.00"}]}
        await client.post(PAY, with_parameters(payment("120.00", **short), AutoCorrectPaymentValue="Y"))
        await client.post(PAY, with_parameters(payment("120.00", **short), AutoCorrectPaymentValue="U"))
        assert [row["PaymentValue"] for row in (await client.ledger())["ar_payments"]] == ["100.00", "120.00"]
        balances = [row["InvoiceBal1"] for row in (await client.get(INV, Customer="1")).json()["Items"]]
        assert balances == ["-100.00", "-100.00", "-20.00"]
        assert await client.invariants_hold()


async def test_an_absent_gross_value_pays_the_balance_and_a_blank_one_pays_nothing() -> None:
    async with connected(sandbox()) as client:
        await client.post(INV, invoice("50.00"))
        for element, value in (({"GrossPaymentValue": ""}, "0.00"), ({}, "50.00")):
            pay: dict[str, Any] = {
                "InvoiceToPay": [{"Invoice": "100270", **element}],
                "UnappliedPayment": None,
            }
            assert (await client.post(PAY, payment(value, **pay))).status_code == 201
        (row,) = (await client.get(INV, Invoice="100270")).json()["Items"]
        assert row["InvoiceBal1"] == "0.00"
        assert (await client.get(INV, Customer="1", OpenOnly="Y")).json()["Items"] == []


async def test_paying_more_than_the_balance_is_a_warning_that_rejects_money() -> None:
    async with connected(sandbox()) as client:
        await client.post(INV, invoice("50.00"))
        over = payment(
            "60.00", UnappliedPayment=None, InvoiceToPay=[{"Invoice": "100270", "GrossPaymentValue": "60.00"}]
        )
        await refused(
            client, PAY, over, (422, "BUSINESS_REJECTED", "Payment.InvoiceToPay[0].GrossPaymentValue")
        )


async def test_a_foreign_payment_is_always_of_type_other_and_books_the_exchange_difference() -> None:
    async with connected(sandbox()) as client:
        await client.post(INV, invoice("100.00", Customer="91"))
        pay = {
            "Customer": "91", "PaymentType": "C", "Bank": "EB", "UnappliedPayment": None,
            "InvoiceToPay": [{"Invoice": "100270", "GrossPaymentValue": "100.00", "ExchangeRateToUse": "0.900000"}],
        }  # fmt: skip
        assert (await client.post(PAY, payment("100.00", **pay))).status_code == 201
        (row,) = (await client.ledger())["ar_payments"]
        assert (row["PaymentType"], row["Currency"], row["minor"]) == ("O", "EUR", 10000)
        account = (await client.get("GeneralLedger/Account/30-6300")).json()
        assert account["CurrentBalance"] == "-5.00"
        assert await client.invariants_hold()


async def test_notes_move_balances_by_type_and_never_by_sign() -> None:
    async with connected(sandbox()) as client:
        await client.post(INV, invoice("100.00"))
        await refused(client, INV, invoice("-1.00", "C"), (422, "VALIDATION_FAILED", "InvoiceValue"))
        await refused(
            client, INV, invoice("1.00", ProductClass=""), (422, "VALIDATION_FAILED", "ProductClass")
        )
        await refused(
            client, INV, invoice("1.00", ProductClass="NO"), (422, "VALIDATION_FAILED", "ProductClass")
        )
        await refused(client, INV, invoice("0.00"), (422, "BUSINESS_REJECTED", "InvoiceValue"))
        (free,) = (await client.post(INV, invoice("12.00", "C", TaxCode="A", TaxValue="2.00"))).json()[
            "Items"
        ]
        assert (free["DocumentType"], free["TransactionType"]) == ("C", "C")
        hit = invoice("30.00", "C", PostToExistingInvoice="Y", GenerateInvoiceNumber="N", Invoice="100270")
        (item,) = (await client.post(INV, hit)).json()["Items"]
        assert (item["DocumentType"], item["TransactionType"]) == ("I", "C")
        rows = (await client.get(INV, Customer="1")).json()["Items"]
        assert [(row["DocumentType"], row["InvoiceBal1"]) for row in rows] == [
            ("I", "70.00"),
            ("C", "-12.00"),
        ]
        assert [p["Reference"] for row in rows for p in row["Payments"]] == ["R 30.00", "R 12.00"]
        assert await client.invariants_hold()


JOURNAL_REFUSALS: list[tuple[Json, int, str, str]] = [
    (journal("1.00", "-1.01"), 422, "UNBALANCED", "JournalDetails"),
    (journal("1.00"), 422, "UNBALANCED", "JournalDetails"),
    (journal("1.00", "-1.00", "0.00"), 422, "UNBALANCED", "JournalDetails[2].EntryAmount"),
    (journal("1.00", "-1.00", accounts=("1-1", "00-1010")), 422, "VALIDATION_FAILED", "JournalDetails[0].LedgerCode"),
    (journal("1.00", "-1.00", accounts=("00-9000", "00-1010")), 422, "BUSINESS_REJECTED", "JournalDetails[0].LedgerCode"),
    (journal("1.00", "-1.00", accounts=("00-1200", "00-1010")), 422, "BUSINESS_REJECTED", "JournalDetails[0].LedgerCode"),
    (journal("1.00", "-1.00", PostingPeriod="07"), 422, "PERIOD_CLOSED", "PostingPeriod"),
    (journal("1.00", "-1.00", PostingPeriod="13"), 422, "PERIOD_CLOSED", "PostingPeriod"),
    (journal("1.00", "-1.00", PostingYear="2023"), 422, "PERIOD_CLOSED", "PostingYear"),
    (journal("1.00", "-1.00", JournalReference="J" * 31), 422, "VALIDATION_FAILED", "JournalReference"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code", "element"), JOURNAL_REFUSALS)
async def test_an_unlawful_journal_is_refused(body: Json, status: int, code: str, element: str) -> None:
    async with connected(sandbox()) as client:
        await refused(client, GL, body, (status, code, element))


async def test_a_closed_period_refuses_every_module() -> None:
    async with connected(sandbox(closed_periods=["C"])) as client:
        assert code_of(await client.post(PAY, payment())) == "PERIOD_CLOSED"
        assert code_of(await client.post(INV, invoice("1.00"))) == "PERIOD_CLOSED"
        assert code_of(await client.post(GL, journal("1.00", "-1.00"))) == "PERIOD_CLOSED"
        answer = await client.post(PAY, with_parameters(payment(), PostingPeriod="P"))
        assert answer.json()["Items"][0]["Key"]["TrnMonth"] == "05"
        await client.control("PUT", "settings", {"closed_periods": ["2025-05"]})
        assert (
            code_of(await client.post(PAY, with_parameters(payment(), PostingPeriod="P"))) == "PERIOD_CLOSED"
        )
        assert (await client.post(PAY, payment())).status_code == 201


async def test_customers_are_added_once_and_changed_by_what_is_sent() -> None:
    async with connected(sandbox()) as client:
        item = {
            "Key": {"Customer": "web0002"}, "Name": "J Smith", "Salesperson": "100", "Branch": "10",
            "TermsCode": "00", "SoldToAddr3": "Leeds",
        }  # fmt: skip
        added = await client.post("Customer", {"Parameters": {}, "Items": [item]})
        assert (added.status_code, added.json()["Items"][0]["Customer"]) == (201, "WEB0002")
        again = await client.post("Customer", {"Parameters": {}, "Items": [item]})
        assert (again.status_code, code_of(again)) == (409, "DUPLICATE")
        assert again.json()["Items"][0]["Errors"][0]["ErrorNumber"] == "120001"
        missing = await client.post("Customer", {"Items": [{"Key": {"Customer": "X"}, "Name": "N"}]})
        assert missing.json()["Items"][0]["Errors"][0]["ErrorNumber"] == "100030"
        await client.put("Customer/WEB0002", {"Items": [{"CustomerOnHold": "Y"}]})
        stored = (await client.get("Customer/WEB0002")).json()
        assert (stored["CustomerOnHold"], stored["SoldToAddr3"], stored["Currency"]) == ("Y", "Leeds", "GBP")
        await client.post(PAY, payment())
        changed = await client.put("Customer/1", {"Items": [{"Currency": "EUR"}]})
        assert code_of(changed) == "VALIDATION_FAILED"


async def test_the_cash_book_balances_what_it_distributes() -> None:
    async with connected(sandbox()) as client:
        fee = {
            "Bank": "OC", "DepositOrWithdrawal": "W", "Reference": "OPAYO SETTLE 20250602",
            "TransactionValue": "2.34", "LedgerDistribution": [{"LedgerCode": "30-6200", "LedgerValue": "2.34"}],
        }  # fmt: skip
        body = {"Items": [{"AddTransaction": fee}]}
        answer = await client.post("CashBook/Transaction", body)
        assert answer.json()["Items"][0]["Key"]["Bank"] == "OC"
        (row,) = (await client.get("CashBook/Transaction", Bank="OC", Reference="OPAYO*")).json()["Items"]
        assert (row["TrnType"], row["TrnValue"]) == ("W", "2.34")
        fee["TransactionValue"] = "3.00"
        assert code_of(await client.post("CashBook/Transaction", body)) == "NOT_DISTRIBUTED"
        assert await client.invariants_hold()


async def test_adjustments_and_receipts_from_nobody_reach_the_ledger() -> None:
    async with connected(sandbox()) as client:
        await client.post(INV, invoice("12.00", "C"))
        adjust = {
            "TransactionType": "C", "Invoice": "100270", "AdjustmentValue": "12.00", "JournalNotation": "refund",
            "AdjustmentLedgerCode": "00-2300",
        }  # fmt: skip
        body = {"Items": [{"Adjustments": {"Customer": "1", "Bank": "OC", "InvoiceToAdjust": [adjust]}}]}
        assert (await client.post(PAY, body)).status_code == 201
        assert (await client.get("GeneralLedger/Account/00-2300")).json()["CurrentBalance"] == "-12.00"
        receipt = {
            "Bank": "OC", "MiscellaneousReceiptValue": "-12.00", "CreditLedgerCode": "00-2300",
            "JournalNotation": "refund",
        }  # fmt: skip
        out = {"Items": [{"MiscellaneousReceipt": receipt}]}
        assert (await client.post(PAY, out)).status_code == 422
        assert (await client.post(PAY, {"Parameters": {"IgnoreWarnings": "Y"}, **out})).status_code == 201
        assert (await client.get("GeneralLedger/Account/00-2300")).json()["CurrentBalance"] == "0.00"
        assert await client.invariants_hold()


async def test_ledger_accounts_can_be_validated_before_use() -> None:
    async with connected(sandbox()) as client:
        for code, status in (("30-6200", 200), ("1-1", 422), ("00-9000", 422)):
            asked = {"LedgerCode": code, "SecurityType": "P", "ValidateStructure": "Y", "ValidateFlags": "Y"}
            answer = await client.post("GeneralLedger/Account/Validate", asked, key=None)
            assert answer.status_code == status
        assert (await client.get("Currency/EUR")).json()["SellExchangeRate"] == "0.850000"
