"""Pi's checks of a request body: which fields must be there, how long, of what form."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from integration.sandbox.opayo.wire import Body, Json, Response, json_reply

CODE = re.compile(r"[A-Za-z0-9\-._{}]{1,40}")
_POSTCODE = re.compile(r"[A-Za-z0-9 \-]*")
_PHONE = re.compile(r"\+[0-9]{1,18}")
_LAST_LATIN = 0x24F
_CURRENCY = re.compile(r"[A-Z]{3}")
_SETTLEMENT = re.compile(r"[A-Za-z0-9]*")
_MODES = ("UseMSPSetting", "Force", "Disable", "ForceIgnoringRules")
_ENTRY = ("Ecommerce", "MailOrder", "TelephoneOrder", "ContinuousAuthority")
_MIT = (
    "Instalment",
    "Recurring",
    "Unscheduled",
    "Incremental",
    "DelayedCharge",
    "NoShow",
    "Reauthorisation",
    "Resubmission",
)

MISSING, LENGTH, CHARACTERS, INVALID, CURRENCY, INTEGER = 1003, 1004, 1005, 1009, 1010, 1016
_TEXTS = {
    MISSING: "Missing mandatory field",
    LENGTH: "Invalid length",
    CHARACTERS: "Contains invalid characters",
    INVALID: "Contains invalid value",
    CURRENCY: "The currency does not exist",
    INTEGER: "The parameter must be an integer",
    1007: "The card number is invalid",
    1015: "The entity is empty",
    2226: "The expiry date is in the past",
}


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of ``errors[]``; ``clientMessage`` is for the shopper."""

    code: int | str
    property: str
    description: str
    clientMessage: str = ""  # noqa: N815 - Pi's own name


class TransactionStyleError(Exception):
    """A validation failure Pi words like a transaction: ``status`` Invalid with a classic code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Checker:
    """Collects the problems of one body; paths use dots (``billingAddress.city``)."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self.problems: list[Problem] = []

    def fail(self, path: str, code: int) -> None:
        """Note a problem with a field."""
        noun = path.rpartition(".")[2]
        message = f"The {noun} is required" if code == MISSING else ""
        self.problems.append(Problem(code, path, _TEXTS[code], message))

    def get(self, path: str) -> Json:
        """The value at a path, None when anything on the way is missing."""
        value: Json = self.body
        for part in path.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    def text(
        self, path: str, limit: int, required: bool = False, pattern: re.Pattern[str] | None = None
    ) -> str:
        """Check a text field and return it, empty when absent or wrong."""
        value = self.get(path)
        if value is None or value == "":
            if required:
                self.fail(path, MISSING)
            return ""
        if not isinstance(value, str):
            self.fail(path, INVALID)
        elif len(value) > limit:
            self.fail(path, LENGTH)
        elif not _written_with(value, pattern):
            self.fail(path, CHARACTERS)
        else:
            return value
        return ""

    def choice(self, path: str, allowed: Iterable[str], required: bool = False) -> str:
        """Check an enumerated field and return it."""
        value = self.get(path)
        if value is None:
            if required:
                self.fail(path, MISSING)
            return ""
        if value not in tuple(allowed):
            self.fail(path, INVALID)
            return ""
        return str(value)

    def amount(self, minimum: int, path: str = "amount") -> int:
        """Check an amount: a JSON integer of minor units, at least ``minimum``."""
        value = self.get(path)
        if value is None:
            self.fail(path, MISSING)
            return 0
        if isinstance(value, bool) or not isinstance(value, int):
            self.fail(path, INTEGER)
            return 0
        if not minimum <= value <= 10_000_000_00:
            self.fail(path, INVALID)
        return value

    def currency(self, known: Iterable[str]) -> str:
        """Check the currency's form and that it exists."""
        value = self.get("currency")
        if value is None:
            self.fail("currency", MISSING)
        elif not isinstance(value, str) or not _CURRENCY.fullmatch(value) or value not in tuple(known):
            self.fail("currency", CURRENCY)
        else:
            return value
        return ""

    def reply(self, strings: bool) -> Response | None:
        """The 422 with every problem found, or None."""
        if not self.problems:
            return None
        listed = [msgspec.structs.replace(p, code=str(p.code)) if strings else p for p in self.problems]
        return json_reply(422, {"errors": listed})


def _written_with(value: str, pattern: re.Pattern[str] | None) -> bool:
    if pattern is not None and not pattern.fullmatch(value):
        return False
    return all(32 <= ord(character) <= _LAST_LATIN for character in value)


def check_sale(check: Checker, currencies: Iterable[str]) -> None:
    """Check a Payment, Deferred or Authenticate."""
    kind = check.get("transactionType")
    check.text("vendorTxCode", 40, True, CODE)
    check.amount(0 if kind == "Authenticate" else 1)
    check.currency(currencies)
    check.text("description", 100, True)
    check.text("settlementReferenceText", 30, pattern=_SETTLEMENT)
    check.text("customerFirstName", 20, True)
    check.text("customerLastName", 20, True)
    check.text("customerEmail", 80)
    check.text("referrerId", 40)
    for phone in ("customerPhone", "customerMobilePhone", "customerWorkPhone"):
        check.text(phone, 19, pattern=_PHONE)
    check.choice("entryMethod", _ENTRY)
    check.choice("apply3DSecure", _MODES)
    check.choice("applyAvsCvcCheck", _MODES)
    _check_billing(check)
    check_shipping(check)
    _check_authentication(check)


def _check_billing(check: Checker) -> None:
    if not isinstance(check.get("billingAddress"), dict):
        check.fail("billingAddress", MISSING)
        return
    check.text("billingAddress.address1", 50, True)
    check.text("billingAddress.address2", 50)
    check.text("billingAddress.address3", 50)
    check.text("billingAddress.city", 40, True)
    country = check.text("billingAddress.country", 2, True)
    check.text("billingAddress.postalCode", 10, country != "IE", _POSTCODE)
    state = check.text("billingAddress.state", 2, country == "US")
    if state and country != "US":
        check.fail("billingAddress.state", INVALID)


def check_shipping(check: Checker) -> None:
    """Check ``shippingDetails`` when present; too long a line is said in transaction style, as Pi does.

    Raises:
        TransactionStyleError: codes 3123 and 3125.
    """
    if check.get("shippingDetails") is None:
        return
    for line, code in (("shippingAddress1", "3123"), ("shippingAddress2", "3125")):
        value = check.get(f"shippingDetails.{line}")
        if isinstance(value, str) and len(value) > 50:
            number = line[-1]
            raise TransactionStyleError(code, f"The DeliveryAddress{number} value is too long")
    for name, limit in (("recipientFirstName", 20), ("recipientLastName", 20), ("shippingAddress1", 50)):
        check.text(f"shippingDetails.{name}", limit, True)
    check.text("shippingDetails.shippingCity", 40, True)
    country = check.text("shippingDetails.shippingCountry", 2, True)
    check.text("shippingDetails.shippingPostalCode", 10, country != "IE", _POSTCODE)
    check.text("shippingDetails.shippingState", 2, country == "US")


def _check_authentication(check: Checker) -> None:
    sca = check.get("strongCustomerAuthentication")
    forced = check.get("apply3DSecure") in {"Force", "ForceIgnoringRules"}
    if not isinstance(sca, dict):
        if forced and check.get("entryMethod") in {None, "Ecommerce"}:
            check.fail("strongCustomerAuthentication", MISSING)
        return
    root = "strongCustomerAuthentication."
    url = check.text(root + "notificationURL", 256, True)
    if url and not re.match(r"https?://[^/]*\.[^/]*", url):
        check.fail(root + "notificationURL", INVALID)
    check.text(root + "browserIP", 39, True)
    check.text(root + "browserAcceptHeader", 2048, True)
    check.text(root + "browserLanguage", 8, True)
    check.text(root + "browserUserAgent", 2048, True)
    check.choice(root + "challengeWindowSize", ("Small", "Medium", "Large", "ExtraLarge", "FullScreen"), True)
    if not isinstance(check.get(root + "browserJavascriptEnabled"), bool):
        check.fail(root + "browserJavascriptEnabled", MISSING)


def check_credential(check: Checker, subsequent: bool) -> None:
    """Check ``credentialType``; a Repeat must be a subsequent, merchant-initiated use."""
    if not isinstance(check.get("credentialType"), dict):
        check.fail("credentialType", MISSING)
        return
    check.choice("credentialType.cofUsage", ("Subsequent",) if subsequent else ("First", "Subsequent"), True)
    kind = check.choice("credentialType.initiatedType", ("MIT",) if subsequent else ("CIT", "MIT"), True)
    mit = check.choice("credentialType.mitType", _MIT, kind == "MIT")
    if mit in {"Recurring", "Instalment"}:
        check.text("credentialType.recurringExpiry", 8, kind == "MIT")
        check.text("credentialType.recurringFrequency", 4, kind == "MIT")
    if mit == "Instalment":
        check.text("credentialType.purchaseInstalData", 3, kind == "MIT")


def check_follow(check: Checker, kind: str, currencies: Iterable[str], refuse_currency: bool) -> None:
    """Check a Repeat, Refund or Authorise."""
    check.text("referenceTransactionId", 38, True)
    check.text("vendorTxCode", 40, True, CODE)
    check.amount(1)
    check.text("description", 40 if kind == "Repeat" else 100, True)
    if kind == "Repeat":
        check.currency(currencies)
        check_shipping(check)
    elif refuse_currency and check.get("currency") is not None:
        check.fail("currency", INVALID)
