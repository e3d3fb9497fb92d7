"""What every table is made of: one schema, its names of constraints, and the columns that all tables share."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def pair_column(*, key: bool = False) -> sa.Column[str]:
    """The pair that a row belongs to; `key` makes it part of the primary key."""
    return sa.Column("pair", sa.Text, sa.ForeignKey("pairs.pair"), primary_key=key, nullable=False)


def at(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A time with its zone; now, unless it may be empty."""
    default = None if nullable else sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=default)


def document(name: str, *, nullable: bool = False) -> sa.Column[object]:
    """A JSON document; an empty object, unless it may be missing."""
    return sa.Column(
        name, JSONB, nullable=nullable, server_default=None if nullable else sa.text("'{}'::jsonb")
    )
