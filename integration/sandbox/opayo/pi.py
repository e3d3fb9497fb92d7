"""Pi REST, ``/api/v1``: the routes, who may call them, and the transactions."""

from __future__ import annotations

import re

import msgspec

from integration.sandbox.opayo.cards_face import CardsFace, open_session, session_view
from integration.sandbox.opayo.clock import iso_uk
from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.engine import Engine, Follow
from integration.sandbox.opayo.pi_sale import read_sale
from integration.sandbox.opayo.pi_views import (
    challenge_view,
    decode_message,
    problem,
    refused,
    transaction_style,
    transaction_view,
)
from integration.sandbox.opayo.refusals import RefusedError
from integration.sandbox.opayo.store import Transaction
from integration.sandbox.opayo.validation import (
    Checker,
    TransactionStyleError,
    check_credential,
    check_follow,
)
from integration.sandbox.opayo.wire import Body, Request, Response, json_reply

PREFIX = "/api/v1/"
_SALES = frozenset({"Payment", "Deferred", "Authenticate"})
_FOLLOWS = frozenset({"Repeat", "Refund", "Authorise"})
_GUID = re.compile("[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_INSTRUCTIONS = frozenset({"void", "abort", "release", "cancel"})


class PiFace:
    """Answers everything under ``/api/v1``."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.store = engine.store
        self.clock = engine.clock
        self.quirks = engine.config.quirks
        self.cards = CardsFace(engine.store, engine.clock, self.quirks.string_error_codes)
        self._accounts = {account.integration_key: account for account in engine.config.accounts}

    def answer(self, request: Request) -> Response:
        """Answer one request; refusals and validation failures become their wire shapes."""
        parts = request.path[len(PREFIX) :].rstrip("/").split("/")
        try:
            body = _body(request)
        except msgspec.MsgspecError:
            account = None if parts[0] == "card-identifiers" else self._account(request)
            if isinstance(account, Response):
                return account
            return problem(400, 1000, "The request could not be understood: it is not JSON")
        try:
            return self._route(request, parts, body)
        except RefusedError as error:
            return refused(error)
        except TransactionStyleError as error:
            return transaction_style(error.code, error.text)

    def _route(self, request: Request, parts: list[str], body: Body) -> Response:
        if parts[0] == "card-identifiers":
            return self._card_route(request, parts, body)
        if parts[0] == "merchant-session-keys":
            return self._session_route(request, parts, body)
        if parts[0] != "transactions":
            return json_reply(404, {"status": 404, "error": "Not Found"})
        account = self._account(request)
        if isinstance(account, Response):
            return account
        if len(parts) == 1:
            return self.create(request, account, body) if request.method == "POST" else _not_allowed()
        row = self.store.get(account.vendor, parts[1])
        if row is None:
            return problem(404, 1012, "Transaction not found")
        return self._transaction_route(request, parts[2:], row, body)

    def _transaction_route(self, request: Request, rest: list[str], row: Transaction, body: Body) -> Response:
        if not rest:
            return json_reply(200, transaction_view(row)) if request.method == "GET" else _not_allowed()
        if rest == ["instructions"]:
            return self._read_instructions(row) if request.method == "GET" else self._instruct(row, body)
        if rest == ["3d-secure-challenge"] and request.method == "POST":
            return self._challenge(row, body)
        return json_reply(404, {"status": 404, "error": "Not Found"})

    def _account(self, request: Request) -> Account | Response:
        given = request.basic()
        if given is None:
            return problem(401, 1001, "Authentication values are missing")
        account = self._accounts.get(given[0])
        if account is None or account.integration_password != given[1]:
            return problem(401, 1002, "Authentication values are incorrect")
        return account

    def _session_route(self, request: Request, parts: list[str], body: Body) -> Response:
        account = self._account(request)
        if isinstance(account, Response) and not (
            self.quirks.lenient_session_read and request.method == "GET"
        ):
            return account
        if len(parts) == 2 and request.method == "GET":
            if not _GUID.fullmatch(parts[1]):
                return problem(400, 1009, "Contains invalid value")
            session = self.store.sessions.get(parts[1].upper())
            if session is None or session.expires <= self.clock.now():
                return problem(404, 1006, "Merchant session key not found")
            return json_reply(200, session_view(session))
        if len(parts) != 1 or request.method != "POST" or isinstance(account, Response):
            return _not_allowed()
        check = Checker(body)
        vendor = check.text("vendorName", 15, True)
        if vendor and vendor.lower() != account.vendor.lower():
            check.fail("vendorName", 1009)
        return check.reply(self.quirks.string_error_codes) or json_reply(
            201, session_view(open_session(self.store, self.clock, account.vendor))
        )

    def _card_route(self, request: Request, parts: list[str], body: Body) -> Response:
        if len(parts) == 1:
            return self.cards.create(request, body) if request.method == "POST" else _not_allowed()
        if len(parts) == 3 and parts[2] == "security-code" and request.method == "POST":
            # Sources disagree on the scheme of this link: both are taken.
            if request.bearer().upper() not in self.store.sessions:
                account = self._account(request)
                if isinstance(account, Response):
                    return account
            return self.cards.link_code(parts[1], body)
        account = self._account(request)
        if isinstance(account, Response):
            return account
        if len(parts) != 2 or request.method != "DELETE":
            return _not_allowed()
        removed = self.cards.remove(account, parts[1])
        return Response(200) if removed else problem(404, 1011, "Card identifier not found")

    def create(self, request: Request, account: Account, body: Body) -> Response:
        """``POST /transactions`` of an authenticated account.

        Raises:
            RefusedError: when the gateway says no.
            TransactionStyleError: for the validation failures Pi words that way.
        """
        check = Checker(body)
        kind = check.choice("transactionType", sorted(_SALES | _FOLLOWS), True)
        if kind in _FOLLOWS:
            return self._follow(account, check, kind)
        if not kind:
            return check.reply(self.quirks.string_error_codes) or _not_allowed()
        sale = read_sale(self.engine, account, check, request.client)
        if isinstance(sale, Response):
            return sale
        row = self.engine.sell(account, sale)
        self.store.sessions.pop(sale.session, None)
        if not sale.reusable and not sale.save_card:
            self.store.cards.pop(sale.card_identifier, None)
        if row.status == "3DAuth":
            base = self.engine.config.public_url or request.base_url
            return json_reply(202, challenge_view(row, f"{base}/3ds-acs"))
        return json_reply(201, transaction_view(row))

    def _follow(self, account: Account, check: Checker, kind: str) -> Response:
        check_follow(check, kind, self.engine.config.currencies, self.quirks.refuse_refund_currency)
        if kind == "Repeat" and self.quirks.credential_type_required:
            check_credential(check, subsequent=True)
        reply = check.reply(self.quirks.string_error_codes)
        if reply is not None:
            return reply
        body = check.body
        shipping = body.get("shippingDetails")
        follow = Follow(
            code=body["vendorTxCode"],
            amount=body["amount"],
            reference=body["referenceTransactionId"],
            description=body["description"],
            currency=body["currency"] if kind == "Repeat" else "",
            shipping=shipping if isinstance(shipping, dict) else {},
        )
        actions = {
            "Refund": self.engine.refund,
            "Repeat": self.engine.repeat,
            "Authorise": self.engine.authorise,
        }
        return json_reply(201, transaction_view(actions[kind](account.vendor, follow)))

    def _instruct(self, row: Transaction, body: Body) -> Response:
        check = Checker(body)
        kind = check.choice("instructionType", sorted(_INSTRUCTIONS), True)
        amount = check.amount(1) if kind == "release" else 0
        reply = check.reply(self.quirks.string_error_codes)
        if reply is not None:
            return reply
        moment = self.engine.instruct(row, kind, amount)
        return json_reply(201, {"instructionType": kind, "date": iso_uk(moment)})

    def _read_instructions(self, row: Transaction) -> Response:
        if not row.instructions:
            return problem(404, 1019, "No instructions found")
        listed = [{"instructionType": kind, "date": iso_uk(moment)} for kind, moment in row.instructions]
        return json_reply(200, {"instructions": listed})

    def _challenge(self, row: Transaction, body: Body) -> Response:
        check = Checker(body)
        text = check.text("cRes", 20000, True)
        reply = check.reply(self.quirks.string_error_codes)
        if reply is not None:
            return reply
        message = decode_message(text) or {}
        ours = message.get("acsTransID") == row.acs_id and message.get("messageType") == "CRes"
        self.engine.challenge(row, ours and message.get("transStatus") == "Y")
        return json_reply(201, transaction_view(row))


def _body(request: Request) -> Body:
    if request.method != "POST" or not request.body:
        return {}
    decoded = msgspec.json.decode(request.body)
    if not isinstance(decoded, dict):
        raise msgspec.ValidationError("not an object")
    return decoded


def _not_allowed() -> Response:
    return json_reply(405, {"status": 405, "error": "Method Not Allowed"})
