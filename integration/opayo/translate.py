"""Between the Pi REST API's documents and the canonical ones."""

from __future__ import annotations

import re

import msgspec
from msgspec import Struct

from integration.canonical.money import Money
from integration.canonical.payment import Card, GatewayTransaction, RiskChecks, TransactionKind
from integration.errors import InvalidPayment
from integration.opayo import schema
from integration.opayo.vocabulary import kind_of, known_status, state_of
from integration.opayo.wire import (
    BillingAddress,
    CardReference,
    InstructionBody,
    PaymentBody,
    PaymentMethod,
    PiDecline,
    PiTransaction,
    RelatedBody,
    code_text,
    plain_text,
)
from integration.ports import Instruction, PaymentRequest, RelatedRequest

_TYPES: dict[str, str] = {
    "payment": "Payment",
    "deferred": "Deferred",
    "authenticate": "Authenticate",
    "refund": "Refund",
    "repeat": "Repeat",
    "authorise": "Authorise",
}


_EXPIRY = re.compile("(?:0[1-9]|1[0-2])[0-9]{2}")


class Known(Struct, frozen=True, kw_only=True):
    """What we know ourselves of a transaction whose answer may leave it out."""

    kind: TransactionKind = "unknown"
    vendor_tx_code: str = ""
    amount: Money | None = None
    related: str | None = None


def transaction(wire: PiTransaction, known: Known) -> GatewayTransaction | None:
    """An answer as a canonical transaction; what it leaves out is taken from what we know.

    Returns:
        `None` when amount or state cannot be told from it: Reporting must be asked.
    """
    decline = wire.additional_decline_detail or PiDecline()
    kind = kind_of(wire.transaction_type)
    kind = known.kind if kind == "unknown" else kind
    code = code_text(wire.status_code)
    state = state_of(wire.status or "", code, kind)
    amount = _amount(wire) or known.amount
    undecided = state == "unknown" and (wire.status or "").strip().upper() in ("OK", "ERROR")
    # A deferred payment reads the same before and after its release; only a fresh one is surely held.
    perhaps_released = state == "held" and known.kind != "deferred"
    if amount is None or undecided or perhaps_released:
        return None
    return GatewayTransaction(
        transaction_id=schema.transaction_id(wire.transaction_id or ""),
        vendor_tx_code=wire.vendor_tx_code or known.vendor_tx_code,
        kind=kind,
        state=state,
        amount=amount,
        status=known_status(wire.status or ""),
        status_code=code,
        status_detail=schema.mask_digits(wire.status_detail or "") + _decline(wire.additional_decline_detail),
        related_transaction_id=known.related,
        card=_card(wire),
        checks=_checks(wire),
        bank_authorisation_code=plain_text(wire.bank_authorisation_code),
        bank_response_code=plain_text(wire.bank_response_code),
        retrieval_reference=_reference(wire),
        decline_code=plain_text(decline.code),
        decline_category=_category(decline),
    )


def _amount(wire: PiTransaction) -> Money | None:
    if wire.amount is None or wire.amount.total_amount is None or not wire.currency:
        return None
    return Money(wire.amount.total_amount, wire.currency)


def _reference(wire: PiTransaction) -> str:
    # After a void or abort it reads 0.
    text = plain_text(wire.retrieval_reference)
    return "" if text == "0" else text


def _decline(detail: PiDecline | None) -> str:
    if detail is None or not (detail.code or detail.description):
        return ""
    category = plain_text(detail.category)
    return f" [{plain_text(detail.code)} {detail.description or ''}, category {category}]"


def _category(detail: PiDecline) -> str:
    text = plain_text(detail.category).strip()
    return text.zfill(2) if text else ""


def _card(wire: PiTransaction) -> Card:
    card = wire.payment_method.card if wire.payment_method else None
    if card is None:
        return Card()
    last_four = plain_text(card.last_four_digits)[-4:]
    expiry = plain_text(card.expiry_date if card.expiry_date is not None else card.expiry).zfill(4)
    return Card(
        scheme=card.card_type or "",
        last_four=last_four.zfill(4) if last_four else "",
        expiry=expiry if _EXPIRY.fullmatch(expiry) else "",
    )


def _checks(wire: PiTransaction) -> RiskChecks:
    secure = (wire.three_d_secure.status or "") if wire.three_d_secure else ""
    checks = wire.avs_cvc_check
    if checks is None:
        return RiskChecks(three_d_secure=secure)
    return RiskChecks(
        avs_cv2=checks.status or "",
        address=checks.address or "",
        postcode=checks.postal_code or "",
        security_code=checks.security_code or "",
        three_d_secure=secure,
    )


def payment_body(request: PaymentRequest) -> bytes:
    """The JSON of a customer-present transaction.

    Raises:
        InvalidPayment: code, amount or further members that Opayo would refuse.
        CardDataRefused: card data among the further members or in the description.
    """
    first, last = schema.person(request.customer)
    line1, line2, line3 = schema.street(request.billing)
    schema.refuse_card_data(request.description, "description")
    body = PaymentBody(
        transaction_type=_TYPES[request.kind],
        payment_method=PaymentMethod(
            CardReference(
                merchant_session_key=request.merchant_session_key,
                card_identifier=request.card_identifier,
                reusable=request.reusable,
                save=request.save_card,
            )
        ),
        vendor_tx_code=schema.vendor_tx_code(request.vendor_tx_code),
        amount=schema.minor_units(request.amount, zero_allowed=request.kind == "authenticate"),
        currency=request.amount.currency,
        description=schema.clean(request.description, schema.DESCRIPTION) or request.vendor_tx_code,
        customer_first_name=first,
        customer_last_name=last,
        billing_address=BillingAddress(
            address1=line1,
            address2=line2,
            address3=line3,
            city=schema.city(request.billing),
            postal_code=schema.postcode(request.billing),
            country=schema.country(request.billing),
            state=schema.state(request.billing),
        ),
        customer_email=schema.email(request.customer.email),
        customer_phone=schema.phone(request.customer.phone),
    )
    return _joined(body, dict(request.extra))


def related_body(request: RelatedRequest) -> bytes:
    """The JSON of a refund, repeat or authorise; only a repeat carries a currency.

    Raises:
        InvalidPayment: code, id, amount or further members that Opayo would refuse.
        CardDataRefused: card data among the further members or in the description.
    """
    limit = schema.REPEAT_DESCRIPTION if request.kind == "repeat" else schema.DESCRIPTION
    schema.refuse_card_data(request.description, "description")
    body = RelatedBody(
        transaction_type=_TYPES[request.kind],
        reference_transaction_id=schema.transaction_id(request.related_transaction_id),
        vendor_tx_code=schema.vendor_tx_code(request.vendor_tx_code),
        amount=schema.minor_units(request.amount),
        currency=request.amount.currency if request.kind == "repeat" else "",
        description=schema.clean(request.description, limit) or request.vendor_tx_code,
    )
    return _joined(body, dict(request.extra))


def instruction_body(instruction: Instruction) -> bytes:
    """The JSON of an instruction.

    Raises:
        InvalidPayment: a release without an amount.
    """
    amount = None
    if instruction.kind == "release":
        if instruction.amount is None:
            raise InvalidPayment("A release needs the amount to take", code="opayo.amount")
        amount = schema.minor_units(instruction.amount)
    return msgspec.json.encode(InstructionBody(instruction.kind, amount))


def _joined(body: Struct, extra: dict[str, object]) -> bytes:
    members = msgspec.to_builtins(body)
    if clash := sorted(set(extra) & (set(members) | {"currency", "state"})):
        raise InvalidPayment(
            f"Further members must not replace our own: {', '.join(clash)}", code="opayo.extra-members"
        )
    schema.refuse_card_data(extra)
    return msgspec.json.encode({**members, **extra})
