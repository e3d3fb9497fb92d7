"""Reporting & Admin: the envelope, its signature, and the commands a caller may name."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from html import escape
from urllib.parse import unquote_plus

from lxml import etree

from integration.sandbox.opayo.clock import reporting
from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.engine import Engine
from integration.sandbox.opayo.reporting_batches import batch_detail, batch_list
from integration.sandbox.opayo.reporting_detail import (
    card_details,
    fraud_detail,
    ip_details,
    token_count,
    transaction_detail,
)
from integration.sandbox.opayo.reporting_lists import related_transactions, summary, transaction_list
from integration.sandbox.opayo.reporting_query import Query, ReportingError
from integration.sandbox.opayo.signature import reporting_signature
from integration.sandbox.opayo.wire import XML, Request, Response, read_form

PATH = "/access/access.htm"
Command = Callable[[Query], str]

COMMANDS: dict[str, Command] = {
    "version": lambda query: "<version>2.0</version>",
    "gettransactiondetail": transaction_detail,
    "gettransactionlist": transaction_list,
    "gettransactionsummary": summary,
    "getrelatedtransactions": related_transactions,
    "getbatchlist": batch_list,
    "getbatchdetail": batch_detail,
    "getfraudscreendetail": fraud_detail,
    "gettokencount": token_count,
    "gettransactionipdetails": ip_details,
    "getcarddetails": card_details,
}
"""The commands answered, by lower-case name."""

_ENVELOPE = ("command", "vendor", "user", "signature")


class ReportingFace:
    """Answers ``POST /access/access.htm``; HTTP is 200 whatever the outcome."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._accounts = {account.vendor.lower(): account for account in engine.config.accounts}

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        try:
            body = self._run(_xml_of(request.body), request.client)
        except ReportingError as error:
            body = f"<errorcode>{error.code}</errorcode><error>{escape(error.text)}</error>"
        stamp = reporting(self.engine.clock.now())
        text = f'<?xml version="1.0" encoding="ISO-8859-1"?>\n<vspaccess>{body}<timestamp>{stamp}</timestamp></vspaccess>'
        return Response(200, text.encode("iso-8859-1", "xmlcharrefreplace"), XML)

    def _run(self, text: str, client: str) -> str:
        fields = _elements(text)
        for name in _ENVELOPE:
            if not fields.get(name):
                raise ReportingError("3001", f"The {name} element is missing.")
        valid_ips = self.engine.config.valid_ips
        if valid_ips and client not in valid_ips:
            raise ReportingError("4020", "Information received from an invalid IP address.")
        account = self._authenticate(text, fields)
        command = COMMANDS.get(fields["command"].lower())
        if command is None:
            raise ReportingError("0013", "The command is not known.")
        return f"<errorcode>0000</errorcode>{command(Query(self.engine, account.vendor, fields))}"

    def _authenticate(self, text: str, fields: dict[str, str]) -> Account:
        config = self.engine.config
        account = self._accounts.get(fields["vendor"].lower())
        if account is None or fields["user"] != config.reporting_user:
            raise ReportingError(
                "0008", "The vendor and user combination is not valid, or the user is locked out."
            )
        inner = re.sub(r"^.*?<vspaccess>|</vspaccess>\s*$", "", text, flags=re.DOTALL | re.IGNORECASE)
        signed = re.sub(r"<signature>.*?</signature>", "", inner, flags=re.DOTALL | re.IGNORECASE)
        # White space between elements is not part of what the gateway hashes.
        pretty = re.search(r">\s+<", inner) or inner != inner.strip()
        given = fields["signature"].strip().lower()
        wanted = reporting_signature(signed, escape(config.reporting_password, quote=False))
        if pretty or not hmac.compare_digest(given.encode(), wanted.encode()):
            raise ReportingError("0010", "The signature could not be validated.")
        return account


def _xml_of(body: bytes) -> str:
    """Find the XML in the form, urlencoded or, as some old clients send it, raw."""
    start = body.find(b"=") + 1
    if body[:start].strip().upper() == b"XML=" and body[start:].lstrip().startswith(b"<"):
        return _decode(body[start:])
    form = {name.upper(): value for name, value in read_form(body).items()}
    if "XML" not in form:
        raise ReportingError("0019", "The request could not be parsed: there is no XML field.")
    if body.count(b"&") and "</vspaccess>" not in form["XML"]:
        return unquote_plus(_decode(body[start:]))
    return form["XML"]


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("iso-8859-1")


def _elements(text: str) -> dict[str, str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        root = etree.fromstring(re.sub(r"^\s*<\?xml.*?\?>", "", text, flags=re.DOTALL), parser)
    except etree.XMLSyntaxError as error:
        raise ReportingError("0001", "The request is not valid XML.") from error
    if str(root.tag).lower() != "vspaccess":
        raise ReportingError("0002", "The root element must be vspaccess.")
    fields: dict[str, str] = {}
    for element in root:
        name = str(element.tag).lower()
        if name in fields:
            raise ReportingError("3000", f"The {name} element is repeated.")
        fields[name] = (element.text or "").strip()
    return fields
