"""The Server protocol: registration, and what the shopper does on the hosted page."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from integration.sandbox.opayo.cards import Card
from integration.sandbox.opayo.classic_fields import (
    ClassicError,
    read_amount,
    require_registration,
    status_reply,
)
from integration.sandbox.opayo.config import Account
from integration.sandbox.opayo.engine import Engine
from integration.sandbox.opayo.notifier import Notifier, Registration
from integration.sandbox.opayo.outcome import authorise_bank, decide
from integration.sandbox.opayo.store import Details, Transaction, new_id
from integration.sandbox.opayo.wire import Request, Response

_TYPES = {"PAYMENT": "Payment", "DEFERRED": "Deferred", "AUTHENTICATE": "Authenticate"}
_ACCOUNT_TYPES = frozenset({"E", "M", "C"})
_MODES = {"0": "UseMSPSetting", "1": "Force", "2": "Disable", "3": "ForceIgnoringRules"}
_INACTIVE = timedelta(minutes=15)


class ServerFace:
    """Registrations by their transaction id, and their way to an outcome."""

    def __init__(self, engine: Engine, notifier: Notifier) -> None:
        self.engine = engine
        self.notifier = notifier
        self.registrations: dict[str, Registration] = {}
        self._accounts = {account.vendor.lower(): account for account in engine.config.accounts}

    def account(self, form: dict[str, str], client: str) -> Account:
        """The vendor named, calling from an address it may call from.

        Raises:
            ClassicError: 4000 or 4020.
        """
        account = self._accounts.get(form.get("Vendor", "").lower())
        if account is None:
            raise ClassicError("INVALID", "4000", "The VendorName is invalid or the account is not active.")
        if self.engine.config.valid_ips and client not in self.engine.config.valid_ips:
            raise ClassicError("INVALID", "4020", "Information received from an invalid IP address.")
        return account

    def register(self, request: Request) -> Response:
        """``vspserver-register.vsp``: register, or repeat an identical registration still open."""
        form = request.form()
        try:
            require_registration(form)
            account = self.account(form, request.client)
            if form["Currency"] not in self.engine.config.currencies:
                raise ClassicError("INVALID", "4008", "The Currency is not supported on this account.")
            amount = read_amount(form, form["Currency"])
            earlier = self._earlier(account, form, amount)
        except ClassicError as error:
            return error.reply()
        if earlier is not None:
            text = "The VendorTxCode has been used before for another transaction. All VendorTxCodes must be unique."
            return _registered(earlier, "OK REPEATED", "4042", text)
        base = self.engine.config.public_url or request.base_url
        registration = self._open(account, form, amount, base)
        return _registered(registration, "OK", "2014", "The Transaction was Registered Successfully.")

    def _earlier(self, account: Account, form: dict[str, str], amount: int) -> Registration | None:
        row = self.engine.store.by_code(account.vendor, form["VendorTxCode"])
        if row is None:
            return None
        registration = self.registrations.get(row.id)
        if registration is None or row.txstate not in {2, 3}:
            raise ClassicError(
                "INVALID", "4042", "The VendorTxCode has been used before for another transaction."
            )
        differences = (
            (row.amount != amount, "4002", "Amount is"),
            (row.currency != form["Currency"], "4003", "Currency is"),
            (registration.form["TxType"] != form["TxType"], "4004", "TxType is"),
            (registration.form != form, "4005", "other details are"),
        )
        for differs, code, what in differences:
            if differs:
                text = (
                    f"An active transaction with this VendorTxCode has been found but the {what} different."
                )
                raise ClassicError("INVALID", code, text)
        return registration

    def _open(self, account: Account, form: dict[str, str], amount: int, base: str) -> Registration:
        row = Transaction(
            id=new_id(),
            vendor=account.vendor,
            code=form["VendorTxCode"],
            type=_TYPES[form["TxType"]],
            amount=amount,
            currency=form["Currency"],
            created=self.engine.clock.now(),
            status="Pending",
            status_code="2014",
            status_detail="The Transaction was Registered Successfully.",
            txstate=2,
            details=read_details(form),
        )
        self.engine.store.add(row)
        next_url = f"{base}/gateway/service/cardselection?vpstxid={{{row.id}}}"
        registration = Registration(row, account, form, next_url)
        self.registrations[row.id] = registration
        return registration

    async def pay(self, registration: Registration, card: Card) -> str:
        """The shopper enters a card: authorise, notify, and say where the browser goes ("" for nowhere)."""
        row = registration.row
        row.card = card
        decide(registration.account, row)
        if row.status == "3DAuth":
            # The hosted page runs the challenge itself; here it always succeeds.
            row.three_ds = "Authenticated"
            authorise_bank(row)
        if row.status in {"Ok", "Authenticated"}:
            row.retrieval = self.engine.store.next_retrieval()
        return await self.notifier.conclude(registration)

    async def cancel(self, registration: Registration) -> str:
        """The shopper goes away on purpose."""
        row = registration.row
        row.status, row.status_code, row.txstate = "Abort", "2013", 11
        row.status_detail = "The transaction was cancelled by the customer."
        return await self.notifier.conclude(registration)

    def tick(self) -> None:
        """Cancel what was left unfinished for 15 minutes of the stand-in's clock."""
        now = self.engine.clock.now()
        for registration in self.registrations.values():
            if registration.row.txstate in {2, 3} and now > registration.row.created + _INACTIVE:
                self.notifier.abandon(registration)


def read_details(form: dict[str, str]) -> Details:
    """The parties and settings of a registration, in the store's words."""
    parts = {"address1": "Address1", "address2": "Address2", "city": "City", "postalCode": "PostCode"}
    parts |= {"country": "Country", "state": "State"}
    billing = {ours: form.get(f"Billing{theirs}", "") for ours, theirs in parts.items()}
    shipping = {
        f"shipping{ours[0].upper()}{ours[1:]}": form.get(f"Delivery{parts[ours]}", "") for ours in parts
    }
    shipping["recipientFirstName"] = form.get("DeliveryFirstnames", "")
    shipping["recipientLastName"] = form.get("DeliverySurname", "")
    account_type = form.get("AccountType", "E")
    return Details(
        description=form["Description"],
        first_names=form["BillingFirstnames"],
        surname=form["BillingSurname"],
        billing=billing,
        shipping=shipping,
        email=form.get("CustomerEMail", ""),
        phone=form.get("BillingPhone", ""),
        account_type=account_type if account_type in _ACCOUNT_TYPES else "E",
        gift_aid=form.get("AllowGiftAid") == "1",
        vendor_data=form.get("VendorData", ""),
        website=form.get("Website", ""),
        cof=form.get("COFUsage") == "FIRST",
        system="S",
        protocol=form["VPSProtocol"],
        apply_avs=_MODES.get(form.get("ApplyAVSCV2", "0"), "UseMSPSetting"),
        apply_3ds=_MODES.get(form.get("Apply3DSecure", "0"), "UseMSPSetting"),
    )


def _registered(registration: Registration, status: str, code: str, text: str) -> Response:
    row = registration.row
    return status_reply(
        status,
        code,
        text,
        {"VPSTxId": f"{{{row.id}}}", "SecurityKey": row.security_key, "NextURL": registration.next_url},
    )


class PaidBody(msgspec.Struct, rename="camel"):
    """Body of ``POST /_sandbox/server/pay``: the shopper's card, or ``cancel``."""

    vps_tx_id: str
    card_number: str = "4929000000006"
    expiry_date: str = "1230"
    security_code: str = "123"
    cardholder_name: str = "SUCCESSFUL"
    cancel: bool = False
