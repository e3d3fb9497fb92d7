"""Reporting's answers about one transaction: everything known of it, its risk, its address on the net."""

from __future__ import annotations

import zlib

from integration.sandbox.opayo.cards import CLASSIC_3DS, CLASSIC_TYPES, TEST_CARDS
from integration.sandbox.opayo.clock import reporting
from integration.sandbox.opayo.money import major
from integration.sandbox.opayo.reporting_query import Query, ReportingError, element, elements, yes
from integration.sandbox.opayo.store import Transaction

STATES = {
    1: "Transaction failed registration.",
    2: "User on card selection page.",
    3: "User on card details entry page.",
    5: "Transaction at 3D-Secure authentication.",
    6: "Transaction sent for authorisation.",
    7: "Vendor notified of transaction state, awaiting reply.",
    8: "Transaction cancelled after 15 minutes of inactivity.",
    9: "Transaction completed but the vendor replied INVALID or ERROR, and it was cancelled.",
    10: "Transaction rejected by the vendor's rules.",
    11: "Transaction aborted by the customer.",
    12: "Transaction declined by the bank.",
    13: "An error occurred at the gateway.",
    14: "Successful deferred transaction, awaiting release.",
    15: "Successfully authenticated transaction, awaiting authorise.",
    16: "Successfully authorised transaction.",
    17: "Transaction timed out at authorisation.",
    18: "Transaction voided.",
    19: "Deferred transaction aborted by the vendor.",
    21: "Transaction registered, awaiting authorise.",
    22: "Transaction cancelled by the vendor.",
    23: "Transaction could not be settled with the bank and failed.",
    26: "Authenticated transaction that can no longer be authorised.",
    27: "Deferred transaction expired.",
}
"""Texts for ``status`` by ``txstateid``; only that of 16 is quoted, the others are our words."""

RULES = (
    ("Mobile phone number used", 4),
    ("No match on the electoral roll", 10),
    ("Delivery address differs from billing address", 12),
    ("High value for this merchant", 15),
)
_HOLD, _REJECT = 30, 50


def fraud_score(row: Transaction) -> tuple[int, str, list[tuple[str, int]]]:
    """A repeatable score of a transaction, its action, and the rules that hit.

    A description holding ``SANDBOX-FRAUD`` is rejected; refunds and the like are not scored.
    """
    draw = zlib.crc32(row.code.encode())
    hits = [rule for index, rule in enumerate(RULES) if draw >> index & 7 == 0]
    if "SANDBOX-FRAUD" in row.details.description:
        hits = [*RULES, ("Address linked to earlier fraud", 30)]
    score = sum(points for _, points in hits)
    action = "REJECT" if score >= _REJECT else "HOLD" if score >= _HOLD else "OK"
    return score, action, hits


def _scored(row: Transaction) -> bool:
    return row.type in {"Payment", "Deferred", "Authenticate"} and row.txstate not in {2, 3, 5}


def transaction_detail(query: Query) -> str:
    """``getTransactionDetail``: flat elements, those that do not apply left empty or out."""
    row = query.transaction()
    return (
        _identity(row)
        + _money(query, row)
        + _card(row)
        + _parties(row)
        + _checks(row)
        + _relation(query, row)
    )


def _identity(row: Transaction) -> str:
    return elements(
        {
            "vpstxid": row.id,
            "vendortxcode": row.code,
            "transactiontype": row.type,
            "txstateid": row.txstate,
            "status": STATES.get(row.txstate, "Unknown."),
            "description": row.details.description,
            "systemused": row.details.system,
            "vpsprotocol": row.details.protocol,
            "vendordata": row.details.vendor_data,
            "website": row.details.website,
        }
    )


def _money(query: Query, row: Transaction) -> str:
    return elements(
        {
            "amount": major(row.amount, row.currency),
            "currency": row.currency,
            "surcharge": major(0, row.currency),
            "started": reporting(row.created),
            "completed": reporting(row.completed) if row.completed else "",
            "securitykey": row.security_key,
            "vpsauthcode": row.retrieval or "",
            "bankauthcode": row.bank_auth,
            "batchid": row.batch_id,
            "authprocessor": row.acquirer,
            "merchantnumber": query.engine.config.merchant_number,
            "accounttype": row.details.account_type,
            "declinecode": row.bank_code,
        }
    )


def _card(row: Transaction) -> str:
    if row.card is None:
        return ""
    return elements(
        {
            "paymentsystem": CLASSIC_TYPES[row.card.card_type],
            "paymentsystemdetails": row.card.card_type,
            "expirydate": row.card.expiry,
            "last4digits": row.card.last4,
            "cardholder": row.card.name,
        }
    )


def _parties(row: Transaction) -> str:
    details, billing, shipping = row.details, row.details.billing, row.details.shipping
    values: dict[str, object] = {
        "cardaddress": billing.get("address1", ""),
        "cardaddress2": billing.get("address2", ""),
        "cardcity": billing.get("city", ""),
        "cardstate": billing.get("state", ""),
        "cardpostcode": billing.get("postalCode", ""),
        "cardcountry": billing.get("country", ""),
        "billingfirstnames": details.first_names,
        "billingsurname": details.surname,
        "billingaddress": billing.get("address1", ""),
        "billingaddress2": billing.get("address2", ""),
        "billingcity": billing.get("city", ""),
        "billingstate": billing.get("state", ""),
        "billingpostcode": billing.get("postalCode", ""),
        "billingcountry": billing.get("country", ""),
        "billingphone": details.phone,
        "deliveryfirstnames": shipping.get("recipientFirstName", details.first_names),
        "deliverysurname": shipping.get("recipientLastName", details.surname),
        "deliveryaddress": shipping.get("shippingAddress1", billing.get("address1", "")),
        "deliveryaddress2": shipping.get("shippingAddress2", billing.get("address2", "")),
        "deliverycity": shipping.get("shippingCity", billing.get("city", "")),
        "deliverystate": shipping.get("shippingState", billing.get("state", "")),
        "deliverypostcode": shipping.get("shippingPostalCode", billing.get("postalCode", "")),
        "deliverycountry": shipping.get("shippingCountry", billing.get("country", "")),
        "customername": f"{details.first_names} {details.surname}".strip(),
        "customeremail": details.email,
        "contactnumber": details.phone,
        "clientip": details.client_ip,
    }
    return elements(values)


_AVS = {
    "Matched": "MATCHED",
    "NotMatched": "NOTMATCHED",
    "NotProvided": "NOTPROVIDED",
    "NotChecked": "NOTCHECKED",
}
_MODES = {"UseMSPSetting": 0, "Force": 1, "Disable": 2, "ForceIgnoringRules": 3}


def _checks(row: Transaction) -> str:
    values: dict[str, object] = {
        "applyavscv2": _MODES[row.details.apply_avs],
        "apply3dsecure": _MODES[row.details.apply_3ds],
        "authattempt": 1,
    }
    if row.avs is not None:
        values["cv2result"] = _AVS[row.avs.security_code]
        values["addressresult"] = _AVS[row.avs.address]
        values["postcoderesult"] = _AVS[row.avs.postal_code]
    if row.three_ds:
        values["threedattempt"] = 1 if row.acs_id else 0
        values["threedresult"] = CLASSIC_3DS[row.three_ds]
        values["eci"] = {"Authenticated": "05", "AttemptOnly": "06"}.get(row.three_ds, "07")
    if _scored(row):
        score, action, _ = fraud_score(row)
        values.update({"t3mscore": score, "t3maction": action, "t3mid": zlib.crc32(row.id.encode())})
    values["refunded"] = yes(row.refunded > 0)
    values["repeated"] = yes(row.repeated)
    values["released"] = yes(row.released)
    values["aborted"] = yes(row.txstate == 19)
    values["giftaid"] = yes(row.details.gift_aid)
    return elements(values)


def _relation(query: Query, row: Transaction) -> str:
    original = query.store.transactions.get(row.reference)
    if original is None or not query.engine.config.quirks.related_elements:
        return ""
    return elements(
        {
            "relatedtransactionid": original.id,
            "relatedvendortxcode": original.code,
            "relatedamount": major(original.amount, original.currency),
            "relatedcurrency": original.currency,
            "relatedstarted": reporting(original.created),
        }
    )


def fraud_detail(query: Query) -> str:
    """``getFraudScreenDetail`` in the current provider's shape; 2245 while there is none."""
    row = query.by_id()
    if not _scored(row):
        raise ReportingError("2245", "There is no fraud detail for this transaction.")
    score, action, hits = fraud_score(row)
    rules = "".join(
        f"<rule>{element('description', text)}{element('score', points)}</rule>" for text, points in hits
    )
    head = {
        "fraudprovidername": "FSG",
        "t3mid": zlib.crc32(row.id.encode()),
        "t3mscore": score,
        "t3maction": action,
    }
    return f"{elements({**head})}<t3mresults>{rules}</t3mresults>"


def ip_details(query: Query) -> str:
    """``getTransactionIPDetails``."""
    return elements({"clientip": query.by_id().details.client_ip, "iplocation": "GB"})


def token_count(query: Query) -> str:
    """``getTokenCount``: saved cards of the vendor."""
    cards = query.store.cards.values()
    return element("totalnumber", sum(card.reusable for card in cards if card.vendor == query.vendor))


def card_details(query: Query) -> str:
    """``getCardDetails`` of the first nine digits of a test card."""
    digits = query.required("cardbegins")
    if len(digits) != 9 or not digits.isdigit():
        raise ReportingError("2227", "The cardbegins element must be the first nine digits.")
    kind = next((name for number, name in TEST_CARDS.items() if number.startswith(digits)), None)
    if kind is None:
        raise ReportingError("3002", "The cardbegins element has an invalid value.")
    short = CLASSIC_TYPES[kind]
    credit = kind in {"Visa", "MasterCard", "AmericanExpress", "Discover", "JCB"}
    names = {"shortname": short, "paymentsystemname": kind, "countrycode": "GB", "issuer": "TEST BANK"}
    return elements({**names, "corporatecard": yes(digits.startswith("4484")), "iscredit": yes(credit)})
