"""Server notifications: signed, posted, and obeyed when the vendor's reply says no."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlencode

import msgspec

from integration.sandbox.opayo.cards import CLASSIC_3DS, CLASSIC_TYPES
from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.engine import Engine
from integration.sandbox.opayo.push import Answer, Pusher
from integration.sandbox.opayo.signature import vps_signature
from integration.sandbox.opayo.store import Transaction

STATUSES = {
    "Ok": "OK",
    "NotAuthed": "NOTAUTHED",
    "Rejected": "REJECTED",
    "Authenticated": "AUTHENTICATED",
    "Registered": "REGISTERED",
    "Abort": "ABORT",
}
AVS = {
    "AllMatched": "ALL MATCH",
    "SecurityCodeMatchOnly": "SECURITY CODE MATCH ONLY",
    "AddressMatchOnly": "ADDRESS MATCH ONLY",
    "NoMatches": "NO DATA MATCHES",
    "NotChecked": "DATA NOT CHECKED",
}
_REPEATS = 2
_MONITOR_MINUTES = (*([5] * 5), *([15] * 15), *([60] * 13), *([24 * 60] * 29))


class Registration(msgspec.Struct):
    """A Server transaction: its row, its vendor and what was registered."""

    row: Transaction
    account: Account
    form: dict[str, str]
    next_url: str


class Reply(msgspec.Struct, frozen=True):
    """A vendor's reply; ``status`` is empty when it could not be understood."""

    status: str = ""
    redirect_url: str = ""


def read_reply(answer: Answer) -> Reply:
    """Read ``Status=…`` lines strictly: 200, nothing before ``Status``, a ``RedirectURL`` always."""
    text = answer.body.decode("iso-8859-1")
    if answer.status != 200 or not text.startswith("Status="):
        return Reply()
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, _, value = line.partition("=")
        values[name.strip().lower()] = value.strip()
    url = values.get("redirecturl") or values.get("redirectionurl") or ""
    status = values["status"].upper()
    if status not in {"OK", "INVALID", "ERROR"} or not url or len(url) > 255:
        return Reply()
    return Reply(status, url)


def checks(row: Transaction) -> dict[str, str]:
    """The check results of a row in the classic words."""
    avs = row.avs
    bank = row.status in {"Ok", "Authenticated", "NotAuthed", "Rejected"} and row.status_code != "4026"
    fields = {
        "AVSCV2": AVS[avs.status] if avs else "",
        "AddressResult": _part(avs.address) if avs else "",
        "PostCodeResult": _part(avs.postal_code) if avs else "",
        "CV2Result": _part(avs.security_code) if avs else "",
        "3DSecureStatus": CLASSIC_3DS.get(row.three_ds, ""),
        "CAVV": "AAABARR5kwAAAAAAAAAAAAAAAAA=" if row.three_ds in {"Authenticated", "AttemptOnly"} else "",
        "DeclineCode": row.bank_code if bank else "",
        "BankAuthCode": row.bank_auth,
    }
    return {name: value for name, value in fields.items() if value}


def _part(result: str) -> str:
    return result.upper()


def notification(registration: Registration) -> dict[str, str]:
    """The fields of a notification, signed in protocol 4.00's order."""
    row = registration.row
    fields = {
        "VPSProtocol": "4.00",
        "TxType": registration.form["TxType"],
        "VendorTxCode": row.code,
        "VPSTxId": f"{{{row.id}}}",
        "Status": STATUSES.get(row.status, "ERROR"),
        "StatusDetail": f"{row.status_code} : {row.status_detail}",
    }
    if row.retrieval:
        fields["TxAuthNo"] = str(row.retrieval)
    if row.status != "Abort":
        fields.update(checks(row))
    fields["GiftAid"] = "1" if row.details.gift_aid else "0"
    if row.card is not None:
        fields["CardType"] = CLASSIC_TYPES[row.card.card_type]
        fields["Last4Digits"] = row.card.last4
        fields["ExpiryDate"] = row.card.expiry
    if row.acs_id:
        fields["ACSTransID"], fields["DSTransID"] = row.acs_id, row.ds_id
    fields["VPSSignature"] = vps_signature(fields, registration.account.vendor, row.security_key)
    return fields


class Notifier:
    """Posts notifications and keeps the transaction monitor's schedule, its waits divided by the pace."""

    def __init__(self, engine: Engine, pusher: Pusher) -> None:
        self.engine = engine
        self.pusher = pusher
        self.counts: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def conclude(self, registration: Registration) -> str:
        """Notify the outcome once; settle, cancel or keep trying as the reply says. Returns the redirect."""
        row = registration.row
        final = row.txstate
        row.txstate = 7
        reply = await self._notify(registration)
        self._obey(registration, reply, final)
        if not reply.status:
            self._spawn(self._repeat(registration, final))
        return reply.redirect_url

    def abandon(self, registration: Registration) -> None:
        """Cancel an unfinished transaction and tell its vendor, for up to thirty days."""
        row = registration.row
        row.status, row.status_code, row.txstate, row.retrieval = "Abort", "2008", 8, None
        row.bank_code = row.bank_auth = ""
        row.status_detail = "The Transaction timed-out and was cancelled."
        self._spawn(self._abort(registration))

    async def stop(self) -> None:
        """Stop every pending notification."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _notify(self, registration: Registration) -> Reply:
        body = urlencode(notification(registration), encoding="iso-8859-1", errors="replace").encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self.pusher.post(registration.form["NotificationURL"], body, headers)
        reply = read_reply(answer)
        name = f"notified_{reply.status.lower() or 'unanswered'}"
        self.counts[name] = self.counts.get(name, 0) + 1
        return reply

    def _obey(self, registration: Registration, reply: Reply, final: int) -> None:
        row = registration.row
        if reply.status == "OK":
            row.txstate = final
            if row.status != "Abort":
                self.engine.finish(row)
        elif reply.status:
            row.txstate, row.status, row.status_code = 9, "Error", "5006"
            row.status_detail = "The vendor refused the notification; the transaction was cancelled."

    async def _repeat(self, registration: Registration, final: int) -> None:
        for _ in range(_REPEATS):
            await asyncio.sleep(60 / self.engine.config.pace)
            reply = await self._notify(registration)
            self._obey(registration, reply, final)
            if reply.status:
                return
        await asyncio.sleep(13 * 60 / self.engine.config.pace)
        self.abandon(registration)

    async def _abort(self, registration: Registration) -> None:
        for minutes in (0, *_MONITOR_MINUTES):
            await asyncio.sleep(minutes * 60 / self.engine.config.pace)
            reply = await self._notify(registration)
            if reply.status:
                return

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
