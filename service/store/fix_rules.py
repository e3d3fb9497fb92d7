"""Corrections that people kept as rules: versioned, at most one version of each live."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from service.core.source_document import Json
from service.store.rows import JsonObject, documents
from service.store.tables_repairs import fix_rules


class FixRule(Struct, frozen=True, kw_only=True):
    """What is put right when an error of a code would make a dead letter.

    Attributes:
        field: the path of the value; `order.lines[].stock_code` means any line.
        before: the exact value it applies to; where there is none, `condition` decides.
        condition: in CEL, over the facts of flows and `value`; empty when `before` decides.
        after: the right value.
    """

    code: str
    field: str
    after: Json
    before: Json = None
    condition: str = ""

    @property
    def key(self) -> str:
        """The same for the same cause: a later correction of it is the rule's next version."""
        told = msgspec.json.encode([self.code, self.field, self.before, self.condition])
        return hashlib.sha256(told).hexdigest()[:16]


class KeptRule(FixRule, frozen=True, kw_only=True):
    """A rule as it is kept."""

    rule: str
    version: int


async def keep(
    connection: AsyncConnection, pair: str, new: FixRule, author: str, note: str
) -> tuple[str, int]:
    """Keep a rule, in place of the version before; returns its name and version."""
    found = await connection.scalar(
        select(func.max(fix_rules.c.version)).where(fix_rules.c.pair == pair, fix_rules.c.rule == new.key)
    )
    version = int(found or 0) + 1
    await retire(connection, pair, new.key, author)
    await connection.execute(
        insert(fix_rules).values(
            pair=pair, rule=new.key, version=version, author=author, note=note, **msgspec.structs.asdict(new)
        )
    )
    return new.key, version


async def retire(connection: AsyncConnection, pair: str, rule: str, actor: str) -> bool:
    """Take a rule out of use; whether it was in use."""
    result = await connection.execute(
        update(fix_rules)
        .where(fix_rules.c.pair == pair, fix_rules.c.rule == rule, fix_rules.c.live)
        .values(live=False, retired_at=func.now(), retired_by=actor)
    )
    return result.rowcount > 0


async def of_code(connection: AsyncConnection, pair: str, code: str) -> list[KeptRule]:
    """The live rules for an error, the newest first."""
    rows = await connection.execute(
        select(*(fix_rules.c[name] for name in KeptRule.__struct_fields__))
        .where(fix_rules.c.pair == pair, fix_rules.c.code == code, fix_rules.c.live)
        .order_by(fix_rules.c.created_at.desc())
    )
    return [KeptRule(**row) for row in documents(rows)]  # type: ignore[arg-type]


async def listed(connection: AsyncConnection, pair: str, *, versions: bool = False) -> list[JsonObject]:
    """The rules of a pair, newest first; with `versions` those out of use too."""
    statement = select(fix_rules).where(fix_rules.c.pair == pair)
    if not versions:
        statement = statement.where(fix_rules.c.live)
    return documents(
        await connection.execute(
            statement.order_by(fix_rules.c.created_at.desc(), fix_rules.c.version.desc())
        )
    )
