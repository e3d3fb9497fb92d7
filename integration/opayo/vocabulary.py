"""Opayo's words and ours: statuses, states, types, card schemes, check results.

The Pi API, the classic protocols and Reporting name the same things differently; the canonical documents use
the Pi API's words for checks and schemes, and our own for states and kinds.
"""

from __future__ import annotations

from integration.canonical.payment import GatewayState, TransactionKind

# A transaction keeps its status when something is done to it afterwards: only the code tells.
_STATE_BY_CODE: dict[str, GatewayState] = {
    "2004": "captured",
    "2005": "voided",
    "2006": "aborted",
    "2012": "cancelled",
    "2013": "cancelled",
}

_STATE_BY_STATUS: dict[str, GatewayState] = {
    "OK": "captured",
    "NOTAUTHED": "declined",
    "REJECTED": "rejected",
    "3DAUTH": "pending",
    "REDIRECT": "pending",
    "PPREDIRECT": "pending",
    "PENDING": "pending",
    "AUTHENTICATED": "authenticated",
    "REGISTERED": "authenticated",
    "ABORT": "cancelled",
    "MALFORMED": "failed",
    "INVALID": "failed",
}

# Reporting's `txstateid`, with the Pi word that a re-read of the transaction would give (empty: none known).
_TX_STATES: dict[int, tuple[GatewayState, str]] = {
    1: ("failed", "Invalid"),
    2: ("pending", "Pending"),
    3: ("pending", "Pending"),
    4: ("pending", "Pending"),
    5: ("pending", "3DAuth"),
    6: ("pending", "Pending"),
    7: ("pending", "Pending"),
    8: ("cancelled", "Abort"),
    9: ("cancelled", "Abort"),
    10: ("rejected", "Rejected"),
    11: ("cancelled", "Abort"),
    12: ("declined", "NotAuthed"),
    13: ("failed", "Error"),
    14: ("held", "Ok"),
    15: ("authenticated", "Authenticated"),
    16: ("captured", "Ok"),
    17: ("failed", "Error"),
    18: ("voided", "Ok"),
    19: ("aborted", "Ok"),
    20: ("failed", "Error"),
    21: ("authenticated", "Registered"),
    22: ("cancelled", "Ok"),
    23: ("settlement-failed", "Ok"),
    24: ("pending", "Pending"),
    26: ("expired", "Ok"),
    27: ("expired", "Ok"),
    28: ("pending", "Pending"),
    29: ("captured", "Ok"),
    30: ("failed", "Error"),
    32: ("cancelled", "Abort"),
}

_KINDS: dict[str, TransactionKind] = {
    "payment": "payment",
    "deferred": "deferred",
    "authenticate": "authenticate",
    "authorise": "authorise",
    "repeat": "repeat",
    "repeatdeferred": "repeat",
    "refund": "refund",
    "directrefund": "refund",
    "manual": "manual",
}

_SCHEMES = {
    "VISA": "Visa",
    "DELTA": "VisaDebit",
    "UKE": "VisaElectron",
    "MC": "MasterCard",
    "MCDEBIT": "DebitMasterCard",
    "MAESTRO": "Maestro",
    "AMEX": "AmericanExpress",
    "DC": "Discover",
    "JCB": "JCB",
    "PAYPAL": "PayPal",
}

_PARTS = {
    "MATCHED": "Matched",
    "NOTMATCHED": "NotMatched",
    "NOTPROVIDED": "NotProvided",
    "NOTCHECKED": "NotChecked",
}

_OVERALL = {
    "ALLMATCH": "AllMatched",
    "SECURITYCODEMATCHONLY": "SecurityCodeMatchOnly",
    "ADDRESSMATCHONLY": "AddressMatchOnly",
    "NODATAMATCHES": "NoMatches",
    "DATANOTCHECKED": "NotChecked",
}

_THREE_D = {
    "OK": "Authenticated",
    "NOTCHECKED": "NotChecked",
    "NOTAUTHED": "NotAuthenticated",
    "ERROR": "Error",
    "NOTAVAILABLE": "CardNotEnrolled",
    "NOAUTH": "CardNotEnrolled",
    "CANTAUTH": "IssuerNotEnrolled",
    "MALFORMED": "MalformedOrInvalid",
    "INVALID": "MalformedOrInvalid",
    "ATTEMPTONLY": "AttemptOnly",
    "INCOMPLETE": "Incomplete",
}


def kind_of(transaction_type: str | None) -> TransactionKind:
    """Our word for a transaction type of any of the interfaces; absent or new ones are `unknown`."""
    return _KINDS.get((transaction_type or "").strip().lower(), "unknown")


def state_of(status: str, code: str, kind: TransactionKind) -> GatewayState:
    """Whether money will move, from status *and* code: after a void the status still reads `Ok`.

    An `Ok` of a kind we do not know is `unknown`, since a deferred payment reads the same as a taken one.
    """
    word = status.strip().upper()
    if word != "OK":
        late = _STATE_BY_CODE.get(code)
        return late if late in ("cancelled", "voided", "aborted") else _STATE_BY_STATUS.get(word, "unknown")
    if code in _STATE_BY_CODE:
        return _STATE_BY_CODE[code]
    match kind:
        case "deferred":
            return "held"
        case "authenticate":
            return "authenticated"
        case "unknown":
            return "unknown"
        case _:
            return "captured"


def tx_state(number: int) -> tuple[GatewayState, str]:
    """Reporting's `txstateid` as our state and the Pi API's word for it."""
    return _TX_STATES.get(number, ("unknown", f"unknown:txstate-{number}"))


def known_status(status: str) -> str:
    """Opayo's own word, or `unknown:` and the word when it is new to us."""
    known = status.strip().upper() in _STATE_BY_STATUS or status.strip().upper() == "ERROR"
    return status if known else f"unknown:{status}"


def scheme_of(payment_system: str) -> str:
    """A card scheme of the classic protocols or Reporting in the Pi API's word."""
    return _SCHEMES.get(payment_system.strip().upper(), payment_system.strip())


def part_result(text: str) -> str:
    """One check's result in the Pi API's word."""
    return _PARTS.get(text.replace(" ", "").upper(), text)


def overall_result(text: str) -> str:
    """The overall AVS/CV2 result in the Pi API's word."""
    return _OVERALL.get(text.replace(" ", "").upper(), text)


def three_d_result(text: str) -> str:
    """A 3-D Secure result in the Pi API's word."""
    return _THREE_D.get(text.replace(" ", "").upper(), text)
