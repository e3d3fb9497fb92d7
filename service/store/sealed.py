"""Everything the vault has sealed, wherever it lies: put under the current key when a key was turned."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from service.store.schema import metadata
from service.store.vault import Vault

_NAMES = frozenset({"sealed", "security_key"})
AT_ONCE = 500


def sealed_columns() -> list[tuple[Table, Column[bytes]]]:
    """The columns that hold sealed secrets, by table."""
    found = [
        (table, column)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
        and (column.name in _NAMES or (table.name, column.name) == ("idempotency_keys", "answer"))
    ]
    return sorted(found, key=lambda each: each[0].name)


async def reseal(engine: AsyncEngine, vault: Vault) -> dict[str, int]:
    """Put every sealed secret under the vault's current key; how many there were, by table.

    Doing it twice is harmless, and a run that is broken off is simply begun again: both keys open meanwhile.

    Raises:
        Misconfigured: no live key opens one of them; what was done before stays done.
    """
    return {table.name: await _reseal(engine, vault, table, column) for table, column in sealed_columns()}


async def _reseal(engine: AsyncEngine, vault: Vault, table: Table, column: Column[bytes]) -> int:
    key, done, last = list(table.primary_key.columns), 0, None
    while True:
        page = select(*key, column).where(column.is_not(None)).order_by(*key).limit(AT_ONCE).with_for_update()
        if last is not None:
            page = page.where(tuple_(*key) > tuple_(*last))
        async with engine.begin() as connection:
            rows = [tuple(row) for row in await connection.execute(page)]
            for row in rows:
                same = [part == value for part, value in zip(key, row, strict=False)]
                renewed = {column.name: vault.rotate(row[-1])}
                await connection.execute(update(table).where(*same).values(renewed))
        if not rows:
            return done
        done, last = done + len(rows), rows[-1][:-1]
