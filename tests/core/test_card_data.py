"""Card numbers: none survives, and nothing else is touched."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from integration.errors import CardDataRefused
from service.core.card_data import find_cards, mask, mask_bytes, refuse
from service.core.card_numbers import is_card_number

GATEWAY_TEST_CARDS = [
    "4929000000006",
    "4484000000002",
    "4462000000000003",
    "5186150660000009",
    "6759000000005",
    "6705000000008",
    "6766000000000",
    "374200000000004",
    "36000000000008",
    "3569990000000009",
    "4929602110085639",
]

SHAPES = [("4", 16), ("4", 13), ("4", 19), ("51", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15)]
SHAPES += [
    ("36", 14),
    ("305", 14),
    ("3528", 16),
    ("6011", 16),
    ("65", 19),
    ("62", 18),
    ("6759", 13),
    ("5018", 16),
]


@st.composite
def card(draw: st.DrawFn) -> str:
    prefix, size = draw(st.sampled_from(SHAPES))
    body = prefix + draw(
        st.text("0123456789", min_size=size - len(prefix) - 1, max_size=size - len(prefix) - 1)
    )
    return next(body + check for check in "0123456789" if is_card_number(body + check))


@st.composite
def spaced(draw: st.DrawFn) -> tuple[str, str]:
    """A card number, and the way somebody wrote it."""
    number = draw(card())
    style = draw(st.sampled_from(["plain", "fours", "printed", "anyhow"]))
    if style == "plain":
        return number, number
    if style == "anyhow":  # spaces may stand anywhere
        return number, "".join(digit + " " * draw(st.integers(0, 2)) for digit in number).rstrip()
    separator = draw(st.sampled_from([" ", "-", ".", "\u00a0", " - "]))
    if style == "printed" and len(number) == 15:
        return number, separator.join([number[:4], number[4:10], number[10:]])
    return number, separator.join(number[at : at + 4] for at in range(0, len(number), 4))


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def is_apart(before: str, written: str, after: str) -> bool:
    """Whether the number stands for itself: no further digit, no fraction, no long hexadecimal id around it."""
    if before[-1:].isdecimal() or after[:1].isdecimal() or before.endswith("0."):
        return False
    return not re.search(r"[0-9A-Fa-f]{24}", before[-24:] + written + after[:24])


@given(st.text(), spaced(), st.text())
@example("\\n", ("4929000000006", "4929000000006"), "\\n")
@example("%20", ("4929000000006", "4929000000006"), "%20")
@example("1 4000 ", ("4929000000006", "4929 0000 0000 6"), " 0000")
def test_no_card_number_survives_wherever_and_however_it_is_written(
    before: str, written: tuple[str, str], after: str
) -> None:
    number, shown = written
    # What an escape adds in front belongs to the escape, not to the number.
    assume(is_apart(re.sub(r"%[0-9A-Fa-f]{2}\Z", "", before), shown, after))
    assume(
        not after.startswith((" ", "-", ".", "_", "+"))
        or not re.match(r"\W{1,3}\d", after)
        or "-" not in shown
    )

    assert number not in digits(mask(before + shown + after))


@given(st.text(), spaced(), st.text())
@example("411830424487", ("", "4316 0000 0000 0001"), "")
def test_masking_twice_is_masking_once(before: str, written: tuple[str, str], after: str) -> None:
    once = mask(before + written[1] + after)

    assert mask(once) == once


@given(st.text())
@example("DB79BA2D-05DA-5285-1881-293163312345 0000000001006732")
def test_a_text_without_long_numbers_or_sensitive_members_is_unchanged(text: str) -> None:
    assume(len(digits(text)) < 13 or "DB79" in text)
    assume(not re.search("card|code|cv|track|pin|cid", text, re.IGNORECASE))

    assert mask(text) == text


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.booleans(), card().map(int), card(), st.none())))
def test_json_stays_json_with_the_same_members(document: dict[str, object]) -> None:
    masked = json.loads(mask(json.dumps(document)))

    assert len(masked) <= len(document)
    assert not any(is_card_number(str(value)) for value in masked.values())


@given(card())
def test_escapes_hide_nothing(number: str) -> None:
    percent = "".join(f"%3{digit}" for digit in number)
    unicode = "".join(f"\\u003{digit}" for digit in number)
    entity = "".join(f"&#{48 + int(digit)};" for digit in number)
    form = f"note={quote(json.dumps({'number': number}))}"
    twice = quote(form)

    for text in (
        percent,
        unicode,
        entity,
        form,
        twice,
        f"<c>{number}</c>",
        f"%20{number}",
        f"&nbsp;{number}&#x20;",
    ):
        assert find_cards(text)
        assert mask(text).endswith(number[-4:]) or f"*{number[-4:]}" in mask(text)
        assert not find_cards(mask(text))


def test_escapes_of_escapes_are_read_down_to_the_eighth() -> None:
    text = '"4929000000006"'
    for _ in range(8):
        text = quote(text)
        assert find_cards(text)

    assert mask("%" + "25" * 40) == "%" + "25" * 40


@pytest.mark.parametrize("number", GATEWAY_TEST_CARDS)
def test_the_gateways_test_cards_are_card_numbers(number: str) -> None:
    assert mask(f"paid by {number}, thanks") == f"paid by {'*' * (len(number) - 4)}{number[-4:]}, thanks"


@pytest.mark.parametrize(
    "text",
    [
        "DB79BA2D-05DA-5B85-D188-1293D16BBAC7",
        "49290000-0000-4006-8111-111111111111",
        "DB79BA2D-4929-0000-0000-600000000000",
        "4929ABCD4929000000006ABCDEFABCDEF0123",  # a hexadecimal id with a card's digits in it
        "000000000100673",
        "0004929000000006",
        "2025/06/0000000166",
        "2025-06-01T09:30:00.000Z",
        "1732528123000 20251125100522123 1732528123000000000",
        "400000012-1732528125",  # an order number and a time
        "0.4532015112830366",
        '{"amount":1000,"price":"1234567.89"}',
        '{"sku":"4006381333931"}',
        "4929000000007",  # wrong check digit
        "9929000000006",
        "41111111111111111111111",  # too long for a card
        "12.5 4929",
    ],
)
def test_look_alikes_are_left_alone(text: str) -> None:
    assert mask(text) == text
    refuse(text)


def test_an_article_key_does_not_shelter_a_card_number() -> None:
    assert mask('{"sku":"4929000000006"}') == '{"sku":"*********0006"}'


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"securityCode":"123"}', '{"securityCode":"****"}'),
        ('{"cvv": 123, "x": 1}', '{"cvv": "****", "x": 1}'),
        ('{"cv2":"1\\"2"}', '{"cv2":"****"}'),
        ('{"cvc":["1","2"],"track2":{"a":1}}', '{"cvc":"****","track2":"****"}'),
        ('{"a":"{\\"cvv\\":\\"123\\"}"}', '{"a":"{\\"cvv\\":\\"****\\"}"}'),
        ("{'CV2': '123'}", "{'CV2': '****'}"),
        ("CV2=123&CardType=VISA", "CV2=****&CardType=VISA"),
        ("%22cvv%22%3A%22123%22", "%22cvv%22%3A%22****%22"),
        ("&quot;cvv&quot;:&quot;123&quot;", "&quot;cvv&quot;:&quot;****&quot;"),
        ("<CardNumber>4929 00</CardNumber>", "<CardNumber>****</CardNumber>"),
        ("<CV2><![CDATA[123]]></CV2>", "<CV2>****</CV2>"),
        ('<p:track1 a="b">%B49</p:track1>', '<p:track1 a="b">****</p:track1>'),
        ('<card cv2="123"/>', '<card cv2="****"/>'),
        ('{"pin":"0000"}', '{"pin":"****"}'),
    ],
)
def test_sensitive_members_are_hidden_whatever_they_hold(text: str, masked: str) -> None:
    assert mask(text) == masked
    assert mask(masked) == masked
    with pytest.raises(CardDataRefused):
        refuse(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"avsCvcCheck":{"securityCode":"Matched","address":"NotMatched"}}',
        "CV2Result=MATCHED&CV2=NOTPROVIDED",
        "<securityCode>NotChecked</securityCode>",
        '{"cvv": null}',
        '{"trackingNumber":"AB 123"}',
        "the shipping code is in the card, pin it to the tracker",
    ],
)
def test_results_of_checks_and_ordinary_words_are_no_secrets(text: str) -> None:
    assert mask(text) == text


def test_a_bare_json_number_becomes_a_text_and_the_document_stays_readable() -> None:
    body = b'{"n": -4929000000006.00, "list": [4462000000000003], "s": "to 4929 0000 0000 6"}'

    assert json.loads(mask_bytes(body)) == {
        "n": "*********0006",
        "list": ["************0003"],
        "s": "to *********0006",
    }


def test_two_finds_in_one_json_number_hide_it_once() -> None:
    assert json.loads(mask('{"n": [4929000000006.4929000000006, -1]}')) == {"n": ["*********0006", -1]}


def test_numbers_that_overlap_are_hidden_together() -> None:
    overlapping = "4111 1111 1111 1111 4111 1111 1111 1111"

    assert mask(overlapping).count("1111") == 2
    assert not find_cards(mask(overlapping))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_a_body_keeps_its_encoding(encoding: str) -> None:
    body = "<name>Zoë</name><card>4929000000006</card>".encode(encoding)

    assert mask_bytes(body).decode(encoding) == "<name>Zoë</name><card>*********0006</card>"
    plain = "Zoë".encode(encoding)
    assert mask_bytes(plain) is plain


def test_a_refusal_says_how_many_and_never_which() -> None:
    with pytest.raises(CardDataRefused) as refused:
        refuse("4929000000006 or 4462000000000003")

    assert refused.value.evidence == {"card_numbers": 2}
    assert "4929" not in str(refused.value)


def test_a_guid_whose_parts_look_like_a_card_number_is_left_alone_and_the_number_by_itself_is_not() -> None:
    guid = "ABCDEF12-4929-8353-5153-2923ABCDEF12"

    assert mask(f'{{"transactionId":"{guid}"}}') == f'{{"transactionId":"{guid}"}}'
    assert "8353" not in mask("card 4929-8353-5153-2923")
    assert mask(f"{guid}, card 4929-8353-5153-2923").startswith(f"{guid}, card ****")
