"""The poll of SYSPRO's changes: rows that differ from what was last seen of them become events, each once.

SYSPRO pushes nothing, so every kind is browsed in the order of its keys, page by page, again and again. What a page
told (its rows, the events they make, where the next page begins) is written in one transaction; a poll that is
interrupted, or overtaken by another, has written nothing. Movements of receivables are read only of the documents
that changed. Payments that wait for their orders are woken here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from integration.canonical.erp_records import ArDocument, ArMovement, Change, ChangeKind, ReceivablesQuery
from service.core.erp_changes import Look, Ours, bare, digest, events_of
from service.core.events import Event, event_id
from service.core.shipment import SHIPPED_STATUSES
from service.flow.stage import Stage
from service.store import bell, changes, events, lanes
from service.store.changes import Cursor, Posted, Seen

JsonObject = dict[str, object]

_KINDS: tuple[ChangeKind, ...] = ("sales_order", "ar_invoice")
_PAGE = 200
# A company with more orders in its window than this is browsed over several turns, so that the lane stays free.
_PAGES = 10


async def poll(stage: Stage) -> JsonObject:
    """One turn: at most some pages of each kind; says what was read, what had changed and what was told."""
    outcome = {"rows": 0, "changed": 0, "events": 0, "woken": 0}
    for kind in _KINDS:
        for _ in range(_PAGES):
            page = await _page(stage, kind)
            for name in ("rows", "changed", "events"):
                outcome[name] += page[name]
            if page["last"]:
                break
    outcome["woken"] = await _wake(stage)
    return dict(outcome)


async def _page(stage: Stage, kind: ChangeKind) -> dict[str, int]:
    pair = stage.lane.pair
    async with stage.engine.begin() as connection:
        cursor = await changes.cursor(connection, pair, kind)
    since = (stage.clock() - timedelta(days=stage.pair.changes_days)).date()
    page = await stage.session.changes(kind, after=cursor.after, limit=_PAGE, since=since)
    changed = await _changed(stage, kind, page.items)
    documents = await _documents(stage, cursor, [each for each in changed if each.kind == "ar_invoice"])
    for document in documents.values():
        changed += await _changed(stage, "ar_payment", _movements(*document))
    looks, rows = await _looks(stage, cursor, changed, documents)
    told = [event for look, row in zip(looks, rows, strict=True) for event in _told(stage, look, row)]
    async with stage.engine.begin() as connection:
        if not await changes.move(connection, cursor, page.after):
            # Another poll read the same page and was faster; it told what there was to tell.
            return {"rows": 0, "changed": 0, "events": 0, "last": 1}
        await changes.keep(connection, rows)
        await events.add(connection, pair, told)
    return {
        "rows": len(page.items),
        "changed": len(changed),
        "events": len(told),
        "last": int(page.after is None),
    }


async def _changed(stage: Stage, kind: ChangeKind, rows: Sequence[Change]) -> list[Change]:
    """Those of some rows that are new or differ from what was last seen of them."""
    if not rows:
        return []
    async with stage.reads.connect() as connection:
        seen = await changes.seen(connection, stage.lane.pair, kind, [row.key for row in rows])
    return [row for row in rows if row.key not in seen or seen[row.key].digest != digest(row)]


# --- receivables ----------------------------------------------------------------------------------


async def _documents(
    stage: Stage, cursor: Cursor, changed: Sequence[Change]
) -> dict[str, tuple[Change, ArDocument]]:
    """The changed documents with their movements, by key; none while all is new to us."""
    if cursor.sweeps == 0 or not changed:
        return {}

    async def read(row: Change) -> tuple[Change, ArDocument] | None:
        query = ReceivablesQuery(
            customer=row.values["Customer"], invoice=row.values["Invoice"], open_only=False
        )
        for found in await stage.session.receivables(query):
            if found.document_type == row.values["DocumentType"] and bare(found.invoice) == bare(
                query.invoice
            ):
                return row, found
        return None

    found = await asyncio.gather(*(read(row) for row in changed))
    return {each[0].key: each for each in found if each is not None}


def _movements(row: Change, document: ArDocument) -> list[Change]:
    return [_movement(row, each) for each in document.movements]


def _movement(row: Change, movement: ArMovement) -> Change:
    values = {
        **{name: row.values[name] for name in ("Customer", "Invoice", "DocumentType", "SalesOrder")},
        "EntryNumber": movement.entry_number,
        "TrnType": movement.trn_type,
        "Reference": movement.reference,
        "TrnValue": movement.trn_value.plain(),
        "JournalDate": movement.journal_date.isoformat() if movement.journal_date else "",
        "Journal": movement.journal,
    }
    return Change(kind="ar_payment", key=f"{row.key}|{movement.entry_number}", values=values)


# --- looking --------------------------------------------------------------------------------------


async def _looks(
    stage: Stage, cursor: Cursor, changed: Sequence[Change], documents: dict[str, tuple[Change, ArDocument]]
) -> tuple[list[Look], list[Seen]]:
    """Each changed row beside what was last seen of it, and what is kept of it now."""
    pair, site = stage.lane.pair, stage.pair.syspro
    seen: dict[tuple[str, str], Seen] = {}
    async with stage.reads.connect() as connection:
        for kind in {row.kind for row in changed}:
            keys = [row.key for row in changed if row.kind == kind]
            found = await changes.seen(connection, pair, kind, keys)
            seen |= {(kind, key): each for key, each in found.items()}
        owners = await changes.posted(connection, pair, *_names(changed))
    looks, rows = list[Look](), list[Seen]()
    for row in changed:
        before = seen.get((row.kind, row.key))
        owner = _owner(row, owners)
        document = documents.get(row.key if row.kind == "ar_invoice" else row.key.rpartition("|")[0])
        looks.append(
            Look(
                now=row,
                before=before.values if before else None,
                ours=_ours(owner) if owner is not None else None,
                made_by_us=owner is not None and _made(row, owner),
                silent=_silent(row, cursor, owner),
                cancelled_statuses=site.cancelled_statuses,
                unapplied_prefix=site.unapplied_prefix,
                currency=document[1].currency_value.currency if document else "",
            )
        )
        rows.append(
            Seen(
                pair=pair,
                kind=row.kind,
                key=row.key,
                digest=digest(row),
                revision=before.revision + 1 if before else 1,
                values=dict(row.values),
                reference=_reference(row),
            )
        )
    return looks, rows


def _reference(row: Change) -> str:
    return row.values.get("Reference" if row.kind == "ar_payment" else "CustomerPoNumber", "")


def _numbers(row: Change) -> list[str]:
    if row.kind != "ar_invoice":
        return []
    found = [row.values.get(name, "") for name in ("Invoice", "SalesOrder")]
    return [*found, *map(bare, found)]


def _names(changed: Sequence[Change]) -> tuple[list[str], list[str]]:
    references = [_reference(row) for row in changed]
    return references, [number for row in changed for number in _numbers(row) if number]


def _owner(row: Change, owners: Sequence[Posted]) -> Posted | None:
    """The document of ours that a row is, or belongs to."""
    reference, numbers = _reference(row), _numbers(row)
    named = [each for each in owners if reference and each.reference == reference]
    return next(iter(named), None) or next((each for each in owners if each.erp_key in numbers), None)


def _ours(owner: Posted) -> Ours:
    return Ours(
        kind=owner.kind,
        payment_id=owner.payment_id,
        transaction_id=owner.transaction_id,
        vendor_tx_code=owner.vendor_tx_code,
        order_reference=owner.order_reference,
    )


def _made(row: Change, owner: Posted) -> bool:
    """Whether we posted the row itself, and not only what it came of: an invoice of our order is SYSPRO's."""
    if row.kind == "ar_invoice" and row.values.get("DocumentType") == "I" and row.values.get("SalesOrder"):
        return owner.kind == "order_invoice"
    return True


def _silent(row: Change, cursor: Cursor, owner: Posted | None) -> bool:
    """Whether a row that is new to us was there before we began to look."""
    if row.kind == "ar_payment":
        made_on = row.values.get("JournalDate", "")
        return bool(made_on) and made_on < cursor.begun_at.date().isoformat()
    return cursor.sweeps == 0 and (owner is None or owner.created_at < cursor.begun_at)


def _told(stage: Stage, look: Look, row: Seen) -> list[Event]:
    """The events of a look. Their ids come from the row, how often it had changed, and its hash."""
    now: datetime = stage.clock()
    return [
        Event(
            event_id=event_id(row.pair, row.kind, row.key, str(row.revision), row.digest, each.type),
            type=each.type,
            subject=each.subject,
            data=each.data,
            happened_at=now,
        )
        for each in events_of(look)
    ]


# --- waking ---------------------------------------------------------------------------------------


async def _wake(stage: Stage) -> int:
    pair = stage.lane.pair
    async with stage.engine.begin() as connection:
        await bell.share(connection, await lanes.names(connection, "posting", pair))
        woken = await changes.wake(
            connection,
            pair,
            stage.clock(),
            shipped=sorted(SHIPPED_STATUSES),
            cancelled=stage.pair.syspro.cancelled_statuses,
        )
        await bell.ring(connection, sorted(set(woken)))
    return len(woken)
