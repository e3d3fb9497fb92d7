"""One vendor's Opayo, as the port `Gateway` asks for it.

The Pi REST API has no idempotency key and no look-up by our own code: a payment is sent once, and after a lost
answer it is looked up in Reporting before anything is sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import msgspec

from integration.canonical.listing import ListedTransaction, ListingPage, ListingWindow
from integration.canonical.payment import GatewayState, GatewayTransaction
from integration.errors import Misconfigured, NotFound, OutcomeUnknown, Rejected, Transient
from integration.http import HttpClient, Spent
from integration.opayo import schema, server, translate
from integration.opayo.config import OpayoConfig
from integration.opayo.pi import PiApi, settled
from integration.opayo.reporting import Reporting
from integration.opayo.translate import Known
from integration.opayo.wire import (
    ChallengeAnswer,
    PiInstructionDone,
    PiSessionKey,
    PiTransaction,
    SessionKeyRequest,
    code_text,
)
from integration.ports import (
    Challenge,
    HostedPayment,
    Instruction,
    PaymentRequest,
    Registration,
    RelatedRequest,
    SessionKey,
)

_DONE: dict[str, GatewayState] = {
    "release": "captured",
    "abort": "aborted",
    "void": "voided",
    "cancel": "cancelled",
}


class OpayoGateway:
    """Talks to Opayo for one vendor.

    Args:
        config: addresses and credentials.
        observe: told of every call, for metrics.
    """

    def __init__(self, config: OpayoConfig, observe: Callable[[Spent], None] | None = None) -> None:
        self.vendor = config.vendor
        self._pi = PiApi(config, observe)
        self._service = HttpClient(
            "Opayo", config.service_url, timeout=config.timeout, slots=config.slots, observe=observe
        )
        self._reporting = Reporting(config, observe)

    async def ping(self) -> None:
        """Prove address, vendor, key and password by fetching a session key that nobody uses.

        Raises:
            Misconfigured: one of them is wrong.
            Unreachable, Throttled: no answer, or no usable one.
        """
        await self.session_key()

    async def ping_reporting(self) -> None:
        """Prove that Reporting will answer look-ups; errors as for `ping`."""
        await self._reporting.version()

    async def session_key(self) -> SessionKey:
        """A merchant session key for the shopper's browser, good for 400 seconds and one card.

        Raises:
            Misconfigured: address, vendor, key or password is wrong.
            Unreachable, Throttled: no answer, or no usable one.
        """
        call = self._pi.reading(
            "/merchant-session-keys",
            about=f"a session key of vendor {self.vendor}",
            body=msgspec.json.encode(SessionKeyRequest(self.vendor)),
        )
        try:
            _, found = await self._pi.read(call, PiSessionKey)
        except Rejected as error:
            raise Misconfigured(
                f"Opayo gives no session key to vendor {self.vendor}: {error.title}",
                code="opayo.vendor-name",
                evidence=error.evidence,
            ) from error
        return SessionKey(merchant_session_key=found.merchant_session_key, expiry=found.expiry)

    async def transaction(self, transaction_id: str) -> GatewayTransaction:
        """The transaction as it is now.

        Opayo's REST answer names neither our code, nor a time, nor what a refund refers to: those members are
        empty unless Reporting had to be asked: when amount or type is missing, and for deferred payments, whose
        answer does not tell a hold from a release.

        Raises:
            NotFound: Opayo does not know it.
            InvalidPayment: not a transaction id.
            Misconfigured, Unreachable, Throttled: as for `ping`.
        """
        known_id = schema.transaction_id(transaction_id)
        call = self._pi.reading(f"/transactions/{known_id}", about=f"transaction {known_id}")
        answer, wire = await self._pi.read(call, PiTransaction)
        if not wire.status:
            raise answer.lost("it says nothing of the transaction's status")
        wire.transaction_id = wire.transaction_id or known_id
        return translate.transaction(wire, Known()) or await self.detail(known_id)

    async def detail(self, transaction_id: str) -> GatewayTransaction:
        """The transaction as Reporting tells it: with our code, times and what it refers to.

        Raises:
            NotFound: Opayo does not know it.
            InvalidPayment, Misconfigured, Unreachable, Throttled: as for `transaction`.
        """
        found = await self._reporting.detail(transaction_id=transaction_id)
        if found is None:
            raise NotFound(f"Opayo does not know transaction {transaction_id}", code="opayo.not-found")
        return found

    async def find(self, vendor_tx_code: str) -> GatewayTransaction | None:
        """The transaction of a vendor transaction code, or `None` when Opayo has none of that code.

        Raises:
            InvalidPayment: not a code.
            Misconfigured, Unreachable, Throttled: as for `ping`.
        """
        return await self._reporting.detail(vendor_tx_code=vendor_tx_code)

    async def listed(self, window: ListingWindow) -> ListingPage:
        """A page of the transactions that started in a window; errors as for `Reporting.listed`."""
        return await self._reporting.listed(window)

    async def related(self, transaction_id: str, since: datetime) -> tuple[ListedTransaction, ...]:
        """What was made of a transaction: refunds, repeats, authorises; errors as for `Reporting.related`."""
        return await self._reporting.related(transaction_id, since)

    async def pay(self, request: PaymentRequest) -> GatewayTransaction | Challenge:
        """Take or authorise a payment; a decline is a transaction, not an error.

        Raises:
            OutcomeUnknown: sent, and the answer lost: `find` it before anything else.
            VendorTxCodeUsed: an earlier attempt reached Opayo: `find` it.
            CardDataRefused, InvalidPayment: nothing was sent.
            Misconfigured, Rejected, Unreachable, Throttled: nothing was taken.
        """
        call = self._pi.writing(
            "/transactions",
            about=f"payment {request.vendor_tx_code}",
            body=translate.payment_body(request),
        )
        answer, wire = await self._pi.sent(call, PiTransaction)
        if answer.status == 202 and wire.transaction_id and wire.c_req and wire.acs_url:
            return Challenge(
                transaction_id=schema.transaction_id(wire.transaction_id),
                acs_url=wire.acs_url,
                creq=wire.c_req,
                status=wire.status or "",
                status_code=code_text(wire.status_code),
            )
        known = Known(kind=request.kind, vendor_tx_code=request.vendor_tx_code, amount=request.amount)
        return settled(answer, wire, known)

    async def relate(self, request: RelatedRequest) -> GatewayTransaction:
        """Refund, repeat or authorise.

        Raises:
            RefundExceedsPayment: more than what remains of the payment.
            IntegrationError: as for `pay`.
        """
        call = self._pi.writing(
            "/transactions",
            about=f"{request.kind} {request.vendor_tx_code}",
            body=translate.related_body(request),
        )
        answer, wire = await self._pi.sent(call, PiTransaction)
        known = Known(
            kind=request.kind,
            vendor_tx_code=request.vendor_tx_code,
            amount=request.amount,
            related=schema.transaction_id(request.related_transaction_id),
        )
        return settled(answer, wire, known)

    async def instruct(self, instruction: Instruction) -> None:
        """Release, abort, void or cancel; when Opayo refuses because it is done already, that is success.

        Raises:
            NotFound: Opayo does not know the transaction.
            Rejected: its state does not allow the instruction.
            OutcomeUnknown: sent, and the answer lost: read the transaction.
            InvalidPayment, Misconfigured, Unreachable, Throttled: nothing was done.
        """
        known_id = schema.transaction_id(instruction.transaction_id)
        call = self._pi.writing(
            f"/transactions/{known_id}/instructions",
            about=f"the {instruction.kind} of transaction {known_id}",
            body=translate.instruction_body(instruction),
        )
        try:
            await self._pi.sent(call, PiInstructionDone)
        except NotFound:
            raise
        except Rejected:
            # A release can be made once only, and no interface tells for how much: our first one counts.
            if (await self.transaction(known_id)).state != _DONE[instruction.kind]:
                raise

    async def answer_challenge(self, transaction_id: str, cres: str) -> GatewayTransaction:
        """Finish a 3-D Secure challenge; answering twice gives the transaction as it is.

        Raises:
            Rejected: Opayo refuses the answer and the transaction still waits.
            OutcomeUnknown: sent, and the answer lost: read the transaction.
            NotFound, InvalidPayment, Misconfigured, Unreachable, Throttled: nothing was done.
        """
        known_id = schema.transaction_id(transaction_id)
        call = self._pi.writing(
            f"/transactions/{known_id}/3d-secure-challenge",
            about=f"the challenge of transaction {known_id}",
            body=msgspec.json.encode(ChallengeAnswer(cres)),
        )
        try:
            answer, wire = await self._pi.sent(call, PiTransaction)
        except NotFound:
            raise
        except Rejected:
            now = await self.transaction(known_id)
            if now.state in ("pending", "unknown"):
                raise
            return now
        if not wire.status:
            raise answer.lost("it says nothing of the transaction's status")
        wire.transaction_id = wire.transaction_id or known_id
        if told := translate.transaction(wire, Known()):
            return told
        try:
            return await self.detail(known_id)
        except Transient as error:
            raise OutcomeUnknown(
                f"The challenge of transaction {known_id} was answered, and its result is not known yet",
                code="opayo.outcome-unknown",
            ) from error

    async def register(self, payment: HostedPayment) -> Registration:
        """Register a payment on Opayo's page; the same data again while it is open gives the same answer.

        Raises:
            VendorTxCodeUsed: the code was used with other data, or is finished.
            OutcomeUnknown: sent, and the answer lost: registering the same data again is safe.
            InvalidPayment, Misconfigured, Rejected, Unreachable, Throttled: nothing was registered.
        """
        return server.registration(await self._service.send(server.registration_call(payment, self.vendor)))

    async def forget_card(self, card_identifier: str) -> None:
        """Remove a saved card; one that is gone already is no error.

        Raises:
            Rejected, OutcomeUnknown, Misconfigured, Unreachable, Throttled: it may still be there.
        """
        if not card_identifier.replace("-", "").isalnum():
            raise Rejected("This is not a card identifier", code="opayo.card-identifier")
        call = self._pi.writing(
            f"/card-identifiers/{card_identifier}", about="the removal of a saved card", method="DELETE"
        )
        with suppress(NotFound):
            await self._pi.accepted(call)

    async def close(self) -> None:
        """Give the connections back."""
        await self._pi.close()
        await self._service.close()
        await self._reporting.close()
