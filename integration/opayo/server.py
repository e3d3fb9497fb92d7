"""The Server protocol's registration: a payment on Opayo's own page."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from integration.canonical.party import Party, PostalAddress
from integration.errors import InvalidPayment
from integration.http import Answer, Call
from integration.opayo import schema
from integration.opayo.refusals import error_of, refusal
from integration.ports import HostedPayment, Registration

_CODE = re.compile(r"\s*(?P<code>\d+)\s*:\s*(?P<text>.*)", re.DOTALL)


def registration_call(payment: HostedPayment, vendor: str) -> Call:
    """The form that registers a payment, in Latin-1.

    Raises:
        InvalidPayment: code, amount or notification address that Opayo would refuse.
    """
    schema.refuse_card_data(payment.description, "description")
    schema.minor_units(payment.amount, zero_allowed=payment.kind == "authenticate")
    if not 0 < len(payment.notification_url) <= 255:
        raise InvalidPayment(
            "The notification address must have 1 to 255 characters", code="opayo.notification-url"
        )
    fields = {
        "VPSProtocol": "4.00",
        "TxType": payment.kind.upper(),
        "Vendor": vendor,
        "VendorTxCode": schema.vendor_tx_code(payment.vendor_tx_code),
        "Amount": payment.amount.plain(),
        "Currency": payment.amount.currency,
        "Description": schema.clean(payment.description, schema.DESCRIPTION) or payment.vendor_tx_code,
        "NotificationURL": payment.notification_url,
        **_party("Billing", payment.customer, payment.billing),
        **_party("Delivery", payment.customer, payment.delivery),
        "CustomerEMail": schema.email(payment.customer.email),
        "Profile": "NORMAL",
    }
    return Call(
        method="POST",
        path="/vspserver-register.vsp",
        body=urlencode({k: v for k, v in fields.items() if v}, encoding="latin-1").encode("ascii"),
        content_type="application/x-www-form-urlencoded",
        write=True,
        about=f"the registration of {payment.vendor_tx_code}",
    )


def _party(prefix: str, customer: Party, address: PostalAddress) -> dict[str, str]:
    first, last = schema.person(customer)
    line1, line2, line3 = schema.street(address)
    return {
        f"{prefix}Surname": last,
        f"{prefix}Firstnames": first,
        f"{prefix}Address1": line1,
        f"{prefix}Address2": line2,
        f"{prefix}Address3": line3,
        f"{prefix}City": schema.city(address),
        f"{prefix}PostCode": schema.postcode(address),
        f"{prefix}Country": schema.country(address),
        f"{prefix}State": schema.state(address),
        f"{prefix}Phone": schema.phone(customer.phone),
    }


def lines(body: bytes) -> dict[str, str]:
    """`Name=Value` lines; a value may contain `=`."""
    pairs = (line.partition("=") for line in body.decode("latin-1").splitlines() if "=" in line)
    return {name.strip(): value.strip() for name, _, value in pairs}


def registration(answer: Answer) -> Registration:
    """The registration that an answer grants; `OK REPEATED` grants the same one again.

    Raises:
        IntegrationError: as `refusals` says for the code in `StatusDetail`.
        OutcomeUnknown: an answer of another shape.
    """
    if error := refusal(answer):
        raise error
    told = lines(answer.body)
    status = told.get("Status", "").upper()
    if status in ("OK", "OK REPEATED"):
        if not (told.get("VPSTxId") and told.get("SecurityKey") and told.get("NextURL")):
            raise answer.lost("it granted a registration without id, key or next address")
        return Registration(
            transaction_id=schema.transaction_id(told["VPSTxId"]),
            security_key=told["SecurityKey"],
            next_url=told["NextURL"],
        )
    if status not in ("MALFORMED", "INVALID", "ERROR"):
        raise answer.lost("its answer has another shape")
    match = _CODE.match(told.get("StatusDetail", ""))
    code, text = (match["code"].zfill(4), match["text"]) if match else ("", told.get("StatusDetail", ""))
    if status == "ERROR" and not code:
        raise answer.lost(f"it says ERROR {schema.mask_digits(text)}")
    raise error_of(code, text, answer)
