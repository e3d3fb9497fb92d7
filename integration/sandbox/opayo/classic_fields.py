"""Fields of the classic protocols: what is mandatory, how long, and the code each failure has."""

from __future__ import annotations

import re

from integration.sandbox.opayo.money import minor
from integration.sandbox.opayo.validation import CODE
from integration.sandbox.opayo.wire import Response, name_values

PROTOCOLS = frozenset({"2.23", "3.00", "4.00"})

MISSING = {
    "VPSProtocol": "3095",
    "TxType": "3039",
    "Vendor": "3034",
    "VendorTxCode": "3009",
    "Amount": "3031",
    "Currency": "3045",
    "Description": "3013",
    "NotificationURL": "3076",
    "BillingSurname": "3107",
    "BillingFirstnames": "3109",
    "BillingAddress1": "3111",
    "BillingCity": "3114",
    "BillingPostCode": "3090",
    "BillingCountry": "3117",
    "DeliverySurname": "3118",
    "DeliveryFirstnames": "3120",
    "DeliveryAddress1": "3122",
    "DeliveryCity": "3126",
    "DeliveryPostCode": "3094",
    "DeliveryCountry": "3128",
    "VPSTxId": "3002",
    "SecurityKey": "3074",
    "TxAuthNo": "3072",
    "ReleaseAmount": "3102",
    "RelatedVPSTxId": "3010",
    "RelatedVendorTxCode": "3012",
    "RelatedSecurityKey": "3017",
    "RelatedTxAuthNo": "3007",
    "Token": "2018",
}
"""Code of a mandatory field that is absent or empty."""

_LIMITS = {
    "VendorTxCode": (40, "3080"),
    "Description": (100, "3082"),
    "NotificationURL": (255, "3037"),
    "BillingSurname": (20, "3108"),
    "BillingFirstnames": (20, "3110"),
    "BillingAddress1": (50, "3112"),
    "BillingAddress2": (50, "3113"),
    "BillingCity": (40, "3115"),
    "BillingPostCode": (10, "3016"),
    "DeliverySurname": (20, "3119"),
    "DeliveryFirstnames": (20, "3121"),
    "DeliveryAddress1": (50, "3123"),
    "DeliveryAddress2": (50, "3125"),
    "DeliveryPostCode": (10, "3025"),
}


class ClassicError(Exception):
    """A reply other than OK: MALFORMED, INVALID or ERROR with a four-digit code."""

    def __init__(self, status: str, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text

    def reply(self) -> Response:
        """The reply on the wire."""
        return status_reply(self.status, self.code, self.text)


def status_reply(status: str, code: str, text: str, more: dict[str, str] | None = None) -> Response:
    """``VPSProtocol``, ``Status`` and ``StatusDetail``, then what the service adds."""
    head = {"VPSProtocol": "4.00", "Status": status, "StatusDetail": f"{code} : {text}"}
    return name_values({**head, **(more or {})})


def require(form: dict[str, str], names: tuple[str, ...]) -> None:
    """Check that mandatory fields are there and no field is too long.

    Raises:
        ClassicError: MALFORMED for an absent field, INVALID for a long one.
    """
    for name in names:
        if not form.get(name, "").strip():
            raise ClassicError("MALFORMED", MISSING[name], f"The {name} field is required.")
    for name, (limit, code) in _LIMITS.items():
        if len(form.get(name, "")) > limit:
            raise ClassicError("INVALID", code, f"The {name} value is too long.")
    if "VendorTxCode" in form and not CODE.fullmatch(form["VendorTxCode"]):
        raise ClassicError("INVALID", "3035", "The VendorTxCode contains invalid characters.")
    if form.get("VPSProtocol") not in PROTOCOLS:
        raise ClassicError("INVALID", "3096", "The VPSProtocol value is not supported.")


def require_registration(form: dict[str, str]) -> None:
    """Check a Server registration.

    Raises:
        ClassicError: as :func:`require`, or for a bad e-mail, postcode or notification URL.
    """
    names = ["VPSProtocol", "TxType", "Vendor", "VendorTxCode", "Amount", "Currency", "Description"]
    names.append("NotificationURL")
    for side in ("Billing", "Delivery"):
        names += [f"{side}{part}" for part in ("Surname", "Firstnames", "Address1", "City", "Country")]
        if form.get(f"{side}Country") != "IE":
            names.append(f"{side}PostCode")
    require(form, tuple(names))
    if form["TxType"] not in {"PAYMENT", "DEFERRED", "AUTHENTICATE"}:
        raise ClassicError("INVALID", "3014", "The TxType is invalid.")
    if not re.match("https?://", form["NotificationURL"]):
        raise ClassicError("INVALID", "3011", "The NotificationURL format is invalid.")
    if not re.fullmatch(r"[A-Za-z0-9 \-]*", form.get("BillingPostCode", "")):
        raise ClassicError("INVALID", "5055", "The BillingPostCode contains invalid characters.")


def read_amount(form: dict[str, str], currency: str, name: str = "Amount") -> int:
    """Read a decimal amount as minor units.

    Raises:
        ClassicError: 3004, 3005 or 3006.
    """
    try:
        amount = minor(form[name], currency)
    except ValueError as error:
        code = "3006" if "decimals" in str(error) else "3004"
        raise ClassicError("INVALID", code, f"The {name} value is invalid: {error}.") from error
    if not 0 < amount <= 10_000_000:
        raise ClassicError("INVALID", "3005", f"The {name} value is outside the permitted range.")
    return amount
