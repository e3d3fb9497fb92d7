"""Shared back-office operations of Server and Direct: release, abort, void, cancel, refund, repeat, authorise."""

from __future__ import annotations

from collections.abc import Callable

from integration.sandbox.opayo.classic_fields import ClassicError, read_amount, require, status_reply
from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.engine import Engine, Follow
from integration.sandbox.opayo.notifier import checks
from integration.sandbox.opayo.refusals import RefusedError
from integration.sandbox.opayo.server_face import ServerFace
from integration.sandbox.opayo.store import Transaction
from integration.sandbox.opayo.wire import Request, Response

PREFIX = "/gateway/service/"
_HEAD = ("VPSProtocol", "TxType", "Vendor")
_OWN = ("VendorTxCode", "VPSTxId", "SecurityKey")
_RELATED = ("RelatedVPSTxId", "RelatedVendorTxCode", "RelatedSecurityKey")
_DONE = {
    "release": ("2004", "The Release was Successful."),
    "void": ("2005", "The Void was Successful."),
    "abort": ("2006", "The Abort was Successful."),
    "cancel": ("2012", "The Cancel was Successful."),
}


class ClassicOperations:
    """Answers ``/gateway/service/{service}.vsp`` other than registration."""

    def __init__(self, engine: Engine, server: ServerFace) -> None:
        self.engine = engine
        self.server = server
        self._services: dict[str, Callable[[Account, dict[str, str]], Response]] = {
            "release": lambda account, form: self._instruct("release", account, form),
            "abort": lambda account, form: self._instruct("abort", account, form),
            "void": lambda account, form: self._instruct("void", account, form),
            "cancel": lambda account, form: self._instruct("cancel", account, form),
            "refund": self._refund,
            "repeat": self._repeat,
            "authorise": self._authorise,
            "removetoken": self._remove_token,
        }

    def answer(self, request: Request) -> Response | None:
        """Answer one operation; None for a service that does not exist."""
        name = request.path[len(PREFIX) :].removesuffix(".vsp")
        service = self._services.get(name)
        if service is None or request.method != "POST":
            return None
        form = request.form()
        try:
            require(form, _HEAD)
            return service(self.server.account(form, request.client), form)
        except ClassicError as error:
            return error.reply()
        except RefusedError as error:
            return status_reply("INVALID", error.reason.classic, error.reason.classic_text)

    def _instruct(self, kind: str, account: Account, form: dict[str, str]) -> Response:
        more = {"release": ("TxAuthNo", "ReleaseAmount"), "cancel": ()}.get(kind, ("TxAuthNo",))
        require(form, _OWN + more)
        row = self._find(account, form, "")
        amount = read_amount(form, row.currency, "ReleaseAmount") if kind == "release" else 0
        self.engine.instruct(row, kind, amount)
        return status_reply("OK", *_DONE[kind])

    def _refund(self, account: Account, form: dict[str, str]) -> Response:
        names = (*_RELATED, "RelatedTxAuthNo", "VendorTxCode", "Amount", "Currency", "Description")
        require(form, names)
        row = self.engine.refund(account.vendor, self._follow(account, form, form["Currency"]))
        more = {"VPSTxId": f"{{{row.id}}}", "TxAuthNo": str(row.retrieval)}
        return status_reply("OK", "0000", "The Authorisation was Successful.", more)

    def _repeat(self, account: Account, form: dict[str, str]) -> Response:
        names = (*_RELATED, "RelatedTxAuthNo", "VendorTxCode", "Amount", "Currency", "Description")
        require(form, names)
        follow = self._follow(account, form, form["Currency"])
        follow.needs_credential = False
        return _authorised(self.engine.repeat(account.vendor, follow, form["TxType"] == "REPEATDEFERRED"))

    def _authorise(self, account: Account, form: dict[str, str]) -> Response:
        require(form, (*_RELATED, "VendorTxCode", "Amount", "Description"))
        return _authorised(self.engine.authorise(account.vendor, self._follow(account, form, "")))

    def _remove_token(self, account: Account, form: dict[str, str]) -> Response:
        require(form, ("Token",))
        identifier = form["Token"].strip("{}").upper()
        stored = self.engine.store.cards.get(identifier)
        if stored is None or stored.vendor != account.vendor:
            raise ClassicError("INVALID", "2018", "The Token is missing or invalid.")
        del self.engine.store.cards[identifier]
        return status_reply("OK", "2017", "Token removed successfully.")

    def _follow(self, account: Account, form: dict[str, str], currency: str) -> Follow:
        original = self._find(account, form, "Related")
        amount = read_amount(form, currency or original.currency)
        return Follow(form["VendorTxCode"], amount, original.id, form["Description"], currency)

    def _find(self, account: Account, form: dict[str, str], prefix: str) -> Transaction:
        row = self.engine.store.get(account.vendor, form[f"{prefix}VPSTxId"])
        if row is None:
            raise ClassicError("INVALID", "4028", "The original transaction could not be found.")
        if form[f"{prefix}SecurityKey"] != row.security_key:
            raise ClassicError("INVALID", "4029", "The SecurityKey does not match the original transaction.")
        given = form.get(f"{prefix}TxAuthNo", "")
        if given and given != str(row.retrieval):
            raise ClassicError("INVALID", "4030", "The TxAuthNo does not match the original transaction.")
        if form[f"{prefix}VendorTxCode"] != row.code:
            raise ClassicError("INVALID", "4031", "The VendorTxCode does not match the original transaction.")
        return row


def _authorised(row: Transaction) -> Response:
    if row.status == "NotAuthed":
        told = {"VPSTxId": f"{{{row.id}}}", "SecurityKey": row.security_key}
        return status_reply("NOTAUTHED", row.status_code, row.status_detail, told)
    more = {"VPSTxId": f"{{{row.id}}}", "TxAuthNo": str(row.retrieval), "SecurityKey": row.security_key}
    return status_reply("OK", "0000", "The Authorisation was Successful.", {**more, **checks(row)})
