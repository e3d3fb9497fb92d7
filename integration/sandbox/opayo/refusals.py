"""Why the gateway refuses an operation, said once for both generations of its API."""

from __future__ import annotations

import msgspec


class Reason(msgspec.Struct, frozen=True):
    """One refusal.

    Attributes:
        http: HTTP status in Pi.
        code: Pi's error code, or 0 where Pi answers in transaction style with the classic code.
        text: Pi's description.
        classic: four-digit code of the classic protocols.
        classic_text: its text.
    """

    http: int
    code: int
    text: str
    classic: str
    classic_text: str


_STATUS = "The status of this transaction does not allow the operation"
_OPERATION = "This operation is not allowed for this transaction"

REASONS: dict[str, Reason] = {
    "not-found": Reason(404, 1012, "Transaction not found", "5036", "The transaction could not be found."),
    "refund-exceeds": Reason(
        403,
        1018,
        "The refund would exceed the amount of the original transaction",
        "4035",
        "This refund would exceed the amount of the original transaction.",
    ),
    "refunded": Reason(
        403,
        1018,
        "The refund would exceed the amount of the original transaction",
        "4034",
        "This transaction has already been refunded.",
    ),
    "release-exceeds": Reason(
        403,
        1021,
        "The release amount is larger than the original amount",
        "4049",
        "The release amount is larger than the original amount.",
    ),
    "not-deferred": Reason(403, 1017, _OPERATION, "4037", "The transaction is not a deferred one."),
    "released": Reason(403, 1014, _STATUS, "4038", "The transaction has already been released."),
    "not-held": Reason(403, 1014, _STATUS, "4039", "The transaction is not in a deferred state."),
    "aborted": Reason(403, 1014, _STATUS, "4040", "The transaction has been aborted."),
    "voided": Reason(403, 1014, _STATUS, "4036", "The transaction has been voided."),
    "wrong-type": Reason(
        403, 1017, _OPERATION, "4041", "The operation does not apply to this type of transaction."
    ),
    "wrong-state": Reason(403, 1014, _STATUS, "4051", "The state of the transaction does not allow this."),
    "settled": Reason(403, 1017, _OPERATION, "4053", "The transaction has already been completed."),
    "no-credential": Reason(403, 1017, _OPERATION, "4051", "The original transaction stored no credential."),
    "code-used": Reason(
        422,
        0,
        "",
        "4042",
        "The VendorTxCode has been used before for another transaction. All VendorTxCodes must be unique.",
    ),
    "authorise-exceeds": Reason(
        422, 0, "", "4044", "The total authorised would exceed 115% of the original transaction."
    ),
    "not-authenticate": Reason(
        403, 1017, _OPERATION, "4045", "The original is not an Authenticate transaction."
    ),
    "session": Reason(
        422,
        1011,
        "Merchant session key or card identifier invalid",
        "5999",
        "The session is invalid or expired.",
    ),
    "saved": Reason(
        422, 1020, "The card identifier is already reusable", "5036", "The token exists already."
    ),
    "currency": Reason(422, 0, "", "4008", "The currency is not supported on this account."),
    "other-currency": Reason(
        422, 0, "", "4033", "The currency differs from that of the original transaction."
    ),
    "challenge-done": Reason(
        422, 0, "", "5086", "The challenge result was not expected. Start a new transaction."
    ),
}
"""Every refusal by name."""


class RefusedError(Exception):
    """The gateway refuses an operation; nothing was changed."""

    def __init__(self, name: str) -> None:
        super().__init__(REASONS[name].classic_text)
        self.name = name
        self.reason = REASONS[name]
