"""The shapes of the v3 routes: the gateway's own words and member names, amounts in minor units, never a card."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Struct

from integration.canonical.money import Money
from integration.canonical.party import Party, PostalAddress
from integration.canonical.payment import GatewayTransaction
from integration.errors import InvalidPayment
from integration.ports import Challenge, Registration
from service.api.parameters import JsonObject

Minor = Annotated[int, msgspec.Meta(ge=0, le=10**12, description="Minor units of the currency.")]
Currency = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217.")]
Code = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._{}-]{1,40}$")]
Line = Annotated[str, msgspec.Meta(max_length=200)]

KINDS: dict[str, Literal["payment", "deferred", "authenticate"]] = {
    "Payment": "payment",
    "Deferred": "deferred",
    "Authenticate": "authenticate",
}


class _Wire(Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Member names in camel case, as the gateway writes them."""


class Customer(_Wire, frozen=True, kw_only=True, rename="camel"):
    """Who pays."""

    first_name: Line = ""
    last_name: Line = ""
    email: Line = ""
    phone: Line = ""

    def party(self) -> Party:
        """As a canonical party."""
        return Party(first_name=self.first_name, last_name=self.last_name, email=self.email, phone=self.phone)


class Address(_Wire, frozen=True, kw_only=True, rename="camel"):
    """A postal address; `country` is ISO 3166-1 alpha-2."""

    address1: Line
    city: Line
    address2: Line = ""
    address3: Line = ""
    postal_code: Line = ""
    state: Line = ""
    country: Line = "GB"

    def postal(self) -> PostalAddress:
        """As a canonical address."""
        lines = tuple(line for line in (self.address1, self.address2, self.address3) if line)
        return PostalAddress(
            lines=lines,
            city=self.city,
            region=self.state,
            postcode=self.postal_code,
            country=self.country.upper(),
        )


class NewTransaction(_Wire, frozen=True, kw_only=True, rename="camel"):
    """A customer-present transaction, with a card identifier that the shopper's browser got from Opayo.

    Attributes:
        vendor_tx_code: ours when left out; a code is used once, for ever.
        hosted: take the payment on Opayo's own page instead: no session key and no card identifier, and the
            answer says where to send the shopper.
        reusable: the card identifier is a saved one.
        strong_customer_authentication, apply_3d_secure, credential_type: passed on to Opayo as they are.
        customer_account: SYSPRO's code of the customer whose card is saved; the order's when left out.
    """

    transaction_type: Literal["Payment", "Deferred", "Authenticate"]
    amount: Minor
    currency: Currency
    description: Line
    customer: Customer
    billing_address: Address
    vendor_tx_code: Code | None = None
    hosted: bool = False
    merchant_session_key: Line = ""
    card_identifier: Line = ""
    reusable: bool = False
    delivery_address: Address | None = None
    strong_customer_authentication: JsonObject | None = None
    apply_3d_secure: Line = msgspec.field(name="apply3DSecure", default="")
    credential_type: JsonObject | None = None
    customer_account: Annotated[str, msgspec.Meta(max_length=15)] = ""

    def money(self) -> Money:
        """The amount.

        Raises:
            InvalidPayment: not a currency.
        """
        return money(self.amount, self.currency)

    def extra(self) -> JsonObject:
        """What is passed on to Opayo as it is."""
        members: JsonObject = {
            "strongCustomerAuthentication": self.strong_customer_authentication,
            "apply3DSecure": self.apply_3d_secure,
            "credentialType": self.credential_type,
        }
        return {name: value for name, value in members.items() if value}


class NewRefund(_Wire, frozen=True, kw_only=True, rename="camel"):
    """Money that goes back; `currency` is the payment's when left out."""

    amount: Annotated[int, msgspec.Meta(ge=1, le=10**12, description="Minor units of the currency.")]
    description: Line
    currency: Currency | None = None
    vendor_tx_code: Code | None = None


class NewInstruction(_Wire, frozen=True, kw_only=True, rename="camel"):
    """What is to happen to a transaction; `amount` and `currency` go with `release`."""

    instruction_type: Literal["release", "abort", "void", "cancel"]
    amount: Minor | None = None
    currency: Currency | None = None


class ChallengeResult(_Wire, frozen=True, kw_only=True, rename="camel"):
    """What the shopper's bank gave to the browser."""

    c_res: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)] = msgspec.field(name="cRes")


class NewToken(_Wire, frozen=True, kw_only=True, rename="camel"):
    """A first customer-present transaction whose card is saved; without it a session key is answered."""

    transaction: NewTransaction | None = None


class CardShown(_Wire, frozen=True, kw_only=True, rename="camel"):
    """All that is ever known of a card."""

    scheme: str
    last_four_digits: str


class TransactionShown(_Wire, frozen=True, kw_only=True, rename="camel"):
    """A transaction as Opayo holds it now.

    Attributes:
        status, status_code, status_detail: Opayo's own words.
        state: ours: captured, held, authenticated, declined, …
        refunded: minor units that went back or may be on their way, through this service.
    """

    transaction_id: str
    vendor_tx_code: str
    transaction_type: str
    status: str
    status_code: str
    status_detail: str
    state: str
    amount: int
    currency: str
    card: CardShown
    refunded: int = 0
    related_transaction_id: str | None = None
    created_at: datetime | None = None


class ChallengeShown(_Wire, frozen=True, kw_only=True, rename="camel"):
    """The bank wants the shopper to prove who they are: post `cReq` from the browser to `acsUrl`."""

    transaction_id: str
    vendor_tx_code: str
    acs_url: str
    c_req: str = msgspec.field(name="cReq")
    status: str
    status_code: str


class HostedShown(_Wire, frozen=True, kw_only=True, rename="camel"):
    """Send the shopper to `nextUrl`; the outcome comes by Opayo's notification."""

    transaction_id: str
    vendor_tx_code: str
    next_url: str


class StillUnknown(_Wire, frozen=True, kw_only=True, rename="camel"):
    """The answer of Opayo was lost, and it has not told yet what became of the request: ask at `poll`."""

    vendor_tx_code: str
    poll: str
    state: Literal["unknown"] = "unknown"


class InstructionShown(_Wire, frozen=True, kw_only=True, rename="camel"):
    """An instruction that was carried out."""

    transaction_id: str
    instruction_type: str


class TokenShown(_Wire, frozen=True, kw_only=True, rename="camel"):
    """A session key for the browser; or the saved card's identifier with its first transaction.

    Where the bank asks the shopper first, there is its `challenge` in place of the transaction.
    """

    merchant_session_key: str | None = None
    expiry: str | None = None
    card_identifier: str | None = None
    transaction: TransactionShown | None = None
    challenge: ChallengeShown | None = None


def money(minor: int, currency: str) -> Money:
    """An amount.

    Raises:
        InvalidPayment: not a currency.
    """
    try:
        return Money(minor, currency)
    except ValueError as error:
        raise InvalidPayment(
            f"{currency} is no currency that is known here", code="opayo.currency"
        ) from error


def shown(found: GatewayTransaction, refunded: int = 0) -> TransactionShown:
    """A transaction as the API shows it."""
    return TransactionShown(
        transaction_id=found.transaction_id,
        vendor_tx_code=found.vendor_tx_code,
        transaction_type=found.kind.capitalize(),
        status=found.status,
        status_code=found.status_code,
        status_detail=found.status_detail,
        state=found.state,
        amount=found.amount.minor,
        currency=found.amount.currency,
        card=CardShown(scheme=found.card.scheme, last_four_digits=found.card.last_four),
        refunded=refunded,
        related_transaction_id=found.related_transaction_id,
        created_at=found.created_at,
    )


def challenge_shown(found: Challenge, code: str) -> ChallengeShown:
    """A challenge as the API shows it."""
    return ChallengeShown(
        transaction_id=found.transaction_id,
        vendor_tx_code=code,
        acs_url=found.acs_url,
        c_req=found.creq,
        status=found.status,
        status_code=found.status_code,
    )


def hosted_shown(made: Registration, code: str) -> HostedShown:
    """A registration as the API shows it: without its security key."""
    return HostedShown(transaction_id=made.transaction_id, vendor_tx_code=code, next_url=made.next_url)


def plain_id(transaction_id: str) -> str:
    """A transaction id in the one form we keep.

    Raises:
        InvalidPayment: not an id.
    """
    plain = transaction_id.strip("{} ").upper()
    if not re.fullmatch(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}", plain):
        raise InvalidPayment("This is not an Opayo transaction id", code="opayo.transaction-id")
    return plain
