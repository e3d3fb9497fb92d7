"""What was last seen of SYSPRO's rows, which pushes nothing: a row's hash, and how far the browse of its kind is."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.columns import at, document, metadata, pair_column
from service.store.tables import postings

erp_rows = sa.Table(
    "erp_rows",
    metadata,
    pair_column(key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False, server_default=sa.text("1")),  # how often it changed
    sa.Column("reference", sa.Text, nullable=False, server_default=""),  # ours, if it carries one of ours
    document("values"),
    at("changed_at"),
    sa.Index("ix_erp_rows_reference", "pair", "kind", "reference"),
)

erp_cursors = sa.Table(
    "erp_cursors",
    metadata,
    pair_column(key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("after", sa.Text, nullable=False, server_default=""),  # where the next page begins
    sa.Column(
        "version", sa.BigInteger, nullable=False, server_default=sa.text("0")
    ),  # of two polls one counts
    sa.Column(
        "sweeps", sa.Integer, nullable=False, server_default=sa.text("0")
    ),  # times the last page was read
    at("begun_at"),
    at("changed_at"),
)

# Documents that SYSPRO numbers are told from others' by its number; the kinds of the busy road are not in it.
sa.Index(
    "ix_postings_erp_key",
    postings.c.pair,
    postings.c.erp_key,
    postgresql_where=sa.text("kind in ('ar_invoice', 'credit_note', 'order_invoice')"),
)
