"""The evidence pack of a chargeback: everything we know of the disputed payment, in one archive with its checksums."""

from __future__ import annotations

import asyncio
import hashlib
import io
import re
import zipfile
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from integration.canonical.order import Order
from integration.canonical.payment import GatewayTransaction
from service.core.card_data import mask
from service.core.chargeback_position import in_order
from service.flow.evidence_pdf import render
from service.flow.evidence_summary import Known, sections
from service.flow.facts import order_of, transaction_of
from service.store import audit, chargeback_evidence, chargebacks, payments
from service.store.chargeback_evidence import Evidence
from service.store.chargebacks import Case
from service.store.pairs import PairSettings

JsonObject = dict[str, object]

_UNSAFE = re.compile(r"[^A-Za-z0-9._ -]+")
_NAME_LENGTH = 80
_DOS_EPOCH = 1980


class Pack(Struct, frozen=True):
    """An archive and the name to save it under."""

    name: str
    content: bytes


async def pack(connection: AsyncConnection, settings: PairSettings, case: Case, now: datetime) -> Pack:
    """Make the evidence pack of a case; the same facts at the same time give the same bytes."""
    known, everything = await _collect(connection, settings, case)
    files = await chargeback_evidence.files(connection, case)
    # Drawing a PDF takes a second of CPU: the requests beside it go on.
    content = await asyncio.to_thread(_archive, known, everything, files, now)
    return Pack(name=f"chargeback-{safe_name(case.chargeback_ref)}-{now:%Y%m%d}.zip", content=content)


def safe_name(name: str) -> str:
    """A file name that leads nowhere: letters, digits, blanks and `.-_`, never a path or a hidden file."""
    plain = _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if dot and len(plain) > _NAME_LENGTH:
        plain = f"{stem[: _NAME_LENGTH - len(ending) - 1]}.{ending}"
    return plain[:_NAME_LENGTH] or "file"


async def _collect(
    connection: AsyncConnection, settings: PairSettings, case: Case
) -> tuple[Known, JsonObject]:
    row = await payments.one(connection, case.pair, case.payment_id) if case.payment_id else None
    transaction: GatewayTransaction | None = transaction_of(row) if row is not None else None
    order: Order | None = order_of(row) if row is not None else None
    told = await chargebacks.stages(connection, case)
    notes = await chargebacks.notes(connection, case)
    erp = await chargeback_evidence.erp_of(connection, case)
    # A web account that many shoppers share says nothing of this one.
    shared = settings.defaults.get("customer", "")
    email = (order.customer.email if order else "") or (transaction.customer_email if transaction else "")
    customer = case.customer if case.customer != shared else ""
    history = await chargeback_evidence.history(connection, case.pair, customer=customer, email=email)
    others = [
        other
        for other in await chargebacks.cases_of(connection, case.pair, [customer])
        if other["chargeback_id"] != case.chargeback_id
    ]
    known = Known(
        case=case,
        notices=tuple(in_order([each.notice for each in told])),
        transaction=transaction,
        order=order,
        documents={each.kind: each.erp_key for each in row.postings} if row is not None else {},
        erp=erp,
        history=history,
        others=len(others),
        notes=notes,
    )
    timeline = await audit.timeline(connection, case.pair, row.payment_id) if row is not None else []
    everything: JsonObject = {
        "chargeback": msgspec.structs.asdict(case),
        "notices": [each.notice for each in told],
        "notes": notes,
        "transaction": transaction,
        "order": order,
        "postings": [_posting(each) for each in row.postings] if row is not None else [],
        "syspro": erp,
        "payment_timeline": timeline,
        "customer_history": history,
        "other_chargebacks": others,
    }
    return known, everything


def _posting(posting: payments.Posting) -> JsonObject:
    names = ("kind", "reference", "state", "erp_key", "document", "receipt", "confirmed_at")
    return {name: getattr(posting, name) for name in names}


def _archive(known: Known, everything: JsonObject, evidence: list[Evidence], now: datetime) -> bytes:
    title = f"Evidence in chargeback {known.case.chargeback_ref}"
    told = mask(msgspec.json.format(msgspec.json.encode(everything, order="sorted"), indent=2).decode())
    members = {
        "summary.pdf": render(title, sections(known, evidence), now),
        "everything.json": told.encode(),
    }
    for number, file in enumerate(evidence, start=1):
        members[f"evidence/{number:02d} {safe_name(file.name)}"] = file.body
    manifest = {
        "chargeback": known.case.chargeback_ref,
        "made_at": now,
        "files": [
            {"name": name, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
            for name, body in members.items()
        ],
    }
    members["manifest.json"] = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            made = (max(now.year, _DOS_EPOCH), now.month, now.day, now.hour, now.minute, now.second)
            info = zipfile.ZipInfo(name, date_time=made)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, body)
    return packed.getvalue()
