"""What e.net answers, as recorded and as reported: wrappers, encodings, cases, and where errors hide."""

from __future__ import annotations

import pytest

from integration.canonical.documents import ErpDocument, Receipt
from integration.errors import (
    AlreadyPosted,
    IntegrationError,
    Misconfigured,
    OutcomeUnknown,
    RecordLocked,
    SessionLost,
    Throttled,
    Unclassified,
    UnknownStockCode,
    Unreachable,
)
from integration.http import Answer, Call
from integration.syspro.classify import DEFAULT_RULES, Moment
from integration.syspro.enet.parsing import parse
from integration.syspro.enet.receipts import receipt_of
from integration.syspro.enet.text import answer_text
from integration.syspro.enet.wire import Context, Reply, findings_of, xml_of
from integration.syspro.refusals import Concerning
from tests.connectors.erp_site import credit_memo, journal, order, payment

RECORDED_ERROR = """<?xml version="1.0" encoding="Windows-1252"?>
<setupinvwarehouse Language='05' Language2='EN' CssStyle='' DecFormat='1' DateFormat='01' Role='01'>
 <item><key><stockcode>1004</stockcode><warehouse>P0</warehouse></key>
  <stockcode><Value>1004</Value><ErrorNumber>240004</ErrorNumber>
   <ErrorDescription>Stock code '1004' not found</ErrorDescription></stockcode></item>
 <StatusOfItems><RecordsRead>1</RecordsRead><RecordsInvalid>1</RecordsInvalid></StatusOfItems>
</setupinvwarehouse>"""

PAID = """<?xml version="1.0" encoding="Windows-1252"?>
<postarpayment Language='05' CssStyle='' DecFormat='1' DateFormat='01' Role='01' Version='6.0.000'>
 <Item><Payment><Key><TrnYear>2006</TrnYear><TrnMonth>12</TrnMonth><Journal>00034</Journal></Key>
  <Customer>BAY001</Customer></Payment></Item>
 <StatusOfItems>
  <GlJournal><GlYear>2006</GlYear><GlPeriod>02</GlPeriod><GlJournal>00268</GlJournal>
   <GlJournalError>{error}</GlJournalError><GlJournalMessage/></GlJournal>
  <ItemsProcessed>1</ItemsProcessed><ItemsInvalid>{invalid}</ItemsInvalid></StatusOfItems>
</postarpayment>"""

JOURNALLED = """<postgljournal><Item><Transaction><Key><GlYear>2025</GlYear><GlPeriod>6</GlPeriod>
<GlJournal>00117</GlJournal></Key><JournalDate>20250616</JournalDate><Jnlstatus>P</Jnlstatus></Transaction></Item>
<StatusOfItems><JournalsProcessed>1</JournalsProcessed></StatusOfItems></postgljournal>"""


def reply(body: str | bytes, *, write: bool = True, status: int = 200) -> Reply:
    raw = body.encode() if isinstance(body, str) else body
    call = Call(method="POST", path="/Transaction/PostLD", write=write, about="AR payment PAY1")
    answer = Answer(system="SYSPRO", call=call, status=status, headers={}, body=raw)
    return Reply(answer=answer, text=answer_text(raw, "auto") if status == 200 else "")


def context(moment: Moment = "post", business_object: str = "ARSTPY") -> Context:
    about = Concerning(what="AR payment PAY1", reference="PAY1", customer="1")
    return Context(about=about, rules=DEFAULT_RULES, moment=moment, business_object=business_object)


def received(body: str, document: ErpDocument) -> Receipt | None:
    return receipt_of(reply(body), document, context())


def refusal(body: str, document: ErpDocument | None = None) -> IntegrationError:
    with pytest.raises(IntegrationError) as caught:
        received(body, document or payment())
    return caught.value


def test_an_error_is_found_beside_the_echoed_key() -> None:
    (finding,) = findings_of(parse(answer_text(RECORDED_ERROR.encode(), "auto")))
    assert (finding.number, finding.value, finding.element) == ("240004", "1004", "stockcode")
    assert finding.text == "Stock code '1004' not found"


def test_an_error_of_an_order_line_is_named_after_the_line() -> None:
    body = """<SalesOrders><Orders><OrderDetails><StockLine><StockCode>X</StockCode><ErrorMessages>
      <ErrorDescription>Something</ErrorDescription></ErrorMessages></StockLine></OrderDetails></Orders></SalesOrders>"""
    assert [each.element for each in findings_of(parse(body))] == ["Orders.OrderDetails.StockLine"]


# --- postings -------------------------------------------------------------------------------------


def test_a_recorded_error_has_its_class() -> None:
    error = refusal(RECORDED_ERROR)
    assert type(error) is UnknownStockCode
    assert error.evidence["stock_code"] == "1004"


def test_a_payment_is_known_by_its_cash_journal_and_its_ledger_journal() -> None:
    receipt = received(PAID.format(error="", invalid=""), payment())
    assert receipt is not None
    assert receipt.key == "2006/12/0000000034"
    assert receipt.details == {"GlJournal": "2006/02/0000000268"}
    assert receipt.warnings == ()


def test_a_failed_ledger_journal_does_not_undo_the_payment() -> None:
    receipt = received(PAID.format(error="No payments interface", invalid="000000"), payment())
    assert receipt is not None
    assert receipt.details["GlJournalError"] == "No payments interface"
    assert "ARSTGP" in receipt.warnings[0]


def test_a_journal_is_known_by_its_year_period_and_number() -> None:
    receipt = received(JOURNALLED, journal())
    assert receipt is not None
    assert (receipt.key, receipt.details) == ("2025/06/0000000117", {"JnlStatus": "P"})


def test_a_counter_of_invalid_items_refuses_without_any_description() -> None:
    assert type(refusal(PAID.format(error="", invalid="000001"))) is Unclassified


def test_warnings_that_rejected_an_order_are_its_reason() -> None:
    body = """<SalesOrders><Order><WarningMessages><WarningDescription>Price is low</WarningDescription>
      </WarningMessages></Order><StatusOfItems><ItemsRejectedWithWarnings>000001</ItemsRejectedWithWarnings>
      </StatusOfItems></SalesOrders>"""
    assert "Price is low" in refusal(body, order()).title


@pytest.mark.parametrize(
    ("body", "document"),
    [
        ("<postarpayment><Item><Payment/></Item></postarpayment>", payment()),
        ("<postarinvoices><Item><Customer>1</Customer></Item></postarinvoices>", credit_memo()),
        ("<postgljournal><Item/></postgljournal>", journal()),
    ],
)
def test_an_answer_without_the_expected_key_leaves_the_outcome_open(body: str, document: ErpDocument) -> None:
    assert type(refusal(body, document)) is OutcomeUnknown


def test_a_clean_import_of_an_order_may_tell_no_number() -> None:
    body = "<SalesOrders><StatusOfItems><ItemsProcessed>000001</ItemsProcessed></StatusOfItems></SalesOrders>"
    assert received(body, order()) is None


@pytest.mark.parametrize(
    "body",
    [
        "<SalesOrders><Order><CustomerPoNumber>WEB-1</CustomerPoNumber><SalesOrder/></Order></SalesOrders>",
        "<SalesOrders><ValidationStatus><Status>Failed</Status></ValidationStatus></SalesOrders>",
    ],
)
def test_an_order_with_a_blank_number_was_refused(body: str) -> None:
    assert type(refusal(body, order())) is Unclassified


@pytest.mark.parametrize("body", [PAID[:200], "<", "", "\x00\x01", "<html><body>Welcome"])
def test_a_document_cut_short_leaves_the_outcome_of_a_posting_open(body: str) -> None:
    assert type(refusal(body)) is OutcomeUnknown
    with pytest.raises(Unreachable):
        xml_of(reply(body, write=False), context("read"))


# --- plain text -----------------------------------------------------------------------------------

SESSION = (
    "The supplied UserID is invalid. Either you were not logged in; or your session has expired. "
    "You will need to logon again."
)


@pytest.mark.parametrize(
    ("text", "posting", "reading"),
    [
        ("ERROR: e.net exception raised: 100000", Misconfigured, Misconfigured),
        ("ERROR: e.net exception raised: 100027", OutcomeUnknown, Throttled),
        (SESSION, SessionLost, SessionLost),
        ("ERROR: Record is locked by another operator", RecordLocked, RecordLocked),
        ("ERROR: Duplicate key 'X' on 'SorMaster'", AlreadyPosted, AlreadyPosted),
        ("ERROR: Memory leak in use of SORTOI", OutcomeUnknown, RecordLocked),
        ("Memory leak detected, transaction processed", OutcomeUnknown, Unreachable),
        ("ERROR: something else", OutcomeUnknown, Throttled),
        ("The service is fine", OutcomeUnknown, Unreachable),
    ],
)
def test_a_text_instead_of_a_document_has_a_class_by_the_table(
    text: str, posting: type[IntegrationError], reading: type[IntegrationError]
) -> None:
    assert type(refusal(text)) is posting
    with pytest.raises(IntegrationError) as caught:
        xml_of(reply(text, write=False), context("read", "COMFND"))
    assert type(caught.value) is reading


@pytest.mark.parametrize(
    ("text", "error", "code"),
    [
        ("ERROR: Invalid operator password", Misconfigured, "syspro.invalid-credentials"),
        ("ERROR: Maximum number of users reached", Throttled, "syspro.licence-exhausted"),
        ("ERROR: Try later", Throttled, "syspro.busy"),
    ],
)
def test_a_refused_logon_says_why(text: str, error: type[IntegrationError], code: str) -> None:
    with pytest.raises(IntegrationError) as caught:
        xml_of(reply(text, write=False), context("logon"))
    assert (type(caught.value), caught.value.error_code) == (error, code)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (404, "syspro.no-enet", Misconfigured),
        (405, "syspro.no-enet", Misconfigured),
        (414, "syspro.too-long-for-get", IntegrationError),
        (503, "syspro.busy", Throttled),
        (500, "syspro.outcome-unknown", OutcomeUnknown),
        (302, "syspro.outcome-unknown", OutcomeUnknown),
    ],
)
def test_a_status_other_than_200_comes_from_the_host(
    status: int, code: str, error: type[IntegrationError]
) -> None:
    with pytest.raises(error) as caught:
        receipt_of(reply("<html/>", status=status), payment(), context())
    assert caught.value.error_code == code
