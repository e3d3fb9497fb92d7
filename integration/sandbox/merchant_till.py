"""The till: a shopper's card paid through Opayo's Pi interface, as browser and shop do it between them.

Sessions and card identifiers are asked for again when an answer is lost. A lost answer to the transaction is
tried again under the same vendor transaction code: Opayo refuses a code it has seen, so a refusal then says
that the first try had worked.
"""

from __future__ import annotations

import asyncio
import base64
import re
import unicodedata
from typing import Any

import msgspec

from integration.sandbox.client import Client, Reply, Unreachable
from integration.sandbox.merchant_day import Attempt, Sale
from integration.sandbox.merchant_places import Person
from integration.sandbox.merchant_world import CURRENCY

_TRIES = 12
_PAUSE_SECONDS = 0.05


class NotPaid(Exception):
    """Opayo would not take the request at all: the merchant's own mistake, or the gateway is down."""


class GatewayAccess(msgspec.Struct, frozen=True):
    """Where Pi is and who may use it.

    Attributes:
        url: base of Pi, ending in ``/api/v1``.
        control: host root of a sandbox whose control pays in one call that meets no fault; empty to go
            through Pi itself. Faults are meant for the service's calls, not for the shopper's.
    """

    url: str
    vendor: str
    integration_key: str
    integration_password: str
    control: str = ""


class Till:
    """Takes payments for one vendor."""

    def __init__(self, client: Client, access: GatewayAccess) -> None:
        self.client = client
        self.access = access
        pair = f"{access.integration_key}:{access.integration_password}"
        self._basic = {"authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    async def pay(self, sale: Sale, attempt: Attempt) -> str:
        """Pay once; answers Pi's ``status`` (``Ok``, ``NotAuthed``, …), or ``Taken`` when the answer was lost.

        Raises:
            NotPaid: when Opayo refuses the request or cannot be reached in a dozen tries.
        """
        if self.access.control:
            return await self._pay_by_control(sale, attempt)
        lost = False
        for _ in range(_TRIES):
            key, identifier = await self._tokenise(sale, attempt)
            body = _transaction(sale, attempt)
            body["paymentMethod"] = {"card": {"merchantSessionKey": key, "cardIdentifier": identifier}}
            reply = await self._once("transactions", body, self._basic)
            members = _members(reply)
            if reply is None or reply.status >= 500 or members is None:
                lost = True
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if reply.status < 300:
                return str(members["status"])
            if lost:
                return "Taken"
            raise NotPaid(f"Opayo refused {attempt.code}: HTTP {reply.status} {reply.body.decode()}")
        raise NotPaid(f"Opayo could not be reached for {attempt.code} in {_TRIES} tries.")

    async def _pay_by_control(self, sale: Sale, attempt: Attempt) -> str:
        body = {"vendorName": self.access.vendor, **_transaction(sale, attempt), **_card(sale, attempt)}
        try:
            reply = await self.client.send_json("POST", f"{self.access.control}/_sandbox/pay", body)
        except Unreachable as error:
            raise NotPaid(f"The sandbox did not answer for {attempt.code}.") from error
        members = _members(reply)
        if members is None or reply.status >= 300:
            raise NotPaid(f"Opayo refused {attempt.code}: HTTP {reply.status} {reply.body.decode()}")
        return str(members["status"])

    async def _tokenise(self, sale: Sale, attempt: Attempt) -> tuple[str, str]:
        # A session is good for one card: when either answer is lost, both are asked for anew.
        for _ in range(_TRIES):
            session = await self._made(
                "merchant-session-keys", {"vendorName": self.access.vendor}, self._basic
            )
            if session is not None:
                bearer = {"authorization": f"Bearer {session['merchantSessionKey']}"}
                card = await self._made("card-identifiers", {"cardDetails": _card(sale, attempt)}, bearer)
                if card is not None:
                    return str(session["merchantSessionKey"]), str(card["cardIdentifier"])
            await asyncio.sleep(_PAUSE_SECONDS)
        raise NotPaid(f"Opayo gave no card identifier for {attempt.code} in {_TRIES} tries.")

    async def _made(self, resource: str, body: object, headers: dict[str, str]) -> dict[str, Any] | None:
        reply = await self._once(resource, body, headers)
        members = _members(reply)
        if reply is None or members is None or reply.status >= 500:
            return None
        if reply.status != 201:
            raise NotPaid(f"Opayo refused {resource}: HTTP {reply.status} {reply.body.decode()}")
        return members

    async def _once(self, resource: str, body: object, headers: dict[str, str]) -> Reply | None:
        try:
            return await self.client.send_json("POST", f"{self.access.url}/{resource}", body, headers)
        except Unreachable:
            return None


def _members(reply: Reply | None) -> dict[str, Any] | None:
    try:
        members = reply.json() if reply is not None else None
    except ValueError:
        return None
    return members if isinstance(members, dict) else None


def _card(sale: Sale, attempt: Attempt) -> dict[str, str]:
    return {
        "cardholderName": _plain(sale.invoice.customer.name, 45),
        "cardNumber": attempt.card,
        "expiryDate": "1230",
        "securityCode": attempt.security_code,
    }


def _transaction(sale: Sale, attempt: Attempt) -> dict[str, object]:
    who = sale.invoice.customer.person
    body: dict[str, object] = {
        "transactionType": "Payment" if sale.captured else "Deferred",
        "vendorTxCode": attempt.code,
        "amount": sale.amount_minor,
        "currency": CURRENCY,
        "description": f"Order for invoice {sale.invoice.number}",
        "customerFirstName": _plain(who.first_name, 20),
        "customerLastName": _plain(who.last_name, 20),
        "customerEmail": who.email,
        "customerPhone": who.phone,
        "billingAddress": _address(who),
        "entryMethod": "Ecommerce",
    }
    if sale.mistake == "fraud":
        # The checks run and find nothing that matches; the rules that would refuse are left out.
        body["applyAvsCvcCheck"] = "ForceIgnoringRules"
    return body


def _address(who: Person) -> dict[str, str]:
    return {
        "address1": _plain(who.street, 50),
        "city": _plain(who.city, 40),
        "postalCode": who.postcode,
        "country": who.country,
    }


def _plain(text: str, longest: int) -> str:
    # Opayo's fields take Latin letters; accents are dropped as the shop's plug-in would.
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9 .,'&/\\()-]", "", folded)[:longest].strip()
