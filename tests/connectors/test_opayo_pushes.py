"""What is pushed to us: Server notifications and the labelled webhook, against published signature vectors."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import msgspec
import pytest

from integration.errors import InvalidPayment, Rejected
from integration.opayo import notification, webhook
from integration.opayo.config import OpayoConfig
from integration.opayo.reporting import signed_xml

VECTOR = {
    "VPSTxId": "{F955C22E-F67B-4DA3-8EA3-6DAC68FA59D2}",
    "VendorTxCode": "438791",
    "Status": "OK",
    "TxAuthNo": "4255",
    "AVSCV2": "c",
    "AddressResult": "d",
    "PostCodeResult": "e",
    "CV2Result": "f",
    "GiftAid": "g",
    "3DSecureStatus": "h",
    "CAVV": "i",
    "AddressStatus": "j",
    "PayerStatus": "k",
    "CardType": "l",
    "Last4Digits": "1234",
    "DeclineCode": "00",
    "ExpiryDate": "0722",
    "FraudResponse": "",
    "BankAuthCode": "999777",
    "VPSSignature": "285765407193faa9b8e432e6b55f5849",
}
KEY = "JEUPDN1N7E"


def test_the_published_vector_verifies() -> None:
    assert notification.genuine(VECTOR, "", KEY)
    assert notification.signature(VECTOR, "", KEY, version=4) == VECTOR["VPSSignature"].upper()


@pytest.mark.parametrize("version", [3, 4])
def test_both_protocol_orders_are_accepted(version: int) -> None:
    fields = {**VECTOR, "ACSTransID": "acs", "DSTransID": "ds", "SchemeTraceID": "trace"}
    fields["VPSSignature"] = notification.signature(fields, "SandBox", KEY, version=version)  # type: ignore[arg-type]
    assert notification.genuine(fields, "sandbox", KEY)


@pytest.mark.parametrize("name", [name for name in VECTOR if name != "VPSSignature"])
def test_a_change_of_any_signed_field_is_noticed(name: str) -> None:
    assert not notification.genuine({**VECTOR, name: VECTOR[name] + "x"}, "", KEY)


def test_a_notification_for_nothing_we_registered_is_not_genuine() -> None:
    forged = {**VECTOR}
    forged["VPSSignature"] = notification.signature(forged, "", "", version=4)
    assert not notification.genuine(forged, "", "")
    assert not notification.genuine({**VECTOR, "VPSSignature": ""}, "", KEY)


def test_a_token_is_signed_in_its_short_form() -> None:
    fields = {"TxType": "TOKEN", "VPSTxId": "{AB}", "VendorTxCode": "T1", "Status": "OK", "Token": "{CD}"}
    plain = "AB" + "T1" + "OK" + "" + "sandbox" + "" + "{CD}" + KEY
    fields["VPSSignature"] = hashlib.md5(plain.encode()).hexdigest().upper()
    assert notification.genuine(fields, "sandbox", KEY)


def test_a_notification_is_an_event_of_its_transaction_and_status() -> None:
    fields = notification.read_form(urlencode({**VECTOR, "TxType": "DEFERRED"}).encode())
    event = notification.event(fields)
    assert event.transaction_id == "F955C22E-F67B-4DA3-8EA3-6DAC68FA59D2"
    assert (event.kind, event.vendor_tx_code) == ("payment.deferred", "438791")
    assert event == notification.event(fields)
    assert event.event_id != notification.event({**fields, "Status": "ABORT"}).event_id


def test_latin_1_is_read_as_it_is_sent() -> None:
    body = urlencode({**VECTOR, "StatusDetail": "déjà vu"}, encoding="latin-1").encode()
    assert notification.read_form(body)["StatusDetail"] == "déjà vu"


@pytest.mark.parametrize("body", [b"", b"{}", b"VPSTxId=x", b"a=" + b"&a=" * 500])
def test_what_is_no_notification_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidPayment):
        notification.read_form(body)


def test_the_reply_has_crlf_lines_and_nothing_else() -> None:
    said = notification.reply("OK", "https://shop.example/return?ref=1", "Recorded\r\nStatus=ERROR")
    assert said == (
        b"Status=OK\r\nRedirectURL=https://shop.example/return?ref=1\r\nStatusDetail=Recorded Status=ERROR\r\n"
    )
    for address in ("", "https://x/" + "a" * 255, "https://x/\r\nStatus=OK"):
        with pytest.raises(ValueError, match="redirect"):
            notification.reply("ERROR", address)


# --- the labelled webhook -------------------------------------------------------------------------

SECRET = "whsec_test_0123456789"
STAMP = "1748770200"
NOW = datetime.fromtimestamp(int(STAMP), UTC)
BODY = (
    b'{"eventId":"evt_0001","eventType":"payment.authorised","occurredAt":"2025-06-01T09:30:00.000Z",'
    b'"transactionId":"DB79BA2D-05DA-5B85-D188-1293D16BBAC7","vendorTxCode":"INV-1001-A1"}'
)
SIGNED = "d2c3631234ae759b0f94539c5e7e5438fdd37e647794554e9ea2a617a96ed01b"


def headers(signature: str = f"v1={SIGNED}", stamp: str = STAMP) -> dict[str, str]:
    return {webhook.TIMESTAMP: stamp, webhook.SIGNATURE: signature, webhook.EVENT_ID: "evt_0001"}


def test_the_webhook_vector_verifies_and_is_read() -> None:
    assert webhook.signature(SECRET, STAMP, BODY) == SIGNED
    webhook.verified(headers(), BODY, [SECRET], NOW)
    event = webhook.event(headers(), BODY, "sandbox")
    assert (event.event_id, event.kind) == ("evt_0001", "payment.authorised")
    assert event.vendor_tx_code == "INV-1001-A1"
    assert event.occurred_at == datetime(2025, 6, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("secrets", [[SECRET, "new"], ["new", SECRET]])
def test_two_secrets_are_active_while_one_replaces_the_other(secrets: list[str]) -> None:
    webhook.verified(headers(), BODY, secrets, NOW)


@pytest.mark.parametrize(
    ("sent", "body", "secrets", "late"),
    [
        (headers(), BODY + b" ", [SECRET], 0),
        (headers(), BODY, ["other"], 0),
        (headers(), BODY, [""], 0),
        (headers(), BODY, [], 0),
        (headers(), BODY, [SECRET], 301),
        (headers(), BODY, [SECRET], -301),
        (headers(signature=SIGNED), BODY, [SECRET], 0),
        (headers(stamp="soon"), BODY, [SECRET], 0),
        (headers(stamp="1748770201"), BODY, [SECRET], 0),
        ({}, BODY, [SECRET], 0),
    ],
)
def test_a_forged_or_stale_message_is_refused(
    sent: dict[str, str], body: bytes, secrets: list[str], late: int
) -> None:
    with pytest.raises(webhook.NotGenuine):
        webhook.verified(sent, body, secrets, NOW + timedelta(seconds=late))


def test_five_minutes_are_allowed_either_way() -> None:
    for seconds in (-300, 300):
        webhook.verified(headers(), BODY, [SECRET], NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"eventId":1}', BODY.replace(b"DB79BA2D", b"..")])
def test_a_message_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(Rejected):
        webhook.event({}, body, "sandbox")


def test_another_vendors_event_is_refused() -> None:
    body = BODY.replace(b"{", b'{"vendorName":"someone",', 1)
    with pytest.raises(webhook.NotGenuine):
        webhook.event({}, body, "sandbox")
    assert webhook.event({}, body, "SomeOne").event_id == "evt_0001"
    with pytest.raises(webhook.NotGenuine):
        webhook.event({webhook.EVENT_ID: "evt_0002"}, BODY, "sandbox")


# --- Reporting ------------------------------------------------------------------------------------


def config(**changes: object) -> OpayoConfig:
    plain = OpayoConfig(
        vendor="sandboxvendor",
        integration_key="k",
        integration_password="p",
        pi_url="https://opayo.example/api/v1",
        reporting_url="https://opayo.example/access/access.htm",
        service_url="https://opayo.example/gateway/service",
        reporting_user="reports",
        reporting_password="S3cret-Pw",
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.mark.parametrize(
    ("algorithm", "digest"),
    [
        ("md5", "312e7d203ed71de0ee89c62a82ad15db"),
        ("sha256", "2dbc7e89716063a42c5fd2245063f7358f264d7b086af8b7184fbb50ffaa91ce"),
    ],
)
def test_reporting_requests_carry_the_published_signatures(algorithm: str, digest: str) -> None:
    settings = config(reporting_algorithm=algorithm)
    xml = signed_xml(settings, "getTransactionDetail", {"vendortxcode": "INV-1001-A1"})
    assert xml.endswith(f"<signature>{digest}</signature></vspaccess>")
    assert "S3cret-Pw" not in xml


def test_what_is_signed_is_escaped_as_it_is_sent() -> None:
    settings = config(reporting_password="a&b", reporting_user="r<s")
    xml = signed_xml(settings, "version", {})
    signed = "<command>version</command><vendor>sandboxvendor</vendor><user>r&lt;s</user>"
    digest = hashlib.md5(f"{signed}<password>a&amp;b</password>".encode()).hexdigest()
    assert xml == f"<vspaccess>{signed}<signature>{digest}</signature></vspaccess>"
