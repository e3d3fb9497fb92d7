"""Documents of money out on the wire: the elements, in SYSPRO's words, over e.net and over the façade."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import msgspec
import pytest

from integration.canonical.documents import ErpDocument
from integration.canonical.documents_money_out import CreditedLine, CreditNoteOrder, OrderInvoice
from integration.canonical.money import Money
from integration.errors import UnmappedField
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet import EnetConfig
from integration.syspro.enet.documents import Surroundings, transaction_for
from integration.syspro.enet.key_widths import Widths
from integration.syspro.harmony.translate import endpoint_of, request_for
from tests.connectors.erp_money_out_site import adjustment, receipt, withdrawal
from tests.connectors.erp_site import TODAY

CONFIG = SysproConfig(base_url="http://erp", operator="A", operator_password="x", company_id="E")
CODES = CurrencyCodes({}, "GBP")
NOTE = CreditNoteOrder(
    reference="CN1",
    customer="1",
    invoice_number="100270",
    credit_reason="RET",
    lines=(CreditedLine(line_number=1), CreditedLine(line_number=3)),
    document_date=TODAY,
)
COMPLETED = OrderInvoice(reference="SOI1", sales_order="100674", order_type="C", invoice_date=TODAY)


def enet(document: ErpDocument, habits: EnetConfig | None = None) -> tuple[str, dict[str, str], ET.Element]:
    """Business object, parameters and item of a document over e.net."""
    at = Surroundings(
        config=CONFIG,
        enet=habits or EnetConfig(),
        codes=CODES,
        widths=Widths(customers=7, invoices=15),
    )
    made = transaction_for(document, at)
    parameters = ET.fromstring(made.parameters)[0]
    item = ET.fromstring(made.document)[0]
    return made.business_object.code, {each.tag: each.text or "" for each in parameters}, item


def facade(document: ErpDocument) -> tuple[str, dict[str, object]]:
    """Path and request of a document over the façade."""
    body: dict[str, object] = json.loads(msgspec.json.encode(request_for(document, CONFIG, CODES)))
    return endpoint_of(document).path, body


def flat(element: ET.Element) -> list[tuple[str, str]]:
    """The leaves of an element, in order."""
    return [(each.tag, each.text or "") for each in element.iter() if not len(each)]


def test_a_credit_note_names_the_invoice_and_its_lines() -> None:
    code, parameters, item = enet(NOTE)
    assert (code, parameters["DocumentDate"], parameters["ValidateOnly"]) == ("SORTCI", "2025-06-16", "N")
    assert parameters["ApplyIfEntireDocumentValid"] == "Y"
    assert flat(item) == [
        ("InvoiceNumber", "000000000100270"),
        ("Customer", "0000001"),
        ("CreditReason", "RET"),
        ("LineNumber", "1"),
        ("LineNumber", "3"),
    ]
    path, body = facade(NOTE)
    assert path == "/AccountsReceivable/CreditNote"
    assert body["Items"] == [
        {
            "InvoiceNumber": "100270",
            "Customer": "1",
            "CreditReason": "RET",
            "Lines": [{"LineNumber": "1"}, {"LineNumber": "3"}],
        }
    ]


def test_an_orders_completion_says_which_document_it_becomes() -> None:
    code, parameters, item = enet(COMPLETED)
    assert (code, flat(item)) == ("SORTIC", [("SalesOrder", "100674")])
    assert (parameters["OrderType"], parameters["InvoiceDate"]) == ("C", "2025-06-16")
    assert (parameters["PostingPeriod"], parameters["ValidateOnly"]) == ("C", "N")
    assert facade(COMPLETED) == (
        "/SalesOrder/100674/Invoice",
        {"OrderType": "C", "PostingPeriod": "C", "InvoiceDate": "2025-06-16"},
    )


def test_an_adjustment_carries_our_reference_on_every_line() -> None:
    code, parameters, item = enet(adjustment("100271", 1_200))
    assert (code, parameters["IgnoreWarnings"]) == ("ARSTPY", "N")
    assert flat(item) == [
        ("Customer", "0000001"),
        ("Bank", "OC"),
        ("PaymentType", "O"),
        ("TransactionType", "C"),
        ("Invoice", "000000000100271"),
        ("AdjustmentValue", "12.00"),
        ("Reference", "ADJ1"),
        ("AdjustmentLedgerCode", "00-2300"),
        ("JournalNotation", "Refund of WEB-1"),
    ]
    _, body = facade(adjustment("100271", -1_200))
    assert '"AdjustmentValue": "-12.00"' in json.dumps(body)


@pytest.mark.parametrize(("minor", "ignored"), [(-2_500, "Y"), (2_500, "N")])
def test_warnings_are_ignored_for_money_out_alone(minor: int, ignored: str) -> None:
    _, parameters, item = enet(receipt(minor))
    assert parameters["IgnoreWarnings"] == ignored
    assert dict(flat(item))["MiscellaneousReceiptValue"] == f"{minor / 100:.2f}"
    _, body = facade(receipt(minor))
    assert body["Parameters"]["IgnoreWarnings"] == ignored  # type: ignore[index]


def test_a_sites_own_parameters_do_not_overrule_what_the_document_decides() -> None:
    habits = EnetConfig(parameters={"SORTIC": {"InvoiceChgWithoutMerchLine": "N"}})
    _, parameters, _ = enet(COMPLETED, habits)
    assert (parameters["InvoiceChgWithoutMerchLine"], parameters["OrderType"]) == ("N", "C")


def test_a_withdrawal_is_distributed_tax_included() -> None:
    code, parameters, item = enet(withdrawal(2_500, fee=34))
    assert (code, parameters["PostingPeriod"]) == ("CSHTWD", "C")
    assert flat(item) == [
        ("Bank", "OC"),
        ("DepositOrWithdrawal", "W"),
        ("Reconciled", "N"),
        ("Reference", "CASH1"),
        ("TransactionValue", "25.34"),
        ("TransactionDate", "2025-06-16"),
        ("Narration", "Refund of WEB-1"),
        ("WithdrawalType", "M"),
        ("TaxBasis", "I"),
        ("LedgerCode", "00-2300"),
        ("LedgerNotation", "Refund"),
        ("LedgerValue", "25.00"),
        ("LedgerCode", "30-6200"),
        ("LedgerValue", "0.34"),
    ]


def test_a_deposit_has_no_type_of_withdrawal() -> None:
    deposit = msgspec.structs.replace(withdrawal(), deposit_or_withdrawal="D")
    assert "WithdrawalType" not in dict(flat(enet(deposit)[2]))
    assert "WithdrawalType" not in json.dumps(facade(deposit)[1])


@pytest.mark.parametrize(
    "document",
    [
        msgspec.structs.replace(NOTE, credit_reason="TOO LONG"),
        msgspec.structs.replace(NOTE, reference="A,B"),
        msgspec.structs.replace(COMPLETED, sales_order="9" * 21),
        msgspec.structs.replace(adjustment("1", 1), reference="R" * 31),
        msgspec.structs.replace(receipt(), credit_ledger_code="9" * 36),
        msgspec.structs.replace(withdrawal(), narration="x" * 51),
        msgspec.structs.replace(withdrawal(), ledger_distribution=()),
        msgspec.structs.replace(withdrawal(), transaction_value=Money(2_500, "EUR")),
        msgspec.structs.replace(withdrawal(-1)),
    ],
    ids=[
        "reason",
        "unfindable",
        "order",
        "reference",
        "account",
        "narration",
        "parts",
        "currency",
        "negative",
    ],
)
@pytest.mark.parametrize("way", [enet, facade])
def test_what_does_not_fit_is_refused_before_it_is_sent(document: ErpDocument, way: object) -> None:
    with pytest.raises(UnmappedField):
        way(document)  # type: ignore[operator]
