"""The v3 routes: payments, refunds and tokens at Opayo, for the shop's own server. No card ever comes through here.

The pair is that of the API key; a key for every pair names it in `X-Pair`. What is done here needs no webhook to
reach SYSPRO: each success is put into our own inbox in the transaction that writes it down.
"""

from __future__ import annotations

import msgspec
from litestar import Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from integration.canonical.payment import GatewayTransaction
from integration.errors import InvalidPayment, Misconfigured
from integration.ports import Challenge, HostedPayment, PaymentRequest
from service.api import related
from service.api.access import needs
from service.api.counter import Counter, provide_counter
from service.api.outcomes import GO_ON, Outcome, answer, mark
from service.api.v3 import (
    KINDS,
    ChallengeResult,
    NewToken,
    NewTransaction,
    StillUnknown,
    TokenShown,
    TransactionShown,
    challenge_shown,
    hosted_shown,
    plain_id,
    shown,
)
from service.flow import instructions, intents, requests
from service.store import cards, registrations
from service.store.cards import NewCard
from service.store.registrations import GatewayRequest


@post(
    "/transactions",
    guards=[needs("operator")],
    responses=GO_ON,
    summary="Take a payment",
)
async def new_transaction(
    data: JSONBody[NewTransaction], counter: NamedDependency[Counter]
) -> Response[Outcome]:
    """Take, hold or check a payment. 201: Opayo has decided, perhaps to decline; 202: go on as the answer says."""
    code = counter.code(data.vendor_tx_code)
    if data.hosted:
        return await _hosted(data, counter, code)
    return answer(await _pay(data, counter, code), code)


async def _pay(
    data: NewTransaction, counter: Counter, code: str, *, save: bool = False
) -> GatewayTransaction | Challenge | None:
    if not data.merchant_session_key or not data.card_identifier:
        raise InvalidPayment(
            "A payment needs `merchantSessionKey` and `cardIdentifier`",
            code="opayo.card-identifier",
            hint="Get a session key from /api/v3/tokens and let the browser exchange the card for an identifier.",
        )
    extra = data.extra()
    if save:
        extra.setdefault("credentialType", {"cofUsage": "First", "initiatedType": "CIT"})
    request = PaymentRequest(
        kind=KINDS[data.transaction_type],
        vendor_tx_code=code,
        amount=data.money(),
        description=data.description,
        merchant_session_key=data.merchant_session_key,
        card_identifier=data.card_identifier,
        customer=data.customer.party(),
        billing=data.billing_address.postal(),
        reusable=data.reusable,
        save_card=save,
        extra=extra,
    )
    credential = extra.get("credentialType")
    if save or (isinstance(credential, dict) and credential.get("cofUsage") == "First"):
        await _keep_card(counter, request, data.customer_account)
    return await requests.pay(counter.till, request, mark(data))


async def _keep_card(counter: Counter, request: PaymentRequest, customer: str) -> None:
    """Write down whose card this is before it is charged; it may be used once the payment was taken."""
    reusable = request.save_card or request.reusable
    card = NewCard(
        pair=counter.till.pair,
        vendor_tx_code=request.vendor_tx_code,
        customer=customer,
        card_identifier=request.card_identifier if reusable else "",
    )
    async with counter.context.engine.begin() as connection:
        await cards.keep(connection, counter.context.vault, card)


async def _hosted(data: NewTransaction, counter: Counter, code: str) -> Response[Outcome]:
    public_url = counter.context.settings.public_url.rstrip("/")
    if not public_url:
        raise Misconfigured(
            "Hosted payments need an address at which Opayo reaches this service",
            code="settings.public-url",
            hint="Set OPAYO_SYSPRO_PUBLIC_URL (https://…) and start the service again.",
        )
    billing = data.billing_address.postal()
    hosted = HostedPayment(
        kind=KINDS[data.transaction_type],
        vendor_tx_code=code,
        amount=data.money(),
        description=data.description,
        notification_url=f"{public_url}/webhooks/opayo/{counter.till.pair}/notification",
        customer=data.customer.party(),
        billing=billing,
        delivery=data.delivery_address.postal() if data.delivery_address else billing,
    )
    made = await requests.register(counter.till, counter.context.vault, hosted, mark(data))
    return Response(hosted_shown(made, code), status_code=201)


@get("/transactions/{transaction_id:str}", guards=[needs("viewer")], summary="Show a transaction")
async def show_transaction(
    transaction_id: FromPath[str], counter: NamedDependency[Counter]
) -> TransactionShown:
    """A transaction as Opayo holds it now, and what of it was refunded through this service."""
    found = await counter.till.gateway.transaction(plain_id(transaction_id))
    async with counter.context.engine.begin() as connection:
        pair = counter.till.pair
        refunded = await registrations.refunded_minor(connection, pair, found.transaction_id)
        code = found.vendor_tx_code or await registrations.code_of(connection, pair, found.transaction_id)
    return shown(msgspec.structs.replace(found, vendor_tx_code=code), refunded)


@get("/requests/{vendor_tx_code:str}", guards=[needs("viewer")], summary="Ask what became of a request")
async def show_request(vendor_tx_code: FromPath[str], counter: NamedDependency[Counter]) -> Response[Outcome]:
    """What became of a payment or refund whose answer was lost: looked up at Opayo, 202 while nobody knows."""
    async with counter.context.engine.connect() as connection:
        known = await registrations.one(connection, counter.till.pair, vendor_tx_code)
    if known is None or known["kind"] in instructions.KINDS:
        raise NotFoundException("There is no request with this vendor transaction code.")
    intent = msgspec.convert({name: known[name] for name in GatewayRequest.__struct_fields__}, GatewayRequest)
    told = answer(await intents.outcome(counter.till, intent, known), vendor_tx_code)
    return Response(told.content, status_code=200 if told.status_code == 201 else 202)


@post(
    "/transactions/{transaction_id:str}/3d-secure-challenge",
    guards=[needs("operator")],
    summary="Finish a 3-D Secure challenge",
)
async def finish_challenge(
    transaction_id: FromPath[str], data: JSONBody[ChallengeResult], counter: NamedDependency[Counter]
) -> TransactionShown:
    """Give the bank's answer to Opayo; the transaction is then decided."""
    return shown(await requests.finish_challenge(counter.till, plain_id(transaction_id), data.c_res))


@post("/tokens", guards=[needs("operator")], summary="Get a session key, or save a card")
async def new_token(
    counter: NamedDependency[Counter], data: JSONBody[NewToken | None] = None
) -> Response[TokenShown | StillUnknown]:
    """Without a transaction: a session key for the browser. With one: it is made, and its card saved."""
    if data is None or data.transaction is None:
        key = await counter.till.gateway.session_key()
        return Response(
            TokenShown(merchant_session_key=key.merchant_session_key, expiry=key.expiry), status_code=201
        )
    wanted = data.transaction
    if wanted.hosted or wanted.reusable:
        raise InvalidPayment(
            "A card is saved by a payment with a fresh card identifier", code="opayo.card-identifier"
        )
    code = counter.code(wanted.vendor_tx_code)
    found = await _pay(wanted, counter, code, save=True)
    saved = wanted.card_identifier
    if isinstance(found, Challenge):
        told = TokenShown(card_identifier=saved, challenge=challenge_shown(found, code))
        return Response(told, status_code=202)
    if found is None:
        unknown = StillUnknown(vendor_tx_code=code, poll=f"/api/v3/requests/{code}")
        return Response(unknown, status_code=202, headers={"location": unknown.poll})
    return Response(TokenShown(card_identifier=saved, transaction=shown(found)), status_code=201)


router = Router(
    path="/api/v3",
    route_handlers=[
        new_transaction,
        *related.HANDLERS,
        show_transaction,
        show_request,
        finish_challenge,
        new_token,
    ],
    dependencies={"counter": Provide(provide_counter)},
    tags=["Transactions"],
)
