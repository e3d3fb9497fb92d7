"""The stand-in's own controls under ``/_sandbox/``: clock, webhook, ledger, a shopper who pays. All ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from integration.sandbox.opayo.cards_face import open_session
from integration.sandbox.opayo.clock import iso_utc
from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.hosted_page import take
from integration.sandbox.opayo.parts import Parts
from integration.sandbox.opayo.pi_views import refused, transaction_style
from integration.sandbox.opayo.refusals import RefusedError
from integration.sandbox.opayo.server_face import PaidBody
from integration.sandbox.opayo.store import Transaction
from integration.sandbox.opayo.validation import TransactionStyleError
from integration.sandbox.opayo.webhook import Subscriber
from integration.sandbox.opayo.wire import Body, Request, Response, json_reply

PREFIX = "/_sandbox/"
_DEFAULT_SALE: Body = {
    "transactionType": "Payment",
    "description": "Sandbox sale",
    "customerFirstName": "Sam",
    "customerLastName": "Shopper",
    "billingAddress": {"address1": "88", "city": "London", "postalCode": "412", "country": "GB"},
}


class ClockBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``POST /_sandbox/clock``: seconds to advance, or an aware moment to be now."""

    advance_seconds: float = 0.0
    now: datetime | None = None


class WebhookBody(msgspec.Struct, forbid_unknown_fields=True):
    """Body of ``PUT /_sandbox/webhook``; empty ``url`` unsubscribes, empty ``secret`` takes the default."""

    url: str
    secret: str = ""
    vendor: str = ""


class ChargebackBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Body of ``POST /_sandbox/chargeback``: ``stage`` is opened, updated or closed; amount in minor units."""

    transaction_id: str
    stage: str = "opened"
    amount: int | None = None


class BankBody(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """Body of ``POST /_sandbox/bank``: how the card of a transaction answers its next repeats (accept, soft …).

    The transaction is named by its id, or by its ``vendorTxCode``.
    """

    answers: list[str]
    transaction_id: str = ""
    vendor_tx_code: str = ""


class Control:
    """Answers everything under ``/_sandbox/`` but the faults.

    Attributes:
        more: controls of what is served beside Opayo and written from its books, by method and path.
    """

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.more: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {}
        self._routes: dict[tuple[str, str], Callable[[Request], Awaitable[Response]]] = {
            ("GET", "clock"): self._clock,
            ("POST", "clock"): self._clock,
            ("GET", "webhook"): self._webhook,
            ("PUT", "webhook"): self._webhook,
            ("GET", "ledger"): self._ledger,
            ("POST", "pay"): self._pay,
            ("POST", "server/pay"): self._server_pay,
            ("POST", "chargeback"): self._chargeback,
            ("POST", "bank"): self._bank,
            ("POST", "reset"): self._reset,
        }

    async def answer(self, request: Request) -> Response:
        """Answer one control call; a body that cannot be meant gets 422."""
        named = (request.method, request.path[len(PREFIX) :].rstrip("/"))
        route = self._routes.get(named) or self.more.get(named)
        if route is None:
            return json_reply(404, {"error": "No such control."})
        try:
            return await route(request)
        except (msgspec.MsgspecError, ValueError) as error:
            return json_reply(422, {"error": str(error)})

    async def _clock(self, request: Request) -> Response:
        clock = self.parts.clock
        if request.method == "POST":
            body = msgspec.json.decode(request.body, type=ClockBody)
            if body.now is not None:
                if body.now.tzinfo is None:
                    raise ValueError("The moment needs a time zone.")
                clock.set(body.now)
            clock.advance(body.advance_seconds)
            self.parts.settlement.restart()
            self.parts.tick()
        return json_reply(200, {"now": iso_utc(clock.now()), "offset_seconds": clock.offset.total_seconds()})

    async def _webhook(self, request: Request) -> Response:
        sender, config = self.parts.sender, self.parts.config
        if request.method == "PUT":
            body = msgspec.json.decode(request.body, type=WebhookBody)
            vendor = body.vendor or config.vendor
            sender.subscribers.pop(vendor, None)
            if body.url:
                sender.subscribers[vendor] = Subscriber(body.url, body.secret or config.webhook_secret)
        return json_reply(200, {"subscribers": {name: one.url for name, one in sender.subscribers.items()}})

    async def _ledger(self, request: Request) -> Response:
        vendor = request.arguments().get("vendor", "")
        rows = [
            ledger_row(row) for row in self.parts.store.transactions.values() if vendor in {"", row.vendor}
        ]
        events = {
            **self.parts.sender.counts,
            "pending": self.parts.sender.pending,
            **self.parts.notifier.counts,
        }
        for name in ("emitted", "sent", "doubled", "forged", "reordered", "delayed"):
            events.setdefault(name, 0)
        held = {"transactions": rows, "events": events, "batches": len(self.parts.store.batches)}
        return json_reply(200, {**held, "repeatsAfterHardDecline": self.parts.engine.bank.asked_again})

    async def _pay(self, request: Request) -> Response:
        body: Body = msgspec.json.decode(request.body, type=dict)
        account = self._account(str(body.pop("vendorName", "") or self.parts.config.vendor))
        session = open_session(self.parts.store, self.parts.clock, account.vendor)
        details = {
            "cardholderName": body.pop("cardholderName", "SUCCESSFUL"),
            "cardNumber": body.pop("cardNumber", "4929000000006"),
            "expiryDate": body.pop("expiryDate", "1235"),
            "securityCode": body.pop("securityCode", "123"),
        }
        made = self.parts.pi.cards.tokenise(session, {"cardDetails": details})
        if made.status != 201:
            return made
        card = {"merchantSessionKey": session.key, **msgspec.json.decode(made.body)}
        card = {name: card[name] for name in ("merchantSessionKey", "cardIdentifier")}
        card.update(body.pop("card", {}))
        sale = {**_DEFAULT_SALE, **body, "paymentMethod": {"card": card}}
        try:
            return self.parts.pi.create(request, account, sale)
        except RefusedError as error:
            return refused(error)
        except TransactionStyleError as error:
            return transaction_style(error.code, error.text)

    async def _server_pay(self, request: Request) -> Response:
        shopper = msgspec.json.decode(request.body, type=PaidBody)
        registration = self.parts.server.registrations.get(shopper.vps_tx_id.strip("{}").upper())
        if registration is None or registration.row.txstate not in {2, 3}:
            return json_reply(404, {"error": "There is no such open registration."})
        url = await take(self.parts.server, registration, shopper)
        if url is None:
            return json_reply(422, {"error": "Only published test cards are taken."})
        row = registration.row
        return json_reply(
            200,
            {
                "status": row.status,
                "statusCode": row.status_code,
                "txStateId": row.txstate,
                "redirectUrl": url,
            },
        )

    async def _chargeback(self, request: Request) -> Response:
        body = msgspec.json.decode(request.body, type=ChargebackBody)
        row = self.parts.store.transactions.get(body.transaction_id.strip("{}").upper())
        if row is None or body.stage not in {"opened", "updated", "closed"}:
            return json_reply(404, {"error": "There is no such transaction or stage."})
        amount = row.captured if body.amount is None else body.amount
        self.parts.sender.emit(f"chargeback.{body.stage}", row, amount)
        return json_reply(202, {"amount": amount})

    async def _bank(self, request: Request) -> Response:
        body = msgspec.json.decode(request.body, type=BankBody)
        row = self.parts.store.transactions.get(body.transaction_id.strip("{}").upper())
        row = row or self.parts.store.by_code(self.parts.config.vendor, body.vendor_tx_code)
        self.parts.engine.bank.script("" if row is None else row.card_identifier, body.answers)
        return Response(204)

    async def _reset(self, request: Request) -> Response:
        self.parts.store.clear()
        self.parts.engine.bank.clear()
        self.parts.server.registrations.clear()
        self.parts.sender.counts.clear()
        self.parts.notifier.counts.clear()
        return Response(204)

    def _account(self, vendor: str) -> Account:
        for account in self.parts.config.accounts:
            if account.vendor.lower() == vendor.lower():
                return account
        raise ValueError(f"There is no vendor named {vendor}.")


def ledger_row(row: Transaction) -> Body:
    """One transaction in the ledger; ``captured`` and ``refunded`` are minor units that really moved."""
    return {
        "transactionId": row.id,
        "vendorTxCode": row.code,
        "vendorName": row.vendor,
        "transactionType": row.type,
        "amount": row.amount,
        "currency": row.currency,
        "state": row.txstate,
        "status": row.status,
        "statusCode": row.status_code,
        "captured": row.captured,
        "refunded": row.refunded,
        "referenceTransactionId": row.reference or None,
        "batchId": row.batch_id or None,
        "createdAt": iso_utc(row.created),
    }
