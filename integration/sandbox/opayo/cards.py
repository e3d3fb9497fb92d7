"""The published test cards and magic names, and what each makes the gateway answer."""

from __future__ import annotations

import msgspec

_VISA = (
    "4929000000006",
    "4929000005559",
    "4929000000014",
    "4929000000022",
    "4484000000002",
    "4929602110085639",
)
_MASTERCARD = (
    "5186150660000009",
    "5186150660000025",
    "5186150660000108",
    "5186150660000207",
    "5403814948608092",
    "5404000000000001",
    "5404000000000043",
    "5404000000000084",
    "5404000000000068",
)
_MAESTRO = ("6759000000005", "6705000000008", "5185570760000008", "6766000000000")

TEST_CARDS: dict[str, str] = {
    **dict.fromkeys(_VISA, "Visa"),
    "4462000000000003": "VisaDebit",
    "4917300000000008": "VisaElectron",
    **dict.fromkeys(_MASTERCARD, "MasterCard"),
    "5185690060000001": "DebitMasterCard",
    **dict.fromkeys(_MAESTRO, "Maestro"),
    "374200000000004": "AmericanExpress",
    "36000000000008": "Discover",
    "3569990000000009": "JCB",
}
"""Published test numbers with the ``cardType`` Pi returns. Nothing else is accepted."""

DECLINED = frozenset({"4929602110085639", "5403814948608092"})
"""Test numbers the bank declines."""

CLASSIC_TYPES = {
    "Visa": "VISA",
    "VisaDebit": "DELTA",
    "VisaElectron": "UKE",
    "MasterCard": "MC",
    "DebitMasterCard": "MCDEBIT",
    "Maestro": "MAESTRO",
    "AmericanExpress": "AMEX",
    "Discover": "DC",
    "JCB": "JCB",
}
"""Pi's card types in the words of Server, Direct and Reporting."""

MAGIC_NAMES = {
    "SUCCESSFUL": "Authenticated",
    "NOTAUTH": "NotAuthenticated",
    "CHALLENGE": "Challenge",
    "PROOFATTEMPT": "AttemptOnly",
    "TECHDIFFICULTIES": "Incomplete",
    "ERROR": "Error",
    "NOTENROLLED": "CardNotEnrolled",
    "REJECT": "NotAuthenticated",
}
"""Cardholder names that steer 3-D Secure; any other name fails it."""

CLASSIC_3DS = {
    "Authenticated": "OK",
    "NotChecked": "NOTCHECKED",
    "NotAuthenticated": "NOTAUTHED",
    "Error": "ERROR",
    "CardNotEnrolled": "NOTAVAILABLE",
    "IssuerNotEnrolled": "CANTAUTH",
    "AttemptOnly": "ATTEMPTONLY",
    "Incomplete": "INCOMPLETE",
}
"""Pi's 3-D Secure states in the classic words."""


class Card(msgspec.Struct):
    """A card as the stand-in keeps it: never its number nor its security code.

    Attributes:
        card_type: Pi's ``cardType``.
        last4: last four digits.
        expiry: ``MMYY``.
        declined: the bank declines it.
        name: cardholder's name, at most 45 characters.
        cv2: result of comparing the security code: Matched, NotMatched or NotProvided.
    """

    card_type: str
    last4: str
    expiry: str
    declined: bool
    name: str
    cv2: str = "NotProvided"


def read_card(number: str, expiry: str, name: str, security_code: str = "") -> Card | None:
    """Recognise a test card; None for any other number."""
    card_type = TEST_CARDS.get(number)
    if card_type is None:
        return None
    card = Card(card_type, number[-4:], expiry, number in DECLINED, name)
    card.cv2 = check_cv2(card_type, security_code)
    return card


def check_cv2(card_type: str, security_code: str) -> str:
    """Compare a security code with the test value: 1234 for American Express, 123 else."""
    if not security_code:
        return "NotProvided"
    wanted = "1234" if card_type == "AmericanExpress" else "123"
    return "Matched" if security_code == wanted else "NotMatched"


def three_d_secure(name: str) -> str:
    """What 3-D Secure ends with for this cardholder: a Pi status, or ``Challenge``."""
    return MAGIC_NAMES.get(name.strip().upper(), "NotAuthenticated")
