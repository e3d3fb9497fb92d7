"""Answers that no stand-in gives: half told, hostile or nonsense, from a server that says exactly this."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from integration.canonical.money import Money
from integration.canonical.payment import GatewayTransaction
from integration.errors import (
    IntegrationError,
    InvalidPayment,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Unreachable,
    VendorTxCodeUsed,
)
from integration.opayo.client import OpayoGateway
from integration.ports import PaymentRequest
from tests.connectors.opayo_world import ADA, HOME, config, hosted
from tests.connectors.serving import served

ID = "31B6D72B-855E-902C-6A1B-DCD4435F859B"
DETAIL = f"""<?xml version="1.0" encoding="ISO-8859-1"?><vspaccess><errorcode>0000</errorcode>
<timestamp>04/06/2013 11:45:32</timestamp><vpstxid>{ID}</vpstxid><vendortxcode>SO-1</vendortxcode>
<transactiontype>Payment</transactiontype><txstateid>16</txstateid><amount>1,234.50</amount>
<currency>GBP</currency><started>04/06/2013 11:45:32</started><billingsurname>Müller</billingsurname>
<paymentsystem>DELTA</paymentsystem><securitykey>SECRETKEY1</securitykey></vspaccess>"""
PAYMENT = PaymentRequest(
    kind="payment",
    vendor_tx_code="SO-1",
    amount=Money(100, "GBP"),
    description="x",
    merchant_session_key="key",
    card_identifier="card",
    customer=ADA,
    billing=HOME,
)


class Says:
    """Answers by the end of the path: status, media type and body."""

    def __init__(self, answers: dict[str, tuple[int, str, bytes]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": kind + ".complete"})
                if kind == "lifespan.shutdown":
                    return
        while (await receive()).get("more_body"):
            pass
        self.asked.append(scope["path"])
        found = [answer for end, answer in self.answers.items() if scope["path"].endswith(end)]
        status, kind, body = found[0] if found else (404, "text/html", b"<html>")
        head = {
            "type": "http.response.start",
            "status": status,
            "headers": [(b"content-type", kind.encode())],
        }
        await send(head)
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def saying(**answers: tuple[int, str, bytes]) -> AsyncIterator[OpayoGateway]:
    places = {
        "pay": "/transactions",
        "read": f"/transactions/{ID}",
        "challenge": "/3d-secure-challenge",
        "reporting": "/access.htm",
        "register": "/vspserver-register.vsp",
        "card": "/card-identifiers/C-1",
        "session": "/merchant-session-keys",
    }
    async with served(Says({places[name]: answer for name, answer in answers.items()})) as base:
        gateway = OpayoGateway(config(base))
        try:
            yield gateway
        finally:
            await gateway.close()


def json(text: str, status: int = 200) -> tuple[int, str, bytes]:
    return status, "application/json", text.encode()


def xml(text: str) -> tuple[int, str, bytes]:
    return 200, "text/xml", text.encode("latin-1")


def lines(*pairs: str) -> tuple[int, str, bytes]:
    return 200, "text/plain", "\r\n".join(pairs).encode("latin-1")


async def test_reporting_is_read_by_name_with_commas_accents_and_london_time() -> None:
    async with saying(reporting=xml(DETAIL)) as gateway:
        found = await gateway.find("SO-1")
    assert found is not None
    assert (found.amount, found.state, found.kind) == (Money(123_450, "GBP"), "captured", "payment")
    assert found.billing.name == "Müller"
    assert found.card.scheme == "VisaDebit"
    assert found.created_at is not None
    assert found.created_at.isoformat() == "2013-06-04T10:45:32+00:00"
    assert "SECRETKEY1" not in repr(found)


async def test_entities_of_a_hostile_answer_are_not_followed() -> None:
    hostile = DETAIL.replace(
        "<vspaccess>", '<!DOCTYPE v [<!ENTITY x SYSTEM "file:///etc/hostname">]><vspaccess>'
    )
    async with saying(reporting=xml(hostile.replace(">SO-1<", ">&x;<"))) as gateway:
        found = await gateway.find("SO-1")
    assert found is not None
    assert found.vendor_tx_code == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<vspaccess>", Unreachable),
        ("<other/>", Unreachable),
        ("", Unreachable),
        ("<vspaccess><errorcode>0010</errorcode><error>signature</error></vspaccess>", Misconfigured),
        ("<vspaccess><errorcode>3009</errorcode></vspaccess>", Rejected),
        (DETAIL.replace("1,234.50", "12.345"), InvalidPayment),
        (DETAIL.replace(ID, "no id"), InvalidPayment),
    ],
)
async def test_a_reporting_answer_that_cannot_be_used(text: str, expected: type[IntegrationError]) -> None:
    async with saying(reporting=xml(text)) as gateway:
        with pytest.raises(expected) as raised:
            await gateway.find("SO-1")
    assert type(raised.value) is expected


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        '{"status":"Ok","statusCode":"0000"}',
        f'{{"status":"Error","statusCode":"2015","transactionId":"{ID}"}}',
        f'{{"status":"NotAuthed","statusCode":"5996","transactionId":"{ID}"}}',
    ],
)
async def test_a_payment_whose_answer_decides_nothing_is_unknown(body: str) -> None:
    async with saying(pay=json(body, 201)) as gateway:
        with pytest.raises(OutcomeUnknown):
            await gateway.pay(PAYMENT)


async def test_a_payment_that_waits_for_a_wallet_is_pending() -> None:
    body = f'{{"status":"Redirect","statusCode":"2023","transactionId":"{ID}","paypal":{{}}}}'
    async with saying(pay=json(body, 202)) as gateway:
        waiting = await gateway.pay(PAYMENT)
    assert isinstance(waiting, GatewayTransaction)
    assert (waiting.state, waiting.amount) == ("pending", Money(100, "GBP"))


BARE = f'{{"status":"Rejected","statusCode":"4026","statusDetail":"x","transactionId":"{ID}"}}'


async def test_a_challenge_that_ends_without_an_amount_is_completed_from_reporting() -> None:
    async with saying(challenge=json(BARE, 201), reporting=xml(DETAIL)) as gateway:
        assert (await gateway.answer_challenge(ID, "cres")).amount == Money(123_450, "GBP")
    async with saying(challenge=json(BARE, 201), reporting=(500, "text/html", b"")) as gateway:
        with pytest.raises(OutcomeUnknown):
            await gateway.answer_challenge(ID, "cres")
    async with saying(challenge=json("{}", 201)) as gateway:
        with pytest.raises(OutcomeUnknown):
            await gateway.answer_challenge(ID, "cres")


@pytest.mark.parametrize(("state", "refused"), [("16", False), ("5", True)])
async def test_a_refused_answer_counts_only_while_the_challenge_waits(state: str, refused: bool) -> None:
    no = json('{"status":"Invalid","statusCode":"5086","statusDetail":"unexpected CRes"}', 422)
    detail = xml(DETAIL.replace(">16<", f">{state}<"))
    async with saying(
        challenge=no, read=json(BARE.replace("Rejected", "Error")), reporting=detail
    ) as gateway:
        if refused:
            with pytest.raises(Rejected):
                await gateway.answer_challenge(ID, "cres")
        else:
            assert (await gateway.answer_challenge(ID, "cres")).state == "captured"


async def test_a_transaction_that_neither_interface_can_tell_is_not_found() -> None:
    none = xml("<vspaccess><errorcode>0043</errorcode></vspaccess>")
    async with saying(read=json(BARE), reporting=none) as gateway:
        with pytest.raises(NotFound):
            await gateway.transaction(ID)
    async with saying(read=json("{}")) as gateway:
        with pytest.raises(Unreachable):
            await gateway.transaction(ID)


async def test_a_session_key_needs_the_right_address() -> None:
    async with saying() as gateway:
        with pytest.raises(Misconfigured) as raised:
            await gateway.ping()
    assert raised.value.error_code == "opayo.address"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            lines("Status=INVALID", "StatusDetail=4042 : The VendorTxCode has been used before"),
            VendorTxCodeUsed,
        ),
        (lines("Status=INVALID", "StatusDetail=4020 : Your server IP is not allowed"), Misconfigured),
        (lines("Status=MALFORMED", "StatusDetail=3013 : The Description is missing"), Rejected),
        (lines("Status=ERROR", "StatusDetail=2015 : The server encountered"), OutcomeUnknown),
        (lines("Status=ERROR", "StatusDetail=no code"), OutcomeUnknown),
        (lines("Status=OK", f"VPSTxId={{{ID}}}"), OutcomeUnknown),
        (lines("<html>"), OutcomeUnknown),
    ],
)
async def test_a_registration_that_is_not_granted(
    said: tuple[int, str, bytes], expected: type[IntegrationError]
) -> None:
    async with saying(register=said) as gateway:
        with pytest.raises(expected) as raised:
            await gateway.register(hosted("SO-1"))
    assert type(raised.value) is expected


async def test_a_next_address_may_hold_an_equals_sign() -> None:
    said = lines(
        "VPSProtocol=4.00",
        "Status=OK REPEATED",
        f"VPSTxId={{{ID}}}",
        "SecurityKey=ABCDEFGHIJ",
        "NextURL=https://opayo.example/cardselection?vpstxid={1}&x=2",
    )
    async with saying(register=said) as gateway:
        granted = await gateway.register(hosted("SO-1"))
    assert granted.transaction_id == ID
    assert granted.next_url == "https://opayo.example/cardselection?vpstxid={1}&x=2"


async def test_a_saved_card_that_is_gone_already_is_forgotten() -> None:
    async with saying(card=json("{}", 404)) as gateway:
        await gateway.forget_card("C-1")
    async with saying(card=json('{"code":1017,"description":"no"}', 403)) as gateway:
        with pytest.raises(Rejected):
            await gateway.forget_card("C-1")
        with pytest.raises(Rejected):
            await gateway.forget_card("../transactions")
