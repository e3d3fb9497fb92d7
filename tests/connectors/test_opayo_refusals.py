"""The three error shapes of Opayo, and what each code makes of a call."""

from __future__ import annotations

import pytest

from integration.errors import (
    IntegrationError,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    RefundExceedsPayment,
    Rejected,
    Throttled,
    Transient,
    Unreachable,
    VendorTxCodeUsed,
)
from integration.http import Answer, Call
from integration.opayo.refusals import refusal, reporting_error


def answer(status: int, body: bytes, *, write: bool = True, kind: str = "application/json") -> Answer:
    call = Call(method="POST" if write else "GET", path="/transactions", write=write, about="payment SO-1")
    return Answer(system="Opayo", call=call, status=status, headers={"content-type": kind}, body=body)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b'{"code":1001,"description":"validation.cts.credentials.NotEmpty"}', Misconfigured),
        (401, b"", Misconfigured),
        (403, b'{"description":"Refund exceeds","code":1018}', RefundExceedsPayment),
        (422, b'{"status":"Invalid","statusCode":"4035","statusDetail":"x"}', RefundExceedsPayment),
        (422, b'{"status":"Invalid","statusCode":"4042","statusDetail":"used"}', VendorTxCodeUsed),
        (422, b'{"code":4001,"description":"used"}', VendorTxCodeUsed),
        (404, b'{"description":"Transaction not found","code":1012}', NotFound),
        (404, b"{}", NotFound),
        (404, b'{"code":1006,"description":"MSK"}', Rejected),
        (422, b'{"description":"Merchant session key or card identifier invalid","code":1011}', Rejected),
        (422, b'{"errors":[{"code":"1003","property":"customerFirstName","description":"M"}]}', Rejected),
        (422, b'{"status":"Invalid","statusCode":"4020","statusDetail":"IP"}', Misconfigured),
        (408, b'{"code":9998,"description":"timeout"}', OutcomeUnknown),
        (500, b'{"code":9999,"description":"internal"}', OutcomeUnknown),
        (502, b"<html>", OutcomeUnknown),
        (503, b"<html>", OutcomeUnknown),
        (429, b"{}", Throttled),
        (422, b'{"errors":[{"co', OutcomeUnknown),
        (422, b'{"status":"Error","statusCode":"2015","statusDetail":"oops"}', OutcomeUnknown),
    ],
)
def test_every_refusal_of_a_write_has_its_class(
    status: int, body: bytes, expected: type[IntegrationError]
) -> None:
    assert type(refusal(answer(status, body))) is expected


@pytest.mark.parametrize(
    ("status", "expected"), [(408, Unreachable), (500, Unreachable), (503, Throttled), (429, Throttled)]
)
def test_a_read_is_never_left_unknown(status: int, expected: type[IntegrationError]) -> None:
    assert type(refusal(answer(status, b"{}", write=False))) is expected


def test_a_page_of_html_means_a_wrong_address() -> None:
    assert isinstance(refusal(answer(404, b"<html>", kind="text/html")), Misconfigured)
    assert isinstance(refusal(answer(302, b"", kind="text/html")), Misconfigured)


def test_several_errors_are_all_told_and_card_numbers_struck_out() -> None:
    body = (
        b'{"errors":[{"code":1003,"property":"customerEmail","description":"Missing"},'
        b'{"code":1009,"property":"description","description":"4929 0000 0000 6 is no text"}]}'
    )
    error = refusal(answer(422, body))
    assert error is not None
    assert "customerEmail" in error.title
    assert "description" in error.title
    assert "4929" not in str(error)
    assert error.evidence["opayo_code"] == "1003"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("0008", Misconfigured), ("0010", Misconfigured), ("4020", Misconfigured), ("2213", Throttled),
     ("0009", Transient), ("3009", Rejected)],
)  # fmt: skip
def test_reporting_numbers_have_their_own_meaning(code: str, expected: type[IntegrationError]) -> None:
    assert type(reporting_error(code, "", "transaction X")) is expected
