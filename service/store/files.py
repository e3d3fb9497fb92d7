"""Files and their rows: taken together with what they bring, once, however often they come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from service.store import recordset
from service.store.rows import JsonObject, documents
from service.store.tables_files import dropped_files, file_rows, files


class NewFile(Struct, frozen=True, kw_only=True):
    """A file that was read, or refused; see the table for its members."""

    pair: str
    fingerprint: str
    name: str
    source: str
    size: int
    state: str
    kind: str = ""
    layout: str = ""
    totals: JsonObject = {}
    content: JsonObject = {}
    error: JsonObject | None = None
    taken_by: str = ""


class NewRow(Struct, frozen=True, kw_only=True):
    """A row of a file; see the table for its members."""

    pair: str
    file_id: int
    line: int
    kind: str
    row_hash: str
    transaction_id: str
    vendor_tx_code: str
    amount_minor: int | None
    currency: str
    document: JsonObject
    marked: JsonObject


class Seen(Struct, frozen=True, kw_only=True):
    """A row that had been there before, and the file it came with."""

    line: int
    file_id: int


_ROW_COLUMNS = tuple(NewRow.__struct_fields__)
_FILE_SHOWN = [column for column in files.c if column.name not in ("content", "known", "fingerprint")]


async def add(connection: AsyncConnection, new: NewFile) -> tuple[int, bool]:
    """Note a file; its id, and whether its rows are to be taken: not those of a file that was taken before.

    A file that was refused before may be taken now, since layouts change. Who notes the same file at the same time
    waits until the first is done.
    """
    values = {name: getattr(new, name) for name in NewFile.__struct_fields__}
    changed = {
        name: values[name] for name in ("state", "kind", "layout", "totals", "content", "error", "taken_by")
    }
    statement = (
        insert(files)
        .values(values)
        .on_conflict_do_update(
            index_elements=["pair", "fingerprint"],
            set_=changed | {"deliveries": files.c.deliveries + 1, "last_at": func.now()},
            where=files.c.state == "refused",
        )
        .returning(files.c.file_id)
    )
    found = await connection.scalar(statement)
    if found is not None:
        return int(found), new.state == "taken"
    again = (
        update(files)
        .where(files.c.pair == new.pair, files.c.fingerprint == new.fingerprint)
        .values(deliveries=files.c.deliveries + 1, last_at=func.now())
        .returning(files.c.file_id)
    )
    return int((await connection.execute(again)).scalar_one()), False


async def taken(connection: AsyncConnection, pair: str, fingerprint: str) -> int | None:
    """The id of a file with these bytes that was taken, if there is one."""
    found = await connection.scalar(
        select(files.c.file_id).where(
            files.c.pair == pair, files.c.fingerprint == fingerprint, files.c.state == "taken"
        )
    )
    return None if found is None else int(found)


async def add_rows(connection: AsyncConnection, rows: Sequence[NewRow]) -> tuple[set[str], list[Seen]]:
    """Add rows that are new; counts those that were there before.

    Returns:
        The hashes of the new ones, and which were known with the file that brought them first.
    """
    if not rows:
        return set(), []
    # Sorted: two files with the same rows never wait for each other.
    ordered = sorted({row.row_hash: row for row in reversed(rows)}.values(), key=lambda row: row.row_hash)
    statement = recordset.insertion(
        file_rows, _ROW_COLUMNS, "row_hash", "ON CONFLICT (pair, kind, row_hash) DO NOTHING"
    )
    found = await recordset.run(connection, statement, ordered)
    new = {str(row[0]) for row in found}
    known = [row.row_hash for row in ordered if row.row_hash not in new]
    brought: dict[str, int] = {}
    if known:
        counted = await connection.execute(
            update(file_rows)
            .where(
                file_rows.c.pair == rows[0].pair,
                file_rows.c.kind == rows[0].kind,
                file_rows.c.row_hash == func.any(text("CAST(:known AS text[])")),
            )
            .values(times=file_rows.c.times + 1)
            .returning(file_rows.c.row_hash, file_rows.c.file_id),
            {"known": known},
        )
        brought = {str(row[0]): int(row[1]) for row in counted}
    first = {row.row_hash: row.line for row in reversed(rows)}
    seen = [
        Seen(line=row.line, file_id=brought.get(row.row_hash, row.file_id))
        for row in rows
        if row.row_hash not in new or first[row.row_hash] != row.line
    ]
    return new, seen


class Counts(Struct, frozen=True, kw_only=True):
    """What became of the rows of a file."""

    new: int
    known: int
    bad: int


async def count(connection: AsyncConnection, file_id: int, counts: Counts, seen: Sequence[Seen]) -> None:
    """Write what became of the rows of a file; of those known before, the first thousand by name."""
    known = [{"line": each.line, "file_id": each.file_id} for each in seen[:1000]]
    await connection.execute(
        update(files)
        .where(files.c.file_id == file_id)
        .values(
            rows_new=counts.new,
            rows_known=counts.known,
            rows_bad=counts.bad,
            known={"rows": known},
        )
    )


async def listed(
    connection: AsyncConnection, pair: str, filters: dict[str, str], *, before: int, limit: int
) -> list[JsonObject]:
    """Files as the API lists them, newest first, without their bad rows."""
    statement = select(*_FILE_SHOWN).where(files.c.pair == pair)
    for name, value in filters.items():
        statement = statement.where(files.c[name] == value)
    if before:
        statement = statement.where(files.c.file_id < before)
    return documents(await connection.execute(statement.order_by(files.c.file_id.desc()).limit(limit)))


async def one(connection: AsyncConnection, pair: str, file_id: int) -> JsonObject | None:
    """A file with all that is known of it, or `None`."""
    rows = await connection.execute(select(files).where(files.c.pair == pair, files.c.file_id == file_id))
    found = documents(rows)
    return found[0] if found else None


async def rows_of(
    connection: AsyncConnection, pair: str, file_id: int, *, after: int, limit: int
) -> list[JsonObject]:
    """The rows that a file brought, in the order of the file."""
    rows = await connection.execute(
        select(file_rows)
        .where(file_rows.c.pair == pair, file_rows.c.file_id == file_id, file_rows.c.file_row_id > after)
        .order_by(file_rows.c.file_row_id)
        .limit(limit)
    )
    return documents(rows)


async def archived(
    connection: AsyncConnection, pair: str, fingerprint: str, name: str, now: datetime
) -> None:
    """Note that a file was moved to the archive; it is no longer watched."""
    await connection.execute(
        update(files).where(files.c.pair == pair, files.c.fingerprint == fingerprint).values(archived_at=now)
    )
    await connection.execute(
        delete(dropped_files).where(dropped_files.c.pair == pair, dropped_files.c.name == name)
    )


class Dropped(Struct, frozen=True, kw_only=True):
    """A file as it was seen in the drop folder."""

    name: str
    size: int
    modified: int


async def at_rest(connection: AsyncConnection, pair: str, seen: Sequence[Dropped], now: datetime) -> set[str]:
    """Which files are as they were at the poll before; what is seen now is kept for the next, the rest forgotten."""
    rows = await connection.execute(select(dropped_files).where(dropped_files.c.pair == pair))
    before = {row.name: (row.size, row.modified) for row in rows}
    gone = set(before) - {each.name for each in seen}
    if gone:
        await connection.execute(
            delete(dropped_files).where(dropped_files.c.pair == pair, dropped_files.c.name.in_(gone))
        )
    for each in seen:
        values = {"size": each.size, "modified": each.modified, "seen_at": now}
        await connection.execute(
            insert(dropped_files)
            .values(pair=pair, name=each.name, **values)
            .on_conflict_do_update(index_elements=["pair", "name"], set_=values)
        )
    return {each.name for each in seen if before.get(each.name) == (each.size, each.modified)}
