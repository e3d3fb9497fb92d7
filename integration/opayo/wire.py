"""What travels to and from the Pi REST API, read leniently: unknown members are ignored, as Opayo demands.

Codes come as text or as numbers, `retrievalReference` as a number although documented as text, the expiry date
under two names, and `transactionType` is missing from some answers.
"""

from __future__ import annotations

from msgspec import Struct, field

TextOrNumber = str | int | None


def code_text(value: TextOrNumber) -> str:
    """A code as text of at least four digits: leading zeros matter and numbers lose them."""
    return "" if value is None or value == "" else str(value).strip().zfill(4)


def plain_text(value: TextOrNumber) -> str:
    """Text or number as text, empty when absent."""
    return "" if value is None else str(value)


class PiAmount(Struct, rename="camel"):
    """Minor units."""

    total_amount: int | None = None
    sale_amount: int | None = None


class PiCard(Struct, rename="camel"):
    """The card block. The expiry month is `expiryDate` in the answers seen, and `expiry` in the specification."""

    card_type: str | None = None
    last_four_digits: TextOrNumber = None
    card_identifier: str | None = None
    reusable: bool | None = None
    expiry_date: TextOrNumber = None
    expiry: TextOrNumber = None


class PiPaymentMethod(Struct):
    """How it was paid; wallets other than a card are not read further."""

    card: PiCard | None = None


class PiChecks(Struct, rename="camel"):
    """AVS and CV2 results."""

    status: str | None = None
    address: str | None = None
    postal_code: str | None = None
    security_code: str | None = None


class PiThreeDSecure(Struct):
    """The outcome of 3-D Secure."""

    status: str | None = None


class PiDecline(Struct):
    """What the card scheme said about a decline, when it said anything."""

    code: TextOrNumber = field(name="additionalDeclineCode", default=None)
    description: str | None = field(name="additionalDeclineCodeDescription", default=None)
    category: TextOrNumber = field(name="additionalDeclineCodeCategory", default=None)


class PiTransaction(Struct, rename="camel"):
    """A transaction, a decline, or a challenge: all have a status."""

    status: str | None = None
    status_code: TextOrNumber = None
    status_detail: str | None = None
    transaction_id: str | None = None
    transaction_type: str | None = None
    vendor_tx_code: str | None = None
    retrieval_reference: TextOrNumber = None
    bank_response_code: TextOrNumber = None
    bank_authorisation_code: TextOrNumber = None
    payment_method: PiPaymentMethod | None = None
    amount: PiAmount | None = None
    currency: str | None = None
    avs_cvc_check: PiChecks | None = None
    three_d_secure: PiThreeDSecure | None = field(name="3DSecure", default=None)
    additional_decline_detail: PiDecline | None = None
    acs_url: str | None = None
    c_req: str | None = None


class PiSessionKey(Struct, rename="camel"):
    """A merchant session key."""

    merchant_session_key: str
    expiry: str


class PiInstructionDone(Struct, rename="camel"):
    """An instruction that was taken."""

    instruction_type: str


class PiFault(Struct, rename="camel"):
    """Any of the three error shapes: one error, several under `errors`, or a transaction-like one."""

    code: TextOrNumber = None
    property: str | None = None
    description: str | None = None
    client_message: str | None = None
    status: TextOrNumber = None
    status_code: TextOrNumber = None
    status_detail: str | None = None
    errors: list[PiFault] | None = None


class CardReference(Struct, rename="camel", omit_defaults=True):
    """A card by its identifier; `reusable` says that it was saved earlier, `save` that it shall be."""

    merchant_session_key: str
    card_identifier: str
    reusable: bool = False
    save: bool = False


class PaymentMethod(Struct):
    """Exactly one method; ours is always a card identifier."""

    card: CardReference


class BillingAddress(Struct, rename="camel", omit_defaults=True):
    """A billing address within Opayo's limits."""

    address1: str
    city: str
    country: str
    postal_code: str = ""
    address2: str = ""
    address3: str = ""
    state: str = ""


class PaymentBody(Struct, rename="camel", omit_defaults=True):
    """A Payment, Deferred or Authenticate; `amount` in minor units."""

    transaction_type: str
    payment_method: PaymentMethod
    vendor_tx_code: str
    amount: int
    currency: str
    description: str
    customer_first_name: str
    customer_last_name: str
    billing_address: BillingAddress
    customer_email: str = ""
    customer_phone: str = ""


class RelatedBody(Struct, rename="camel", omit_defaults=True):
    """A Refund, Repeat or Authorise; only Repeat carries a currency."""

    transaction_type: str
    reference_transaction_id: str
    vendor_tx_code: str
    amount: int
    description: str
    currency: str = ""


class InstructionBody(Struct, rename="camel", omit_defaults=True):
    """An instruction; `amount` in minor units goes with `release` only."""

    instruction_type: str
    amount: int | None = None


class ChallengeAnswer(Struct):
    """The bank's answer to a challenge."""

    cres: str = field(name="cRes")


class SessionKeyRequest(Struct, rename="camel"):
    """Ask for a merchant session key."""

    vendor_name: str
