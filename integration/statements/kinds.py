"""What a row of each kind is made of."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import get_args

from integration.canonical.chargeback import ChargebackNotice, ChargebackStage
from integration.canonical.money import Money
from integration.canonical.settlement import SettlementLine
from integration.canonical.statement import BankRow, Row, SettlementRow, TransactionRow
from integration.statements.layout import Kind
from integration.statements.row import Cells

STAGES: tuple[ChargebackStage, ...] = get_args(ChargebackStage)
_CODE = re.compile(r"[A-Za-z0-9._{}-]{1,40}")


def settlement(cells: Cells) -> SettlementRow | None:
    """A settlement line; `None` when there are problems. Of gross, fee and net, one may be missing."""
    batch, code, transaction_id = (
        cells.text("batch_id"),
        cells.text("vendor_tx_code"),
        cells.guid("transaction_id"),
    )
    reference, authorisation = cells.text("settlement_reference"), cells.text("authorisation_code")
    if not batch:
        cells.wrong("batch_id", "row.empty", "the batch is empty", "Fill it in.")
    if not (code or transaction_id or reference or authorisation):
        cells.wrong("", "row.no-reference", "nothing says which transaction it is", "Fill in its code or id.")
    line_no, completed, funding = (
        cells.whole("line_no"),
        cells.moment("completed_at"),
        cells.day("funding_date"),
    )
    gross, fee, net = _three(cells)
    texts = {name: cells.text(name) for name in ("acquirer", "merchant_number")}
    more = {name: cells.text(name) for name in ("transaction_type", "card_scheme")}
    last_four = cells.last_four()
    if cells.problems or gross is None:
        return None
    line = SettlementLine(
        line_no=line_no,
        transaction_id=transaction_id,
        vendor_tx_code=code,
        gross=gross,
        fee=fee,
        net=net,
        last_four=last_four,
        authorisation_code=authorisation,
        settlement_reference=reference,
        **more,
    )
    return SettlementRow(batch_id=batch, line=line, completed_at=completed, funding_date=funding, **texts)


def _three(cells: Cells) -> tuple[Money | None, Money, Money]:
    gross, fee, net = cells.money("gross", needed=True), cells.money("fee"), cells.money("net")
    nothing = Money(0, cells.currency or "GBP")
    if gross is None:
        return None, nothing, nothing
    if fee is None:
        fee = gross - net if net is not None else nothing
    if net is None:
        net = gross - fee
    if net != gross - fee:
        told = f"net is {net.plain()}, and gross less fee {(gross - fee).plain()}"
        cells.wrong("net", "row.net-differs", told, "Correct the one that is wrong.")
    return gross, fee, net


def chargeback(cells: Cells) -> ChargebackNotice | None:
    """A chargeback notice; `None` when there are problems."""
    reference, stage, received = cells.text("chargeback_ref"), _stage(cells), cells.day("received_on")
    for name, value in (("chargeback_ref", reference), ("received_on", received)):
        if not value and all(each.field != name for each in cells.problems):
            cells.wrong(name, "row.empty", "it is empty", "Fill it in.")
    codes = (
        "acquirer",
        "merchant_number",
        "reason_code",
        "reason_text",
        "vendor_tx_code",
        "auth_code",
        "card_scheme",
    )
    texts = {name: cells.text(name) for name in codes}
    respond_by, posted_on = cells.day("respond_by"), cells.day("posted_on")
    texts |= {"transaction_id": cells.guid("transaction_id"), "last_four": cells.last_four()}
    if not (texts["vendor_tx_code"] or texts["transaction_id"]):
        cells.wrong(
            "", "row.no-reference", "nothing says which payment is disputed", "Fill in its code or id."
        )
    amount, original, fee = (
        cells.money("amount", needed=True), cells.money("original_amount"), cells.money("fee"),
    )  # fmt: skip
    if amount is not None and amount.minor <= 0:
        cells.wrong("amount", "row.bad-amount", "nothing is disputed", "Fill in a positive amount.")
    if cells.problems or amount is None or received is None or stage is None:
        return None
    return ChargebackNotice(
        chargeback_ref=reference,
        stage=stage,
        amount=amount,
        received_on=received,
        original_amount=original,
        fee=fee,
        respond_by=respond_by,
        posted_on=posted_on,
        **texts,
        step=None,  # what it moves in the ledger is for the service to decide
    )


def _stage(cells: Cells) -> ChargebackStage | None:
    text = cells.text("stage")
    found = next((stage for stage in STAGES if stage == text), None)
    if found is None and all(each.field != "stage" for each in cells.problems):
        what = f"`{text[:40]}` is no stage"
        cells.wrong("stage", "row.unknown-word", what, f"Write one of {', '.join(STAGES)}.")
    return found


def transaction(cells: Cells) -> TransactionRow | None:
    """A transaction of an export; `None` when there are problems."""
    code, transaction_id = cells.text("vendor_tx_code"), cells.guid("transaction_id")
    if code and not _CODE.fullmatch(code):
        what = f"`{code[:40]}` is no vendor transaction code"
        cells.wrong("vendor_tx_code", "row.bad-code", what, "It has 1 to 40 of letters, digits and -._{}.")
    if not (code or transaction_id):
        cells.wrong("", "row.no-reference", "neither code nor id", "Fill in one of them.")
    amount, at = cells.money("amount"), cells.moment("at")
    kind, status = cells.text("transaction_type"), cells.text("status")
    if cells.problems:
        return None
    return TransactionRow(
        vendor_tx_code=code,
        transaction_id=transaction_id,
        transaction_type=kind,
        amount=amount,
        at=at,
        status=status,
    )


def bank(cells: Cells) -> BankRow | None:
    """A line of a bank's statement; `None` when there are problems."""
    booked, amount, balance = (
        cells.day("booked_on"),
        cells.money("amount", needed=True),
        cells.money("balance"),
    )
    account, description = cells.text("account"), cells.text("description")
    reference = cells.text("reference")
    if booked is None and not any(each.field == "booked_on" for each in cells.problems):
        cells.wrong("booked_on", "row.empty", "the date is empty", "Fill it in.")
    if cells.problems or booked is None or amount is None:
        return None
    return BankRow(
        booked_on=booked,
        amount=amount,
        account=account,
        description=description,
        reference=reference,
        balance=balance,
    )


READERS: dict[Kind, Callable[[Cells], Row | None]] = {
    "settlement": settlement,
    "chargeback": chargeback,
    "transaction": transaction,
    "bank": bank,
}
