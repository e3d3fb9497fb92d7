"""What Opayo accepts: limits, characters, and how our text is made to fit before it is refused.

Opayo rejects a field that is too long rather than cutting it, so we transliterate, strip and cut first.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

from integration.canonical.money import Money, exponent
from integration.canonical.party import Party, PostalAddress
from integration.errors import CardDataRefused, InvalidPayment, Misconfigured

NAME, ADDRESS, CITY, POSTCODE, EMAIL, DESCRIPTION, REPEAT_DESCRIPTION = 20, 50, 40, 10, 80, 100, 40

_VENDOR_TX_CODE = re.compile(r"[A-Za-z0-9._{}-]{1,40}")
_TRANSACTION_ID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_PHONE = re.compile(r"\+\d{7,18}")
_EMAIL = re.compile(r"[!-~]+@[!-~]+\.[!-~]+")
_REFUSED = re.compile(r"[\x00-\x1f\x7f-\x9f<>\\|^~\[\]]")
_DIGITS = re.compile(r"(?<![\w-])(?:\d[ -]?){12,18}\d(?![\w-])")
_PLAIN = str.maketrans(
    {
        "Œ": "OE", "œ": "oe", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "ı": "i", "Ħ": "H", "ħ": "h", "Ŋ": "N",
        "ŋ": "n", "ẞ": "SS", "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-",
        "−": "-", "…": "...", "€": "EUR", "•": "*", "\t": " ", "\n": " ", "\r": " ",
    }
)  # fmt: skip

# Members that hold card data in any of Opayo's interfaces, without case or punctuation.
_CARD_MEMBERS = frozenset(
    [
        "cardnumber",
        "securitycode",
        "cv2",
        "cvv",
        "cvv2",
        "cvc",
        "cvc2",
        "pan",
        "track1",
        "track2",
        "carddetails",
        "cardholdername",
    ]
)


def clean(text: str, limit: int) -> str:
    r"""Text in Latin-1 without control characters and `<>\|^~[]`, blanks collapsed, cut to a length."""
    kept = []
    for char in text.translate(_PLAIN):
        plain = char if ord(char) < 256 else unicodedata.normalize("NFKD", char)
        kept.append("".join(part for part in plain if ord(part) < 256))
    collapsed = " ".join(_REFUSED.sub("", "".join(kept)).split())
    return collapsed[:limit].rstrip()


def vendor_tx_code(text: str) -> str:
    """A vendor transaction code as it is: changing it would break the look-up.

    Raises:
        InvalidPayment: longer than 40, empty, or with other characters than letters, digits and `-._{}`.
    """
    if not _VENDOR_TX_CODE.fullmatch(text):
        raise InvalidPayment(
            f"{text[:60]!r} is not a vendor transaction code",
            code="opayo.vendor-tx-code",
            hint="Use 1 to 40 letters, digits and the characters - . _ { }.",
        )
    return text


def transaction_id(text: str) -> str:
    """Opayo's id of a transaction, upper case and without braces, as all its interfaces agree on it.

    Raises:
        InvalidPayment: not such an id.
    """
    plain = text.strip().strip("{}").upper()
    if not _TRANSACTION_ID.fullmatch(plain):
        raise InvalidPayment(f"{text[:60]!r} is not an Opayo transaction id", code="opayo.transaction-id")
    return plain


def minor_units(amount: Money, *, zero_allowed: bool = False) -> int:
    """The amount as Opayo's JSON wants it.

    Raises:
        InvalidPayment: negative, or zero where money is to move.
        Misconfigured: a currency of three decimals, whose treatment by Opayo nobody has documented.
    """
    if exponent(amount.currency) == 3:
        raise Misconfigured(
            f"{amount.currency} has three decimals, and how Opayo reads them is not documented",
            code="opayo.currency",
            hint="Take the payment in another currency.",
        )
    if amount.minor < 0 or (amount.minor == 0 and not zero_allowed):
        raise InvalidPayment(f"{amount} cannot be sent to Opayo: it must be above zero", code="opayo.amount")
    return amount.minor


def person(customer: Party) -> tuple[str, str]:
    """First and last name within limits; a company or a name in letters Opayo refuses still gets one."""
    first = clean(customer.first_name, NAME)
    last = clean(customer.last_name, NAME) or clean(customer.company, NAME)
    return first or last or "Customer", last or first or "Customer"


def email(text: str) -> str:
    """The address, or nothing: a payment does not fail for an odd e-mail address."""
    plain = text.strip()
    return plain if len(plain) <= EMAIL and _EMAIL.fullmatch(plain) else ""


def phone(text: str) -> str:
    """`+` with country code and number, or nothing: Opayo refuses local forms."""
    digits = re.sub(r"[\s().\-/]", "", text)
    digits = "+" + digits[2:] if digits.startswith("00") else digits
    return digits if _PHONE.fullmatch(digits) else ""


def street(address: PostalAddress) -> tuple[str, str, str]:
    """The three address lines; the first is mandatory, and its digits are what AVS compares."""
    lines = [cleaned for line in address.lines if (cleaned := clean(line, ADDRESS))]
    if locality := clean(address.locality, ADDRESS):
        lines.append(locality)
    first, second, third = [*lines, "", "", ""][:3]
    return first or clean(address.city, ADDRESS) or "Not given", second, third


def city(address: PostalAddress) -> str:
    """The town, which is mandatory."""
    return clean(address.city, CITY) or "Not given"


def country(address: PostalAddress) -> str:
    """ISO 3166-1 alpha-2; this gateway's merchants are British, so an unknown country is `GB`."""
    return address.country.upper() if re.fullmatch(r"[A-Za-z]{2}", address.country) else "GB"


def postcode(address: PostalAddress) -> str:
    """Letters, digits, blanks and hyphens; mandatory except in Ireland, where its absence is normal."""
    plain = re.sub(r"[^A-Za-z0-9 -]", "", clean(address.postcode, 40))[:POSTCODE].strip()
    return plain or ("" if country(address) == "IE" else "000")


def state(address: PostalAddress) -> str:
    """The US state; Opayo refuses one for any other country."""
    region = address.region.strip().upper()
    return region if country(address) == "US" and re.fullmatch(r"[A-Z]{2}", region) else ""


def refuse_card_data(value: object, where: str = "") -> None:
    """The last guard before the wire: nothing that looks like a card's secrets leaves this process.

    Raises:
        CardDataRefused: a member named like card data, or text with a card number in it.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            name = re.sub(r"[^a-z0-9]", "", str(key).lower())
            if name in _CARD_MEMBERS:
                raise CardDataRefused(f"The request holds card data in {where}{key}")
            refuse_card_data(inner, f"{where}{key}.")
    elif isinstance(value, str):
        if any(_luhn(match.group()) for match in _DIGITS.finditer(value)):
            raise CardDataRefused(f"The request holds what looks like a card number in {where.rstrip('.')}")
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        for inner in value:
            refuse_card_data(inner, where)


def mask_digits(text: str) -> str:
    """Text with every long run of digits struck out, for errors that quote the gateway."""
    return re.sub(r"\d(?:[ -]?\d){11,}", "…", text)


def _luhn(text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
