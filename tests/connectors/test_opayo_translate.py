"""Captured bodies of the Pi API, its three error shapes, and text made to fit."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.money import Money
from integration.canonical.party import Party, PostalAddress
from integration.canonical.payment import GatewayState
from integration.errors import (
    CardDataRefused,
    InvalidPayment,
    Misconfigured,
)
from integration.opayo import schema, translate
from integration.opayo.translate import Known
from integration.opayo.uk_time import utc
from integration.opayo.vocabulary import state_of, tx_state
from integration.opayo.wire import PiTransaction
from integration.ports import RelatedRequest

CAPTURED = b"""{"statusCode":"0000","statusDetail":"The Authorisation was Successful.",
 "transactionId":"31B6D72B-855E-902C-6A1B-DCD4435F859B","transactionType":"Payment",
 "retrievalReference":7470134,"bankResponseCode":"00","bankAuthorisationCode":"999777",
 "paymentMethod":{"card":{"cardType":"Visa","lastFourDigits":"5559","expiryDate":"1122",
 "cardIdentifier":"6DCF","reusable":false}},
 "amount":{"totalAmount":1000,"saleAmount":1000,"surchargeAmount":0},"currency":"GBP","fiRecipient":{},
 "status":"Ok","avsCvcCheck":{"status":"NotChecked","address":"NotProvided","postalCode":"NotProvided",
 "securityCode":"NotProvided"},"3DSecure":{"status":"CardNotEnrolled"}}"""


def read(body: bytes) -> PiTransaction:
    return msgspec.json.decode(body, type=PiTransaction)


def test_a_captured_body_is_read_whole() -> None:
    told = translate.transaction(read(CAPTURED), Known())
    assert told is not None
    assert (told.kind, told.state, told.amount) == ("payment", "captured", Money(1000, "GBP"))
    assert told.retrieval_reference == "7470134"
    assert (told.card.scheme, told.card.last_four) == ("Visa", "5559")
    assert told.checks.three_d_secure == "CardNotEnrolled"
    assert told.checks.avs_cv2 == "NotChecked"
    assert (told.bank_response_code, told.bank_authorisation_code) == ("00", "999777")


def test_numbers_where_text_is_documented_are_read_as_text() -> None:
    body = CAPTURED.replace(b'"statusCode":"0000"', b'"statusCode":0').replace(b'"00"', b'"00"')
    told = translate.transaction(read(body.replace(b"7470134", b'"7470134"')), Known())
    assert told is not None
    assert (told.status_code, told.retrieval_reference) == ("0000", "7470134")


def test_a_failed_challenge_without_a_type_is_rejected() -> None:
    body = CAPTURED.replace(b'"transactionType":"Payment",', b"").replace(b'"0000"', b'"2001"')
    told = translate.transaction(read(body.replace(b'"status":"Ok"', b'"status":"Rejected"')), Known())
    assert told is not None
    assert (told.kind, told.state) == ("unknown", "rejected")


def test_an_ok_without_a_type_is_not_taken_for_money() -> None:
    body = CAPTURED.replace(b'"transactionType":"Payment",', b"")
    assert translate.transaction(read(body), Known()) is None
    assert translate.transaction(read(body), Known(kind="payment")) is not None


def test_new_words_and_members_are_tolerated() -> None:
    body = CAPTURED.replace(b'"status":"Ok"', b'"status":"Pondering","novelty":[1]')
    told = translate.transaction(read(body), Known())
    assert told is not None
    assert (told.state, told.status) == ("unknown", "unknown:Pondering")


@pytest.mark.parametrize(
    ("status", "code", "kind", "state"),
    [
        ("Ok", "0000", "payment", "captured"),
        ("Ok", "0000", "deferred", "held"),
        ("Ok", "2004", "deferred", "captured"),
        ("Ok", "2005", "payment", "voided"),
        ("Ok", "2006", "deferred", "aborted"),
        ("Authenticated", "2010", "authenticate", "authenticated"),
        ("Registered", "2011", "authenticate", "authenticated"),
        ("Authenticated", "2012", "authenticate", "cancelled"),
        ("NotAuthed", "2000", "payment", "declined"),
        ("Rejected", "4026", "payment", "rejected"),
        ("3DAuth", "2021", "unknown", "pending"),
        ("Redirect", "2023", "payment", "pending"),
        ("Pending", "2019", "payment", "pending"),
        ("Invalid", "3123", "payment", "failed"),
        ("Error", "9999", "payment", "unknown"),
    ],
)
def test_status_and_code_decide_together(status: str, code: str, kind: str, state: GatewayState) -> None:
    assert state_of(status, code, kind) == state  # type: ignore[arg-type]


def test_only_two_reporting_states_are_captured_money() -> None:
    captured = [number for number in range(-1, 40) if tx_state(number)[0] == "captured"]
    assert captured == [16, 29]
    assert tx_state(23)[0] == "settlement-failed"
    assert tx_state(31) == ("unknown", "unknown:txstate-31")


# --- text -----------------------------------------------------------------------------------------

ANY_TEXT = st.text(max_size=80)


@given(ANY_TEXT, st.integers(1, 50))
def test_cleaned_text_always_fits_and_cleaning_again_changes_nothing(text: str, limit: int) -> None:
    cleaned = schema.clean(text, limit)
    assert len(cleaned) <= limit
    assert len(cleaned.encode("latin-1")) == len(cleaned)
    assert not re.search(r"[\x00-\x1f<>\\|^~\[\]]|  |^ | $", cleaned)
    assert schema.clean(cleaned, limit) == cleaned


@given(st.builds(Party, first_name=ANY_TEXT, last_name=ANY_TEXT, company=ANY_TEXT))
def test_everybody_has_a_first_and_a_last_name(customer: Party) -> None:
    for name in schema.person(customer):
        assert 1 <= len(name) <= 20


@given(
    st.builds(
        PostalAddress,
        lines=st.lists(ANY_TEXT, max_size=5).map(tuple),
        city=ANY_TEXT,
        region=ANY_TEXT,
        postcode=ANY_TEXT,
        country=st.sampled_from(["GB", "IE", "US", "", "??"]),
    )
)
def test_every_address_fits(address: PostalAddress) -> None:
    first, second, third = schema.street(address)
    assert first
    assert max(map(len, (first, second, third))) <= 50
    assert 1 <= len(schema.city(address)) <= 40
    postcode = schema.postcode(address)
    assert re.fullmatch(r"[A-Za-z0-9 -]{0,10}", postcode)
    assert postcode or address.country == "IE"
    assert not schema.state(address) or address.country == "US"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Łódź–Œuvre", "Lódz-OEuvre"),
        ("  a\tb\n c ", "a b c"),
        ("Café crème", "Café crème"),
        ("日本", ""),
        ("O’Neill <x>", "O'Neill x"),
    ],
)
def test_text_is_transliterated(text: str, cleaned: str) -> None:
    assert schema.clean(text, 50) == cleaned


@pytest.mark.parametrize(
    ("given_text", "sent"),
    [("+44 (0)20", ""), ("0044 20 7946 0000", "+442079460000"), ("020 7946 0000", ""), ("", "")],
)
def test_a_local_telephone_number_is_left_out(given_text: str, sent: str) -> None:
    assert schema.phone(given_text) == sent


@pytest.mark.parametrize("code", ["", "a" * 41, "SO 1", "SO/1", "SÖ-1"])
def test_a_vendor_transaction_code_is_never_changed_to_fit(code: str) -> None:
    with pytest.raises(InvalidPayment):
        schema.vendor_tx_code(code)


def test_a_three_decimal_currency_is_blocked() -> None:
    with pytest.raises(Misconfigured):
        schema.minor_units(Money(1_000, "KWD"))


@pytest.mark.parametrize(
    "extra",
    [
        {"cv2": "123"},
        {"a": {"Security_Code": "123"}},
        {"list": [{"cardNumber": 1}]},
        {"note": "card 4929-0000-0000-6 please"},
    ],
)
def test_card_data_is_refused_wherever_it_hides(extra: dict[str, object]) -> None:
    with pytest.raises(CardDataRefused):
        schema.refuse_card_data(extra)


def test_ids_and_order_numbers_are_no_card_data() -> None:
    schema.refuse_card_data(
        {"acsTransID": "4929f000-0000-0000-6000-492900000000", "acctID": "ORDER-4929000000006-A"}
    )


def related(**changes: object) -> RelatedRequest:
    request = RelatedRequest(
        kind="refund",
        vendor_tx_code="SO-1-R1",
        related_transaction_id="{31b6d72b-855e-902c-6a1b-dcd4435f859b}",
        amount=Money(500, "GBP"),
        description="x" * 90,
    )
    return msgspec.structs.replace(request, **changes)


def test_only_a_repeat_names_its_currency_and_is_cut_at_forty() -> None:
    refund = msgspec.json.decode(translate.related_body(related()))
    repeat = msgspec.json.decode(translate.related_body(related(kind="repeat")))
    assert "currency" not in refund
    assert refund["referenceTransactionId"] == "31B6D72B-855E-902C-6A1B-DCD4435F859B"
    assert refund["amount"] == 500
    assert (repeat["currency"], len(repeat["description"])) == ("GBP", 40)


def test_further_members_never_replace_our_own() -> None:
    with pytest.raises(InvalidPayment):
        translate.related_body(related(extra={"amount": 1}))
    with pytest.raises(InvalidPayment):
        translate.related_body(related(extra={"currency": "USD"}))


def test_a_refund_of_nothing_is_refused_before_it_is_sent() -> None:
    with pytest.raises(InvalidPayment):
        translate.related_body(related(amount=Money(0, "GBP")))


def test_created_times_are_utc() -> None:
    assert utc("04/06/2013 11:45:32.120") == datetime(2013, 6, 4, 10, 45, 32, 120_000, tzinfo=UTC)
    # The repeated hour: the first occurrence, still in summer time.
    assert utc("27/10/2013 01:30:00") == datetime(2013, 10, 27, 0, 30, tzinfo=UTC)
    assert utc("2013-11-04") is None
