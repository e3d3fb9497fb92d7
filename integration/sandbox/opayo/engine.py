"""The life cycles: what may be done to a transaction, what it becomes, and the event it leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from integration.sandbox.opayo.bank import Bank
from integration.sandbox.opayo.cards import Card
from integration.sandbox.opayo.clock import SandboxClock, uk_day
from integration.sandbox.opayo.config import Account, OpayoSandboxConfig
from integration.sandbox.opayo.outcome import authorise_bank, decide
from integration.sandbox.opayo.refusals import RefusedError
from integration.sandbox.opayo.store import Details, Store, Transaction, new_id

CHALLENGE_MINUTES = 20


class Sale(msgspec.Struct):
    """A new Payment, Deferred or Authenticate, its card already known."""

    type: str
    code: str
    amount: int
    currency: str
    card: Card
    details: Details
    card_identifier: str = ""
    reusable: bool = False
    save_card: bool = False
    session: str = ""


class Follow(msgspec.Struct):
    """A Refund, Repeat or Authorise of an earlier transaction; no currency means the original's."""

    code: str
    amount: int
    reference: str
    description: str
    currency: str = ""
    shipping: dict[str, str] = {}
    needs_credential: bool = True


Emit = Callable[[str, Transaction, int], None]


class Engine:
    """The state machine over the store.

    ``emit(event_type, transaction, amount_minor)`` is called after each change of money or status.

    Raises (all operations):
        RefusedError: when the gateway says no; nothing has changed then.
    """

    def __init__(self, store: Store, clock: SandboxClock, config: OpayoSandboxConfig, emit: Emit) -> None:
        self.store = store
        self.clock = clock
        self.config = config
        self.emit = emit
        self.challenged: list[Transaction] = []
        self.bank = Bank()

    def claim(self, vendor: str, code: str, currency: str) -> None:
        """Check that a ``vendorTxCode`` is new and the currency on the account."""
        if self.store.by_code(vendor, code) is not None:
            raise RefusedError("code-used")
        if currency and currency not in self.config.currencies:
            raise RefusedError("currency")

    def sell(self, account: Account, sale: Sale) -> Transaction:
        """Take a Payment, Deferred or Authenticate as far as it goes without the shopper."""
        self.claim(account.vendor, sale.code, sale.currency)
        now = self.clock.now()
        row = Transaction(
            new_id(),
            account.vendor,
            sale.code,
            sale.type,
            sale.amount,
            sale.currency,
            now,
            details=sale.details,
        )
        row.card, row.card_identifier, row.reusable = sale.card, sale.card_identifier, sale.reusable
        row.save_card, row.session = sale.save_card, sale.session
        self.store.add(row)
        decide(account, row)
        if row.status == "3DAuth":
            self.challenged.append(row)
        else:
            self.finish(row)
        return row

    def expire_challenges(self) -> None:
        """Give up challenges nobody answered in time."""
        limit = self.clock.now() - timedelta(minutes=CHALLENGE_MINUTES)
        late = [row for row in self.challenged if row.status == "3DAuth" and row.created < limit]
        for row in late:
            row.status, row.status_code, row.txstate = "NotAuthed", "2008", 8
            row.status_detail = "The Transaction timed-out."
        self.challenged = [row for row in self.challenged if row.status == "3DAuth"]

    def challenge(self, row: Transaction, passed: bool) -> None:
        """Record a challenge's result and finish the transaction."""
        if row.status != "3DAuth" or self.clock.now() > row.created + timedelta(minutes=CHALLENGE_MINUTES):
            raise RefusedError("challenge-done")
        if passed:
            row.three_ds = "Authenticated"
            authorise_bank(row)
        else:
            row.three_ds, row.status, row.status_code, row.txstate = (
                "NotAuthenticated",
                "Rejected",
                "2001",
                10,
            )
            row.status_detail = (
                "The Authorisation was Rejected by the vendor rule-base: 3D-Authentication failed."
            )
            row.no_type = True
        self.finish(row)

    def finish(self, row: Transaction) -> None:
        """Give an authorised row its numbers, move its money, and tell what happened."""
        now = self.clock.now()
        row.completed = now
        if row.status in {"Ok", "Authenticated"} and row.retrieval is None:
            row.retrieval = self.store.next_retrieval()
        if row.status == "Ok" and row.type != "Deferred":
            self._capture(row, row.amount, now)
        kinds = {"Ok": "payment.authorised", "NotAuthed": "payment.declined", "Rejected": "payment.rejected"}
        kind = kinds.get(row.status)
        if kind == "payment.authorised" and row.type == "Deferred":
            kind = "payment.deferred"
        if kind is not None:
            self.emit(kind, row, row.amount)
        if row.save_card and row.status in {"Ok", "Authenticated", "Registered"}:
            stored = self.store.cards.get(row.card_identifier)
            if stored is not None:
                stored.reusable = row.reusable = True
                self.emit("token.created", row, 0)

    def refund(self, vendor: str, follow: Follow) -> Transaction:
        """Give money back: partly or wholly, never more than was captured."""
        original = self._original(vendor, follow.reference)
        if original.type not in {"Payment", "Deferred", "Repeat", "RepeatDeferred", "Authorise"}:
            raise RefusedError("wrong-type")
        if original.txstate == 18:
            raise RefusedError("voided")
        if original.txstate != 16:
            raise RefusedError("wrong-state")
        if follow.currency and follow.currency != original.currency:
            raise RefusedError("other-currency")
        if original.refunded >= original.captured:
            raise RefusedError("refunded")
        if original.refunded + follow.amount > original.captured:
            raise RefusedError("refund-exceeds")
        row = self._follow(vendor, "Refund", follow, original)
        original.refunded += row.amount
        self.emit("payment.refunded", row, row.amount)
        return row

    def repeat(self, vendor: str, follow: Follow, deferred: bool = False) -> Transaction:
        """Charge the card of an earlier successful transaction again; the bank may decline it."""
        original = self._original(vendor, follow.reference)
        if original.type in {"Refund", "Authenticate"}:
            raise RefusedError("wrong-type")
        if original.txstate not in {14, 16}:
            raise RefusedError("wrong-state")
        needed = follow.needs_credential and self.config.quirks.credential_type_required
        if needed and not original.details.cof:
            raise RefusedError("no-credential")
        row = self._follow(vendor, "RepeatDeferred" if deferred else "Repeat", follow, original)
        if row.status == "NotAuthed":
            self.emit("payment.declined", row, row.amount)
            return row
        original.repeated = True
        self.emit("payment.deferred" if deferred else "payment.authorised", row, row.amount)
        return row

    def authorise(self, vendor: str, follow: Follow) -> Transaction:
        """Take money on an Authenticate; all together at most 115 % of it."""
        original = self._original(vendor, follow.reference)
        if original.type != "Authenticate":
            raise RefusedError("not-authenticate")
        if original.txstate not in {15, 21}:
            raise RefusedError("wrong-state")
        limit = original.amount * 115
        if (original.authorised + follow.amount) * 100 > limit:
            raise RefusedError("authorise-exceeds")
        row = self._follow(vendor, "Authorise", follow, original)
        row.avs = original.avs
        original.authorised += row.amount
        if original.authorised * 100 == limit:
            original.txstate = 26
        self.emit("payment.authorised", row, row.amount)
        return row

    def instruct(self, row: Transaction, kind: str, amount: int = 0) -> datetime:
        """Apply void, abort, release or cancel and return its moment."""
        actions = {"void": self._void, "abort": self._abort, "cancel": self._cancel}
        if kind == "release":
            self._release(row, amount)
        else:
            actions[kind](row)
        now = self.clock.now()
        row.instructions.append((kind, now))
        return now

    def _void(self, row: Transaction) -> None:
        if row.txstate == 18:
            raise RefusedError("voided")
        if row.txstate != 16 or row.captured_at is None or row.refunded:
            raise RefusedError("wrong-state")
        if row.batch_id or uk_day(row.captured_at) != uk_day(self.clock.now()):
            raise RefusedError("settled")
        if row.type == "Refund":
            self.store.transactions[row.reference].refunded -= row.captured
        amount, row.captured = row.captured, 0
        self._end(row, 18, "2005", "The Void was Successful.")
        self.emit("payment.voided", row, amount)

    def _abort(self, row: Transaction) -> None:
        self._require_hold(row)
        self._end(row, 19, "2006", "The Abort was Successful.")
        self.emit("payment.aborted", row, row.amount)

    def _release(self, row: Transaction, amount: int) -> None:
        self._require_hold(row)
        if amount > row.amount:
            raise RefusedError("release-exceeds")
        row.txstate, row.released = 16, True
        self._capture(row, amount, self.clock.now())
        self.emit("payment.released", row, amount)

    def _cancel(self, row: Transaction) -> None:
        if row.type != "Authenticate":
            raise RefusedError("wrong-type")
        if row.txstate not in {15, 21}:
            raise RefusedError("wrong-state")
        self._end(row, 22, "2012", "The Cancel was Successful.")

    def _require_hold(self, row: Transaction) -> None:
        if row.type not in {"Deferred", "RepeatDeferred"}:
            raise RefusedError("not-deferred")
        if row.txstate == 14:
            return
        states = {16: "released", 18: "voided", 19: "aborted"}
        raise RefusedError(states.get(row.txstate, "not-held"))

    def _end(self, row: Transaction, txstate: int, code: str, detail: str) -> None:
        row.txstate, row.status_code, row.status_detail = txstate, code, detail

    def _original(self, vendor: str, reference: str) -> Transaction:
        original = self.store.get(vendor, reference)
        if original is None:
            raise RefusedError("not-found")
        return original

    def _follow(self, vendor: str, kind: str, follow: Follow, original: Transaction) -> Transaction:
        self.claim(vendor, follow.code, follow.currency)
        now = self.clock.now()
        currency = follow.currency or original.currency
        details = msgspec.structs.replace(
            original.details, description=follow.description, settlement_text=""
        )
        if follow.shipping:
            details.shipping = follow.shipping
        row = Transaction(new_id(), vendor, follow.code, kind, follow.amount, currency, now, details=details)
        row.reference, row.completed = original.id, now
        row.card, row.card_identifier = original.card, original.card_identifier
        row.reusable, row.show_identifier = original.reusable, kind == "Refund"
        row.retrieval, row.bank_code = self.store.next_retrieval(), "00"
        row.bank_auth = "999777"
        declined = kind in {"Repeat", "RepeatDeferred"} and self.bank.refuses(row, now)
        if kind == "RepeatDeferred" and not declined:
            row.txstate = 14
        elif not declined:
            self._capture(row, row.amount, now)
        if kind == "Refund":
            row.status_detail = "The Refund was Successful."
            row.bank_auth = ""
        self.store.add(row)
        return row

    def _capture(self, row: Transaction, amount: int, now: datetime) -> None:
        row.captured, row.captured_at = amount, now
