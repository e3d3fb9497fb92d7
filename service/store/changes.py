"""What was last seen of SYSPRO's rows, and how far each kind's browse has come.

A page counts once: who writes it moves the cursor from the version at which it was read, and of two polls that read
the same page the second is told so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import bindparam, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store.recordset import insertion, run
from service.store.tables import payments, postings
from service.store.tables_changes import erp_cursors, erp_rows


class Cursor(Struct, frozen=True, kw_only=True):
    """How far a browse is.

    Attributes:
        after: where the next page begins; empty at the first.
        version: goes up with every page.
        sweeps: how often the last page was reached; at 0 nothing is known to be new.
    """

    pair: str
    kind: str
    after: str
    version: int
    sweeps: int
    begun_at: datetime


class Seen(Struct, frozen=True, kw_only=True):
    """A row as it was last seen; `revision` counts its changes."""

    pair: str
    kind: str
    key: str
    digest: str
    revision: int
    values: Mapping[str, str]
    reference: str = ""


class Posted(Struct, frozen=True, kw_only=True):
    """A document of ours, by what a row of SYSPRO may carry of it: our reference, or SYSPRO's own key."""

    kind: str
    reference: str
    erp_key: str
    payment_id: int
    transaction_id: str
    vendor_tx_code: str
    order_reference: str
    created_at: datetime


async def cursor(connection: AsyncConnection, pair: str, kind: str) -> Cursor:
    """The cursor of a kind; a browse that never was begins now."""
    await connection.execute(
        insert(erp_cursors)
        .values(pair=pair, kind=kind)
        .on_conflict_do_nothing(index_elements=["pair", "kind"])
    )
    columns = [erp_cursors.c[name] for name in Cursor.__struct_fields__]
    row = await connection.execute(
        select(*columns).where(erp_cursors.c.pair == pair, erp_cursors.c.kind == kind)
    )
    return Cursor(**{"".join(name): value for name, value in row.mappings().one().items()})


async def move(connection: AsyncConnection, read_at: Cursor, after: str | None) -> bool:
    """Move a cursor on from where a page was read; whether nobody else did."""
    moved = await connection.scalar(
        update(erp_cursors)
        .where(
            erp_cursors.c.pair == read_at.pair,
            erp_cursors.c.kind == read_at.kind,
            erp_cursors.c.version == read_at.version,
        )
        .values(
            after=after or "",
            version=read_at.version + 1,
            sweeps=read_at.sweeps + (after is None),
            changed_at=func.now(),
        )
        .returning(erp_cursors.c.version)
    )
    return moved is not None


async def seen(connection: AsyncConnection, pair: str, kind: str, keys: Sequence[str]) -> dict[str, Seen]:
    """What was last seen of rows, by their keys."""
    columns = [erp_rows.c[name] for name in Seen.__struct_fields__]
    rows = await connection.execute(
        select(*columns).where(
            erp_rows.c.pair == pair, erp_rows.c.kind == kind, erp_rows.c.key.in_(list(keys))
        )
    )
    return {row.key: Seen(**{"".join(name): value for name, value in row._mapping.items()}) for row in rows}


_NAMES = ("pair", "kind", "key", "digest", "revision", "reference", "values")
_KEEP = insertion(
    erp_rows,
    _NAMES,
    conflict="ON CONFLICT (pair, kind, key) DO UPDATE SET digest = excluded.digest, revision = excluded.revision,"
    ' reference = excluded.reference, "values" = excluded."values", changed_at = now()',
)


async def keep(connection: AsyncConnection, rows: Sequence[Seen]) -> None:
    """Keep what was seen of rows."""
    if rows:
        await run(connection, _KEEP, rows)


# --- whose a row is -------------------------------------------------------------------------------


async def posted(
    connection: AsyncConnection, pair: str, references: Sequence[str], keys: Sequence[str]
) -> list[Posted]:
    """Documents of ours with one of some references, or, of those that SYSPRO numbers, one of some keys."""
    columns = [
        postings.c.kind,
        postings.c.reference,
        postings.c.erp_key,
        *(payments.c[name] for name in ("payment_id", "transaction_id", "vendor_tx_code", "order_reference")),
        payments.c.created_at,
    ]
    found = select(*columns).join_from(postings, payments, postings.c.payment_id == payments.c.payment_id)
    by_reference = found.where(
        postings.c.pair == pair,
        postings.c.kind.in_(_KINDS),
        postings.c.reference.in_(bindparam("names", expanding=True)),
    )
    by_key = found.where(
        postings.c.pair == pair,
        postings.c.kind.in_(_NUMBERED),
        postings.c.erp_key.in_(bindparam("names", expanding=True)),
    )
    every: list[Posted] = []
    for statement, names in ((by_reference, references), (by_key, keys)):
        wanted = sorted({name for name in names if name})
        if wanted:
            rows = await connection.execute(statement, {"names": wanted})
            every += [
                Posted(**{"".join(name): value for name, value in row._mapping.items()}) for row in rows
            ]
    return every


# Those of which a row of SYSPRO carries our reference; named, so that the unique index serves.
_KINDS = ("sales_order", "ar_payment", "ar_invoice", "credit_note", "ar_adjustment", "order_invoice")
_NUMBERED = ("ar_invoice", "credit_note", "order_invoice")


# --- payments that wait for their order -----------------------------------------------------------

# A payment rests at a `wait` until its order is shipped or invoiced, or its longest wait is over. What wakes it is
# where the order is, not that it changed: a change that was seen before the payment came to rest wakes it all the same.
_WAKE = text("""
    UPDATE payments SET due_at = :now WHERE payment_id IN (
        SELECT p.payment_id FROM payments p
        JOIN postings o ON o.payment_id = p.payment_id AND o.kind = 'sales_order'
        JOIN erp_rows r ON r.pair = p.pair AND r.kind = 'sales_order' AND r.reference = o.reference
        WHERE p.pair = :pair AND p.lane IS NOT NULL AND p.due_at > :now
          AND (r."values"->>'LastInvoice' <> '' OR r."values"->>'CancelledFlag' = 'Y'
               OR r."values"->>'OrderStatus' = ANY(:cancelled)
               OR (p.findings->'wait'->>'until' = 'shipped' AND r."values"->>'OrderStatus' = ANY(:shipped)))
          AND p.findings->'wait'->>'until' IS NOT NULL
        FOR UPDATE OF p SKIP LOCKED)
    RETURNING lane
""")


async def wake(
    connection: AsyncConnection, pair: str, now: datetime, *, shipped: Sequence[str], cancelled: Sequence[str]
) -> list[str]:
    """Make payments due whose order has come as far as they wait for; gives their lanes, one for each payment."""
    rows = await connection.execute(
        _WAKE, {"pair": pair, "now": now, "shipped": list(shipped), "cancelled": list(cancelled)}
    )
    return [row.lane for row in rows]
