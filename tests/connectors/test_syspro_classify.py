"""What SYSPRO says becomes a class, and the class an error that says what to do."""

from __future__ import annotations

import msgspec
import pytest

from integration.errors import (
    AlreadyPosted,
    CustomerOnHold,
    IntegrationError,
    Misconfigured,
    OutcomeUnknown,
    PeriodClosed,
    RecordLocked,
    Rejected,
    Throttled,
    Unclassified,
    UnknownCustomer,
    UnknownStockCode,
)
from integration.syspro.classify import DEFAULT_RULES, Finding, Moment, Rule, classify
from integration.syspro.refusals import Concerning, refused

ABOUT = Concerning(what="sales order WEB-1", reference="WEB-1", customer="0000042")


@pytest.mark.parametrize(
    ("text", "moment", "means"),
    [
        ("ERROR: Invalid operator password", "logon", "invalid-credentials"),
        ("ERROR: no more users", "logon", "busy"),
        ("The supplied UserID is invalid. Either you were not logged in", "read", "session-invalid"),
        ("ERROR: e.net exception raised: 100000", "post", "not-licensed"),
        ("ERROR: e.net exception raised: 100004", "post", "outcome-unknown"),
        ("ERROR: e.net exception raised: 100004", "read", "busy"),
        ("ERROR: Memory leak", "post", "outcome-unknown"),
        ("ERROR: Memory leak", "read", "busy"),
        ("Order is locked by operator JIM", "post", "locked"),
        ("Order is locked by operator JIM", "read", "locked"),
    ],
)
def test_plain_text_is_classified_by_the_moment_it_came(text: str, moment: Moment, means: str) -> None:
    assert classify(Finding(text=text), moment=moment) == means


@pytest.mark.parametrize(
    ("finding", "business_object", "error"),
    [
        (Finding(text="Duplicate key 'FB' on 'ApBank'", number="120001"), "ARSTIN", AlreadyPosted),
        (
            Finding(text="Stock code '1004' not found", number="240004", value="1004"),
            "SORTOI",
            UnknownStockCode,
        ),
        (Finding(text="Stock code 'A1' not found in warehouse 'N1'", value="N1"), "SORTOI", UnknownStockCode),
        (Finding(text="Not found", element="OrderHeader.Customer", value="42"), "SORTOI", UnknownCustomer),
        (Finding(text="Customer '42' not found", number="900002"), "ARSTPY", UnknownCustomer),
        (Finding(text="Customer '42' is on hold"), "SORTOI", CustomerOnHold),
        (Finding(text="Posting period 2025/05 is closed"), "ARSTPY", PeriodClosed),
        (Finding(text="Payment value is not fully distributed"), "ARSTPY", Rejected),
        (Finding(text="Journal does not balance"), "GENTJL", Rejected),
        (Finding(text="Order in use"), "SORTOI", RecordLocked),
        (Finding(text="Date must be CCYY-MM-DD", number="100028"), "SORTOI", Rejected),
        (Finding(text="Something new", number="777777"), "SORTOI", Unclassified),
        (Finding(text="ERROR: Memory leak"), "SORTOI", OutcomeUnknown),
        (Finding(text="ERROR: e.net exception raised: 100000"), "SORTOI", Misconfigured),
    ],
)
def test_a_finding_becomes_the_error_that_says_what_to_do(
    finding: Finding, business_object: str, error: type[IntegrationError]
) -> None:
    assert type(refused([finding], ABOUT, business_object, DEFAULT_RULES)) is error


def test_the_stock_code_is_named_although_the_fault_was_found_on_the_warehouse() -> None:
    finding = Finding(
        text="Stock code 'A1' not found in warehouse 'N1'",
        element="OrderDetails.StockLine[0].Warehouse",
        value="N1",
    )
    error = refused([finding], ABOUT, "SORTOI", DEFAULT_RULES)
    assert error.evidence["stock_code"] == "A1"


def test_an_unclassified_refusal_keeps_syspros_number_and_text() -> None:
    error = refused([Finding(text="Something new", number="777777")], ABOUT, "SORTOI", DEFAULT_RULES)
    assert error.evidence["ErrorNumber"] == "777777"
    assert error.evidence["ErrorDescription"] == "Something new"
    assert error.error_code == "syspro.unclassified"


def test_the_first_fault_with_a_class_decides_and_the_others_are_told() -> None:
    odd, known = Finding(text="Something new"), Finding(text="Customer '42' not found", value="42")
    error = refused([odd, known], ABOUT, "SORTOI", DEFAULT_RULES)
    assert isinstance(error, UnknownCustomer)
    assert error.evidence["also"] == "Something new"


def test_a_site_replaces_the_table_with_data() -> None:
    rows = [{"means": "licence-exhausted", "pattern": "keine Lizenz"}]
    rules = msgspec.convert(rows, tuple[Rule, ...])
    assert isinstance(refused([Finding(text="Keine Lizenz frei")], ABOUT, "SORTOI", rules), Throttled)
    assert classify(Finding(text="Duplicate"), moment="post", rules=rules) == "unclassified"
