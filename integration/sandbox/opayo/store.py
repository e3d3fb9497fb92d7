"""What the stand-in remembers: transactions, sessions, cards and batches, in memory, without a card number."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import uuid4

import msgspec

from integration.sandbox.opayo.cards import Card


def new_id() -> str:
    """An upper-case GUID without braces, as Pi's ``transactionId``."""
    return str(uuid4()).upper()


def new_key() -> str:
    """A ``SecurityKey``: ten upper-case letters and digits."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(10))


class Avs(msgspec.Struct, frozen=True):
    """AVS/CV2 results in Pi's words."""

    status: str = "NotChecked"
    address: str = "NotProvided"
    postal_code: str = "NotProvided"
    security_code: str = "NotProvided"


class Details(msgspec.Struct):
    """What a merchant says about a transaction, kept for the replies and Reporting.

    Address keys are Pi's (``address1``, ``postalCode``, ``shippingCity`` …).
    """

    description: str = ""
    first_names: str = ""
    surname: str = ""
    billing: dict[str, str] = {}
    shipping: dict[str, str] = {}
    email: str = ""
    phone: str = ""
    client_ip: str = ""
    account_type: str = "E"
    gift_aid: bool = False
    settlement_text: str = ""
    fi_recipient: dict[str, str] = {}
    vendor_data: str = ""
    website: str = ""
    notification_url: str = ""
    cof: bool = False
    system: str = "P"
    protocol: str = "4.00"
    apply_avs: str = "UseMSPSetting"
    apply_3ds: str = "UseMSPSetting"


class Transaction(msgspec.Struct):
    """One row of the gateway: a payment, hold, check, repeat, authorise or refund of its own.

    Amounts are minor units of ``currency``. ``captured`` is the money that moves for this row: taken from
    the shopper, or given back when the row is a Refund; 0 while held, refused or undone.
    """

    id: str
    vendor: str
    code: str
    type: str
    amount: int
    currency: str
    created: datetime
    status: str = "Ok"
    status_code: str = "0000"
    status_detail: str = "The Authorisation was Successful."
    txstate: int = 16
    completed: datetime | None = None
    details: Details = msgspec.field(default_factory=Details)
    card: Card | None = None
    card_identifier: str = ""
    reusable: bool = False
    show_identifier: bool = True
    retrieval: int | None = None
    bank_code: str = ""
    bank_auth: str = ""
    decline: dict[str, str] | None = None
    avs: Avs | None = None
    three_ds: str = ""
    acs_id: str = ""
    ds_id: str = ""
    bare: bool = False
    no_type: bool = False
    reference: str = ""
    captured: int = 0
    captured_at: datetime | None = None
    refunded: int = 0
    authorised: int = 0
    repeated: bool = False
    released: bool = False
    batch_id: str = ""
    settled_at: datetime | None = None
    security_key: str = msgspec.field(default_factory=new_key)
    instructions: list[tuple[str, datetime]] = msgspec.field(default_factory=list)
    sequence: int = 0
    save_card: bool = False
    session: str = ""

    @property
    def acquirer(self) -> str:
        """The authorisation processor, by which batches are cut."""
        return "AMEX" if self.card is not None and self.card.card_type == "AmericanExpress" else "Elavon"


class Session(msgspec.Struct):
    """A merchant session key: 400 s, one card, one transaction."""

    key: str
    vendor: str
    expires: datetime
    failures: int = 0
    card_identifier: str = ""


class StoredCard(msgspec.Struct):
    """A card identifier: bound to its session until saved, then reusable until removed."""

    identifier: str
    vendor: str
    card: Card
    expires: datetime
    session: str
    reusable: bool = False


class Batch(msgspec.Struct):
    """One settlement batch: an acquirer, a UK day, the rows sent to the bank."""

    id: str
    vendor: str
    acquirer: str
    completed: datetime
    rows: list[Transaction]


class Store:
    """The single store behind every face of the stand-in."""

    def __init__(self) -> None:
        self.transactions: dict[str, Transaction] = {}
        self.codes: dict[tuple[str, str], Transaction] = {}
        self.children: dict[str, list[Transaction]] = {}
        self.sessions: dict[str, Session] = {}
        self.cards: dict[str, StoredCard] = {}
        self.batches: list[Batch] = []
        self._retrieval = 7470133
        self._batch = 100

    def add(self, transaction: Transaction) -> None:
        """Register a transaction under its id and its vendor's code, for ever."""
        self.transactions[transaction.id] = transaction
        self.codes[transaction.vendor, transaction.code] = transaction
        if transaction.reference:
            self.children.setdefault(transaction.reference, []).append(transaction)

    def clear(self) -> None:
        """Forget everything; numbers go on, so that none is ever given twice."""
        for kept in (self.transactions, self.codes, self.children, self.sessions, self.cards, self.batches):
            kept.clear()

    def get(self, vendor: str, transaction_id: str) -> Transaction | None:
        """Find by id, braces and case aside, among a vendor's own."""
        found = self.transactions.get(transaction_id.strip("{}").upper())
        return found if found is not None and found.vendor == vendor else None

    def by_code(self, vendor: str, code: str) -> Transaction | None:
        """Find by ``vendorTxCode`` among a vendor's own."""
        return self.codes.get((vendor, code))

    def of_vendor(self, vendor: str) -> list[Transaction]:
        """A vendor's transactions in order of start."""
        rows = [row for row in self.transactions.values() if row.vendor == vendor]
        rows.sort(key=lambda row: row.created)
        return rows

    def related(self, transaction: Transaction) -> list[Transaction]:
        """Refunds, repeats and authorises made on a transaction."""
        return list(self.children.get(transaction.id, ()))

    def next_retrieval(self) -> int:
        """The next gateway authorisation id; unique and increasing."""
        self._retrieval += 1
        return self._retrieval

    def next_batch(self) -> str:
        """The next batch number."""
        self._batch += 1
        return str(self._batch)
