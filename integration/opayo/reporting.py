"""The Reporting & Admin API: the only look-up by vendor transaction code, and so the truth after a lost answer."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from lxml import etree

from integration.canonical.listing import ListedTransaction, ListingPage, ListingWindow
from integration.canonical.money import Money
from integration.canonical.party import PostalAddress
from integration.canonical.payment import Card, GatewayTransaction, RiskChecks
from integration.errors import InvalidPayment, Unreachable
from integration.http import Answer, Call, HttpClient, Spent
from integration.opayo import reporting_lists, schema
from integration.opayo.config import OpayoConfig
from integration.opayo.reads import patiently
from integration.opayo.refusals import (
    REPORTING_NOT_FOUND,
    REPORTING_NOTHING,
    refusal,
    reporting_error,
)
from integration.opayo.uk_time import utc
from integration.opayo.vocabulary import kind_of, part_result, scheme_of, three_d_result, tx_state


def signed_xml(config: OpayoConfig, command: str, parameters: Mapping[str, str]) -> str:
    """A request with its signature: a digest of exactly what is sent, with the password behind it."""
    elements = {"command": command, "vendor": config.vendor, "user": config.reporting_user, **parameters}
    if config.reporting_algorithm == "sha256":
        elements["algorithm"] = "sha256"
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
    signed = f"{inner}<password>{escape(config.reporting_password)}</password>".encode()
    digest = hashlib.new(config.reporting_algorithm, signed, usedforsecurity=False).hexdigest()
    return f"<vspaccess>{inner}<signature>{digest}</signature></vspaccess>"


class Reporting:
    """Signed reads of one vendor's transactions."""

    def __init__(self, config: OpayoConfig, observe: Callable[[Spent], None] | None = None) -> None:
        self._config = config
        self._http = HttpClient(
            "Opayo", config.reporting_url, timeout=config.read_timeout, slots=config.slots, observe=observe
        )

    async def version(self) -> str:
        """The API's version: a proof of address, vendor, user, password and IP address.

        Raises:
            Misconfigured: one of these is wrong.
            Unreachable, Throttled: no answer, or no usable one.
        """
        found = await self._ask("version", {}, "its version")
        return _elements(found).get("version", "") if found is not None else ""

    async def detail(
        self, *, vendor_tx_code: str = "", transaction_id: str = ""
    ) -> GatewayTransaction | None:
        """A transaction by our code or by Opayo's id, or `None` when Opayo does not know it.

        Raises:
            InvalidPayment: neither given, or not a code or id.
            Misconfigured, Unreachable, Throttled: as for `version`.
        """
        if vendor_tx_code:
            parameters = {"vendortxcode": schema.vendor_tx_code(vendor_tx_code)}
        else:
            parameters = {"vpstxid": schema.transaction_id(transaction_id)}
        about = f"transaction {vendor_tx_code or transaction_id}"
        found = await self._ask("getTransactionDetail", parameters, about)
        if found is None:
            return None
        try:
            return transaction(_elements(found))
        except ValueError as error:
            raise InvalidPayment(
                f"Opayo Reporting's answer for {about} cannot be read: {error}", code="opayo.unreadable"
            ) from error

    async def listed(self, window: ListingWindow) -> ListingPage:
        """A page of the transactions that started in a window.

        Raises:
            TooManyRows: the window holds more rows than Opayo lists.
            Misconfigured, Unreachable, Throttled: as for `version`.
        """
        about = "its list of transactions"
        found = await self._ask("getTransactionList", reporting_lists.list_parameters(window), about)
        if found is None:
            return ListingPage(total=0, rows=())
        return _page(found, window.first_row, about)

    async def related(self, transaction_id: str, since: datetime) -> tuple[ListedTransaction, ...]:
        """Refunds, repeats and authorises that were made of a transaction; none when Opayo does not know it.

        Raises:
            InvalidPayment: not a transaction id.
            Misconfigured, Unreachable, Throttled: as for `version`.
        """
        parameters = reporting_lists.related_parameters(transaction_id, since)
        about = f"what was made of transaction {transaction_id}"
        found = await self._ask("getRelatedTransactions", parameters, about)
        return () if found is None else _page(found, 1, about).rows

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()

    async def _ask(self, command: str, parameters: Mapping[str, str], about: str) -> etree._Element | None:
        xml = signed_xml(self._config, command, parameters)
        call = Call(
            method="POST",
            path="",
            body=urlencode({"XML": xml}).encode(),
            content_type="application/x-www-form-urlencoded",
            about=about,
        )

        async def once() -> etree._Element:
            answer = await self._http.send(call)
            if error := refusal(answer):
                raise error
            return _root(answer)

        found = await patiently(once)
        code = (found.findtext("errorcode") or "").strip()
        if code in REPORTING_NOT_FOUND or code in REPORTING_NOTHING:
            return None
        if code != "0000":
            raise reporting_error(code, (found.findtext("error") or "").strip(), about)
        return found


def _page(found: etree._Element, first_row: int, about: str) -> ListingPage:
    page = reporting_lists.page(found, first_row)
    if page is None:
        raise Unreachable(f"Opayo Reporting's answer for {about} is cut short", code="opayo.list-cut-short")
    return page


def _root(answer: Answer) -> etree._Element:
    """The document of an answer; entities and external documents are never followed."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(answer.body, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise answer.lost("Reporting's answer is no XML") from error
    if root is None or root.tag != "vspaccess" or root.find("errorcode") is None:
        raise answer.lost("Reporting's answer has another shape")
    return root


def _elements(root: etree._Element) -> dict[str, str]:
    """The flat elements of an answer by name."""
    return {child.tag: (child.text or "").strip() for child in root.iterchildren("*")}


def transaction(found: Mapping[str, str]) -> GatewayTransaction:
    """The elements of `getTransactionDetail` as a canonical transaction.

    The security key among them is a secret and is left behind.

    Raises:
        ValueError: an amount or currency that cannot be read.
        InvalidPayment: no transaction id.
    """
    number = found.get("txstateid", "")
    state, status = tx_state(int(number) if number.isdigit() else -1)
    related = found.get("relatedtransactionid", "")
    return GatewayTransaction(
        transaction_id=schema.transaction_id(found.get("vpstxid", "")),
        vendor_tx_code=found.get("vendortxcode", ""),
        kind=kind_of(found.get("transactiontype")),
        state=state,
        amount=Money.parse(found.get("amount", ""), found.get("currency", "").upper()),
        status=status,
        status_detail=schema.mask_digits(found.get("status", "")),
        related_transaction_id=schema.transaction_id(related) if related else None,
        card=Card(
            scheme=scheme_of(found.get("paymentsystem", "")), last_four=found.get("last4digits", "")[-4:]
        ),
        checks=_checks(found),
        bank_authorisation_code=found.get("bankauthcode", ""),
        bank_response_code=found.get("declinecode", ""),
        retrieval_reference=_unless_zero(found.get("vpsauthcode", "")),
        settlement_batch=_unless_zero(found.get("batchid", "")),
        customer_email=found.get("customeremail", ""),
        billing=_billing(found),
        created_at=utc(found.get("started", "")),
    )


def _unless_zero(text: str) -> str:
    return "" if text == "0" else text


def _checks(found: Mapping[str, str]) -> RiskChecks:
    score = found.get("t3mscore", "")
    return RiskChecks(
        address=part_result(found.get("addressresult", "")),
        postcode=part_result(found.get("postcoderesult", "")),
        security_code=part_result(found.get("cv2result", "")),
        three_d_secure=three_d_result(found.get("threedresult", "")),
        fraud_action=found.get("t3maction", ""),
        fraud_score=int(score) if score.removeprefix("-").isdigit() else None,
    )


def _billing(found: Mapping[str, str]) -> PostalAddress:
    def told(name: str) -> str:
        return found.get(f"billing{name}", "")

    return PostalAddress(
        name=f"{told('firstnames')} {told('surname')}".strip(),
        lines=tuple(line for line in (told("address"), told("address2")) if line),
        city=told("city"),
        region=told("state"),
        postcode=told("postcode"),
        country=told("country").upper(),
    )
