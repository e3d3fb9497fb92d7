"""What the service asks of the systems it does not own. Connectors implement these; tests use whole servers.

Every method raises errors of `integration.errors` and nothing else. A write whose answer was lost raises
`OutcomeUnknown`; a read never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, Protocol

from msgspec import Struct

from integration.canonical.documents import ErpDocument, Receipt, Stored
from integration.canonical.money import Money, Rate
from integration.canonical.order import Order
from integration.canonical.party import Party, PostalAddress
from integration.canonical.payment import GatewayTransaction
from integration.inspection import ErpInspection
from integration.ports_erp import ErpRecords
from integration.ports_listing import GatewayListing
from integration.ports_shop import ShopCustomers

# --- the gateway ----------------------------------------------------------------------------------


class SessionKey(Struct, frozen=True, kw_only=True):
    """A merchant session key for the shopper's browser, with its expiry as the gateway wrote it (ISO 8601)."""

    merchant_session_key: str
    expiry: str


class PaymentRequest(Struct, frozen=True, kw_only=True):
    """A customer-present transaction with a card identifier that the shopper's browser obtained.

    Attributes:
        vendor_tx_code: ours, at most 40 of letters, digits and `-._{}`; used once, for ever.
        save_card: make the identifier reusable; `reusable` says that it already is.
        extra: further members of the Pi request (`strongCustomerAuthentication`, `credentialType`, …), as JSON
            the connector passes on unchanged after the card-data check.
    """

    kind: Literal["payment", "deferred", "authenticate"]
    vendor_tx_code: str
    amount: Money
    description: str
    merchant_session_key: str
    card_identifier: str
    customer: Party
    billing: PostalAddress
    reusable: bool = False
    save_card: bool = False
    extra: Mapping[str, object] = {}


class RelatedRequest(Struct, frozen=True, kw_only=True):
    """A refund, repeat or authorise: it refers to an earlier transaction."""

    kind: Literal["refund", "repeat", "authorise"]
    vendor_tx_code: str
    related_transaction_id: str
    amount: Money
    description: str
    extra: Mapping[str, object] = {}


class Challenge(Struct, frozen=True, kw_only=True):
    """The bank wants the shopper to prove who they are: the browser posts `creq` to `acs_url`."""

    transaction_id: str
    acs_url: str
    creq: str
    status: str = "3DAuth"
    status_code: str = ""


class Instruction(Struct, frozen=True, kw_only=True):
    """An instruction on an existing transaction; `amount` goes with `release` only."""

    kind: Literal["release", "abort", "void", "cancel"]
    transaction_id: str
    amount: Money | None = None


class HostedPayment(Struct, frozen=True, kw_only=True):
    """A payment on the gateway's own page (Server protocol): where to notify, and what to take."""

    kind: Literal["payment", "deferred", "authenticate"]
    vendor_tx_code: str
    amount: Money
    description: str
    notification_url: str
    customer: Party
    billing: PostalAddress
    delivery: PostalAddress


class Registration(Struct, frozen=True, kw_only=True):
    """A registered hosted payment; `security_key` is a secret and verifies its notification."""

    transaction_id: str
    security_key: str
    next_url: str


class Gateway(GatewayListing, Protocol):
    """The payment gateway of one vendor."""

    async def ping(self) -> None:
        """Prove that the address and the credentials are right."""
        ...

    async def ping_reporting(self) -> None:
        """Prove that look-ups by vendor transaction code will work."""
        ...

    async def transaction(self, transaction_id: str) -> GatewayTransaction:
        """The transaction as it is now; `NotFound` when the gateway does not know it."""
        ...

    async def detail(self, transaction_id: str) -> GatewayTransaction:
        """The transaction as its back office tells it: with our own code, times and what it refers to."""
        ...

    async def find(self, vendor_tx_code: str) -> GatewayTransaction | None:
        """The transaction of a vendor transaction code, the only truth after a lost answer."""
        ...

    async def session_key(self) -> SessionKey:
        """A fresh merchant session key."""
        ...

    async def pay(self, request: PaymentRequest) -> GatewayTransaction | Challenge:
        """Take or authorise a payment; declines are transactions, not errors."""
        ...

    async def relate(self, request: RelatedRequest) -> GatewayTransaction:
        """Refund, repeat or authorise."""
        ...

    async def instruct(self, instruction: Instruction) -> None:
        """Release, abort, void or cancel."""
        ...

    async def answer_challenge(self, transaction_id: str, cres: str) -> GatewayTransaction:
        """Finish a 3-D Secure challenge with the bank's answer."""
        ...

    async def register(self, payment: HostedPayment) -> Registration:
        """Register a payment on the gateway's page."""
        ...

    async def forget_card(self, card_identifier: str) -> None:
        """Remove a saved card; one that is gone already is no error."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...


# --- the ERP --------------------------------------------------------------------------------------


class CompanyProfile(Struct, frozen=True, kw_only=True):
    """What a logon tells: which company this is and what its defaults are."""

    company: str
    operator: str
    version: str = ""
    local_currency: str = ""
    accounting_date: date | None = None
    default_bank: str = ""
    default_branch: str = ""
    default_warehouse: str = ""


class ErpCustomer(Struct, frozen=True, kw_only=True):
    """A customer as the ERP holds it; `currency` is ISO 4217 (the connector maps the site's own codes)."""

    customer: str
    name: str
    currency: str
    on_hold: bool = False
    branch: str = ""
    terms_code: str = ""
    payments_allowed: bool = True


class ErpStockItem(Struct, frozen=True, kw_only=True):
    """A stock item; `warehouses` are those that stock it."""

    stock_code: str
    description: str
    unit: str
    on_hold: bool = False
    tax_code: str = ""
    product_class: str = ""
    warehouses: tuple[str, ...] = ()


class ERP(ErpRecords, Protocol):
    """One operator's session with one ERP company.

    Methods may be called concurrently as far as the transport allows; the session is logged on when first
    needed and given back by `close`.
    """

    async def profile(self) -> CompanyProfile:
        """Log on if need be and say who and where we are."""
        ...

    async def customer(self, code: str) -> ErpCustomer | None:
        """A customer, or `None`."""
        ...

    async def stock_item(self, code: str) -> ErpStockItem | None:
        """A stock item with its warehouses, or `None`."""
        ...

    async def book_rate(self, currency: str) -> Rate | None:
        """The ERP's own rate from a currency to its local one, or `None` when it has none."""
        ...

    async def post(self, document: ErpDocument, key: str) -> Receipt:
        """Post one document. `key` is the same for every attempt at it, where the transport can use it."""
        ...

    async def find(self, documents: Sequence[ErpDocument]) -> Mapping[str, tuple[Stored, ...]]:
        """Look for documents of one kind by our own references, in as few calls as the transport allows.

        Returns:
            What was found by reference; a reference that is absent has nothing in the ERP.
        """
        ...

    def inspection(self) -> ErpInspection:
        """What `doctor` asks, in this session."""
        ...

    async def close(self) -> None:
        """Log off and give the licence seat back, whatever happened before."""
        ...


# --- the shop -------------------------------------------------------------------------------------


class Storefront(ShopCustomers, Protocol):
    """The web shop of one pair."""

    async def ping(self) -> None:
        """Prove that the address and the credentials are right."""
        ...

    async def find_order(self, payment_reference: str) -> Order | None:
        """The order that a vendor transaction code pays, or `None`."""
        ...

    async def tell(self, reference: str, status: str, note: str) -> None:
        """Set an order's status and leave a note; telling twice is the same as telling once."""
        ...

    async def close(self) -> None:
        """Give connections back."""
        ...
