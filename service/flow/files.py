"""A file that arrives: fingerprinted, read row by row, stored with all that it brings in one transaction, once.

Good rows go on, bad rows are reported; a file whose control totals do not agree is refused whole.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from integration.canonical.chargeback import ChargebackNotice
from integration.canonical.money import Money
from integration.canonical.statement import BankRow, Row, SettlementRow, TransactionRow
from integration.errors import IntegrationError, Misconfigured, Rejected
from integration.statements.layout import StatementLayout, read_layout
from integration.statements.reading import GoodRow, Reading, open_file, read
from integration.statements.refusal import FileRefused
from service import resources
from service.core.card_data import mask, refuse
from service.core.own_messages import chargeback_code, chargeback_id
from service.flow.recovery import as_document
from service.store import audit, files, inbox
from service.store.files import Counts, NewFile, NewRow
from service.store.inbox import Delivery
from service.store.pairs import PairSettings

JsonObject = dict[str, object]
_FOLDER = "templates/statements"
_MOST_BAD = 5_000
_AT_ONCE = 1_000
_LONGEST_NAME = 200


class Arrived(Struct, frozen=True, kw_only=True):
    """A file as it came: its name, its bytes, where from, and who sent it."""

    name: str
    content: bytes
    source: Literal["upload", "sftp"]
    by: str

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


class Taken(Struct, frozen=True, kw_only=True):
    """What became of a file; `new` is false for one that was taken before."""

    file_id: int
    new: bool
    counts: Counts | None = None


def layouts_of(settings: PairSettings) -> list[StatementLayout]:
    """The layouts of a pair: its own, and those of the product that it uses.

    Raises:
        Misconfigured: the settings name a layout that does not come with the product.
    """
    wanted, shipped = settings.files.layouts, resources.names(_FOLDER)
    if strange := sorted(set(wanted) - set(shipped)):
        raise Misconfigured(
            f"There is no layout {', '.join(strange)} among those of the product",
            code="file.no-layout",
            hint=f"Correct `layouts` of the pair's `files`; there are {', '.join(shipped)}.",
        )
    own = [read_layout(document) for document in settings.files.own_layouts]
    named = {layout.name for layout in own}
    ours = [read_layout(resources.document(f"{_FOLDER}/{name}.yaml")) for name in wanted or shipped]
    # A layout of the pair's own takes the place of the product's with its name.
    return [*own, *(layout for layout in ours if layout.name not in named)]


async def look(settings: PairSettings, arrived: Arrived) -> Reading:
    """Read a file without keeping anything of it.

    Raises:
        FileRefused, CardDataRefused, Misconfigured: as for `take`.
    """
    return await asyncio.to_thread(_read, arrived, layouts_of(settings))


async def take(engine: AsyncEngine, settings: PairSettings, arrived: Arrived) -> Taken:
    """Take a file, once: what it brings is stored with it, or nothing of it is.

    Raises:
        FileRefused: nothing of it was taken; its name, size and the reason are noted.
        CardDataRefused: it holds a card number; likewise.
        Misconfigured: the pair's layouts cannot be used; nothing is noted.
    """
    _insist_safe(arrived.name)
    async with engine.begin() as connection:
        if await files.taken(connection, settings.pair, arrived.fingerprint) is not None:
            file_id, _ = await files.add(connection, _new(settings, arrived, state="taken"))
            return Taken(file_id=file_id, new=False)
    try:
        reading = await look(settings, arrived)
    except Rejected as error:
        await _note_refusal(engine, settings, arrived, error)
        raise
    async with engine.begin() as connection:
        return await _store(connection, settings, arrived, reading)


def _insist_safe(name: str) -> None:
    unsafe = any(sign in "/\\:" or ord(sign) < 32 for sign in name) or name in ("", ".", "..")
    if unsafe or len(name) > _LONGEST_NAME:
        raise FileRefused(
            "The name of the file is none: it is empty, too long, or leads to another folder",
            code="file.unsafe-name",
            hint="Rename it; letters, digits, points and hyphens are safe.",
        )
    refuse(name)


def _read(arrived: Arrived, layouts: Sequence[StatementLayout]) -> Reading:
    opened = open_file(arrived.content)
    refuse(opened.text)
    reading = read(opened, layouts)
    if len(reading.bad) > _MOST_BAD:
        raise FileRefused(
            f"{len(reading.bad)} rows of the file are wrong",
            code="file.too-many-bad-rows",
            hint="Its layout may not be the right one; look at one of them in a preview of a shorter file.",
        )
    return reading


def _new(settings: PairSettings, arrived: Arrived, **more: object) -> NewFile:
    members = {
        "pair": settings.pair,
        "fingerprint": arrived.fingerprint,
        "name": arrived.name,
        "source": arrived.source,
        "size": len(arrived.content),
        "taken_by": arrived.by,
        **more,
    }
    return msgspec.convert(members, NewFile)


async def _note_refusal(
    engine: AsyncEngine, settings: PairSettings, arrived: Arrived, error: IntegrationError
) -> None:
    # A title may quote the file: where that holds a card number, it stays out.
    document = {**as_document(error), "title": mask(error.title)}
    async with engine.begin() as connection:
        file_id, _ = await files.add(connection, _new(settings, arrived, state="refused", error=document))
        detail = {"file_id": file_id, "name": arrived.name, "code": error.error_code}
        line = audit.Line(pair=settings.pair, actor=arrived.by, action="file.refused", detail=detail)
        await audit.write(connection, [line])


async def _store(
    connection: AsyncConnection, settings: PairSettings, arrived: Arrived, reading: Reading
) -> Taken:
    content = {"header": reading.header, "bad": reading.bad}
    new = _new(
        settings,
        arrived,
        state="taken",
        kind=reading.kind,
        layout=reading.layout,
        totals=msgspec.to_builtins(reading.totals),
        content=msgspec.to_builtins(content),
    )
    file_id, ours = await files.add(connection, new)
    if not ours:  # somebody took the same file while we read it
        return Taken(file_id=file_id, new=False)
    rows = [_row(settings.pair, file_id, reading.kind, each) for each in reading.rows]
    fresh, seen = await files.add_rows(connection, rows)
    counts = Counts(new=len(fresh), known=len(seen), bad=len(reading.bad))
    await files.count(connection, file_id, counts, seen)
    first = {each.row_hash: each for each in reversed(reading.rows) if each.row_hash in fresh}
    deliveries = [found for each in first.values() if (found := _delivery(settings.pair, each)) is not None]
    for start in range(0, len(deliveries), _AT_ONCE):
        await inbox.store(connection, deliveries[start : start + _AT_ONCE])
    detail = {
        "file_id": file_id,
        "name": arrived.name,
        "layout": reading.layout,
        **msgspec.to_builtins(counts),
    }
    line = audit.Line(pair=settings.pair, actor=arrived.by, action="file.taken", detail=detail)
    await audit.write(connection, [line])
    return Taken(file_id=file_id, new=True, counts=counts)


def _row(pair: str, file_id: int, kind: str, good: GoodRow) -> NewRow:
    said = good.row
    named = said.line if isinstance(said, SettlementRow) else said
    amount = _amount(said)
    return NewRow(
        pair=pair,
        file_id=file_id,
        line=good.line,
        kind=kind,
        row_hash=good.row_hash,
        transaction_id=getattr(named, "transaction_id", ""),
        vendor_tx_code=getattr(named, "vendor_tx_code", ""),
        amount_minor=None if amount is None else amount.minor,
        currency="" if amount is None else amount.currency,
        document=msgspec.to_builtins(said),
        marked={"fields": list(good.marked)},
    )


def _amount(said: Row) -> Money | None:
    if isinstance(said, SettlementRow):
        return said.line.gross
    return said.amount


def _delivery(pair: str, good: GoodRow) -> Delivery | None:
    """What a row says to the road; settlement and bank lines wait for reconciliation."""
    said = good.row
    if isinstance(said, SettlementRow | BankRow):
        return None
    body = msgspec.json.encode(said, order="sorted")
    if isinstance(said, ChargebackNotice):
        return Delivery(
            pair=pair,
            source="file",
            event_id=good.row_hash,
            kind=f"chargeback.{said.stage}",
            transaction_id=chargeback_id(said),
            vendor_tx_code=chargeback_code(said),
            body=body,
        )
    return _hint(pair, good.row_hash, said, body)


def _hint(pair: str, row_hash: str, said: TransactionRow, body: bytes) -> Delivery:
    return Delivery(
        pair=pair,
        source="file",
        event_id=row_hash,
        kind="transaction.listed",
        transaction_id=said.transaction_id,
        vendor_tx_code=said.vendor_tx_code,
        body=body,
        occurred_at=said.at,
    )
