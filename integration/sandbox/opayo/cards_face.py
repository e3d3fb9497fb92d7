"""Pi's sessions and card identifiers: what the shopper's browser talks to."""

from __future__ import annotations

import re
from datetime import timedelta

from integration.sandbox.opayo.bank import is_expired
from integration.sandbox.opayo.cards import check_cv2, read_card
from integration.sandbox.opayo.clock import SandboxClock, iso_uk
from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.pi_views import problem
from integration.sandbox.opayo.store import Session, Store, StoredCard, new_id
from integration.sandbox.opayo.validation import INVALID, MISSING, Checker
from integration.sandbox.opayo.wire import Body, Request, Response, json_reply

LIFETIME = timedelta(seconds=400)
_FAILURES = 3


def open_session(store: Store, clock: SandboxClock, vendor: str) -> Session:
    """Make a merchant session key."""
    session = Session(new_id(), vendor, clock.now() + LIFETIME)
    store.sessions[session.key] = session
    return session


def session_view(session: Session) -> Body:
    """A session in Pi's JSON."""
    return {"merchantSessionKey": session.key, "expiry": iso_uk(session.expires)}


class CardsFace:
    """``/card-identifiers`` and the reading of sessions."""

    def __init__(self, store: Store, clock: SandboxClock, string_codes: bool) -> None:
        self.store = store
        self.clock = clock
        self.string_codes = string_codes

    def create(self, request: Request, body: Body) -> Response:
        """``POST /card-identifiers`` with a session as bearer."""
        key = request.bearer()
        if not key:
            return problem(401, 1001, "validation.cts.credentials.NotEmpty")
        session = self.store.sessions.get(key.upper())
        if session is None:
            return problem(401, 1002, "Authentication values are incorrect")
        if session.card_identifier or session.expires <= self.clock.now():
            return problem(422, 1011, "Merchant session key or card identifier invalid")
        return self.tokenise(session, body)

    def tokenise(self, session: Session, body: Body) -> Response:
        """Turn card details into an identifier bound to ``session``; the number is forgotten here."""
        check = Checker(body)
        name = check.text("cardDetails.cardholderName", 45, True)
        number = check.text("cardDetails.cardNumber", 19, True, re.compile("[0-9]+"))
        expiry = check.text("cardDetails.expiryDate", 4, True, re.compile("(0[1-9]|1[0-2])[0-9]{2}"))
        code = check.text("cardDetails.securityCode", 4, pattern=re.compile("[0-9]{3,4}"))
        card = read_card(number, expiry, name, code) if number else None
        if number and card is None:
            check.fail("cardDetails.cardNumber", 1007)
        if expiry and is_expired(expiry, self.clock.now()):
            check.fail("cardDetails.expiryDate", 2226)
        if check.problems or card is None:
            session.failures += 1
            if session.failures >= _FAILURES:
                self.store.sessions.pop(session.key, None)
            return check.reply(self.string_codes) or problem(422, 1009, "Contains invalid value")
        stored = StoredCard(new_id(), session.vendor, card, self.clock.now() + LIFETIME, session.key)
        self.store.cards[stored.identifier] = stored
        session.card_identifier = stored.identifier
        return json_reply(
            201,
            {
                "cardIdentifier": stored.identifier,
                "expiry": iso_uk(stored.expires),
                "cardType": card.card_type,
            },
        )

    def link_code(self, identifier: str, body: Body) -> Response:
        """``POST /card-identifiers/{id}/security-code``: a fresh code for a saved card."""
        stored = self.store.cards.get(identifier.upper())
        if stored is None or not stored.reusable:
            return problem(422, 1011, "Merchant session key or card identifier invalid")
        code = body.get("securityCode")
        if not isinstance(code, str) or not re.fullmatch("[0-9]{3,4}", code):
            check = Checker(body)
            check.fail("securityCode", INVALID if code else MISSING)
            return check.reply(self.string_codes) or problem(422, INVALID, "Contains invalid value")
        stored.card.cv2 = check_cv2(stored.card.card_type, code)
        return Response(204)

    def remove(self, account: Account, identifier: str) -> StoredCard | None:
        """Forget a card identifier; None when the vendor has none such."""
        stored = self.store.cards.get(identifier.upper())
        if stored is None or stored.vendor != account.vendor:
            return None
        return self.store.cards.pop(stored.identifier)
