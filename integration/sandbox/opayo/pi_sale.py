"""A Pi body of a first transaction, checked and turned into a sale."""

from __future__ import annotations

import msgspec

from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.engine import Engine, Sale
from integration.sandbox.opayo.pi_views import problem
from integration.sandbox.opayo.refusals import RefusedError
from integration.sandbox.opayo.store import Details, StoredCard
from integration.sandbox.opayo.validation import INVALID, MISSING, Checker, check_credential, check_sale
from integration.sandbox.opayo.wire import Body, Response

_ACCOUNT_TYPES = {"MailOrder": "M", "TelephoneOrder": "M", "ContinuousAuthority": "C"}


def read_sale(engine: Engine, account: Account, check: Checker, client: str) -> Sale | Response:
    """Check a Payment, Deferred or Authenticate and find its card; a Response says what is wrong.

    Raises:
        RefusedError: when session or card identifier are unknown, expired, used or saved already.
    """
    check_sale(check, engine.config.currencies)
    quirks = engine.config.quirks
    card = _card_block(check)
    if quirks.credential_type_required and (card.get("save") or card.get("reusable")):
        check_credential(check, subsequent=False)
    reply = check.reply(quirks.string_error_codes)
    if reply is not None:
        return reply
    stored = _find_card(engine, account, card)
    reusable = bool(card.get("reusable"))
    if card.get("save") and stored.reusable:
        return problem(422, 1020, "The card identifier is already reusable")
    body = check.body
    shown = msgspec.structs.replace(stored.card)
    if stored.reusable:
        # A linked security code serves one transaction only.
        stored.card.cv2 = "NotProvided"
    return Sale(
        type=body["transactionType"],
        code=body["vendorTxCode"],
        amount=body["amount"],
        currency=body["currency"],
        card=shown,
        details=_details(body, client),
        card_identifier=stored.identifier,
        reusable=reusable,
        save_card=bool(card.get("save")),
        session=str(card["merchantSessionKey"]).upper(),
    )


def _card_block(check: Checker) -> Body:
    method = check.get("paymentMethod")
    if not isinstance(method, dict) or not method:
        check.fail("paymentMethod", MISSING)
        return {}
    card = method.get("card")
    if not isinstance(card, dict):
        # Wallets need an account of their own; this one has cards only.
        check.fail("paymentMethod." + next(iter(method)), INVALID)
        return {}
    for name in ("merchantSessionKey", "cardIdentifier"):
        check.text(f"paymentMethod.card.{name}", 38, True)
    for name in ("save", "reusable"):
        if not isinstance(card.get(name, False), bool):
            check.fail(f"paymentMethod.card.{name}", INVALID)
    return card


def _find_card(engine: Engine, account: Account, card: Body) -> StoredCard:
    now = engine.clock.now()
    session = engine.store.sessions.get(str(card["merchantSessionKey"]).upper())
    stored = engine.store.cards.get(str(card["cardIdentifier"]).upper())
    known = session is not None and stored is not None and session.vendor == stored.vendor == account.vendor
    if session is None or stored is None or not known or session.expires <= now:
        raise RefusedError("session")
    fresh = not stored.reusable and stored.session == session.key and stored.expires > now
    if stored.reusable != bool(card.get("reusable")) and not (stored.reusable and card.get("save")):
        raise RefusedError("session")
    if not stored.reusable and not fresh:
        raise RefusedError("session")
    return stored


def _details(body: Body, client: str) -> Details:
    billing = {name: str(value) for name, value in body["billingAddress"].items() if value is not None}
    shipping = body.get("shippingDetails") or {}
    credential = body.get("credentialType") or {}
    sca = body.get("strongCustomerAuthentication") or {}
    recipient = body.get("fiRecipient")
    return Details(
        description=body["description"],
        first_names=body["customerFirstName"],
        surname=body["customerLastName"],
        billing=billing,
        shipping={name: str(value) for name, value in shipping.items() if value is not None},
        email=body.get("customerEmail") or "",
        phone=body.get("customerPhone") or "",
        client_ip=str(sca.get("browserIP") or client),
        account_type=_ACCOUNT_TYPES.get(body.get("entryMethod") or "", "E"),
        gift_aid=bool(body.get("giftAid")),
        settlement_text=body.get("settlementReferenceText") or "",
        fi_recipient=recipient if isinstance(recipient, dict) else {},
        website=str(sca.get("website") or ""),
        notification_url=str(sca.get("notificationURL") or ""),
        cof=credential.get("cofUsage") == "First" or credential.get("initiatedType") == "CIT",
        apply_avs=body.get("applyAvsCvcCheck") or "UseMSPSetting",
        apply_3ds=body.get("apply3DSecure") or "UseMSPSetting",
    )
