"""The tables of files that arrive: each file once, each row once, and what was seen to lie in a drop folder."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.columns import at, document, metadata, pair_column

files = sa.Table(
    "files",
    metadata,
    sa.Column("file_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("fingerprint", sa.Text, nullable=False),  # SHA-256 of its bytes
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),  # upload · sftp
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, server_default=""),
    sa.Column("layout", sa.Text, nullable=False, server_default=""),
    sa.Column("rows_new", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("rows_known", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("rows_bad", sa.Integer, nullable=False, server_default=sa.text("0")),
    document("totals"),  # the control line against the rows
    document("content"),  # the header, and the bad rows with their problems
    document("known"),  # which rows another file had brought before
    document("error", nullable=True),  # why it was refused
    sa.Column("deliveries", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("taken_by", sa.Text, nullable=False, server_default=""),
    at("received_at"),
    at("last_at"),
    at("archived_at", nullable=True),
    sa.UniqueConstraint("pair", "fingerprint"),
    sa.CheckConstraint("state in ('taken', 'refused')", name="state"),
    sa.CheckConstraint("source in ('upload', 'sftp')", name="source"),
)

file_rows = sa.Table(
    "file_rows",
    metadata,
    sa.Column("file_row_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("file_id", sa.BigInteger, sa.ForeignKey("files.file_id"), nullable=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("row_hash", sa.Text, nullable=False),  # the same in whichever file the row stands
    sa.Column("transaction_id", sa.Text, nullable=False, server_default=""),
    sa.Column("vendor_tx_code", sa.Text, nullable=False, server_default=""),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("currency", sa.Text, nullable=False, server_default=""),
    document("document"),  # the canonical row
    document("marked"),  # fields that a spreadsheet would take for a formula
    sa.Column("times", sa.Integer, nullable=False, server_default=sa.text("1")),  # in how many files it stood
    at("created_at"),
    sa.UniqueConstraint("pair", "kind", "row_hash"),
    sa.Index("ix_file_rows_file", "file_id", "line"),
    sa.Index("ix_file_rows_code", "pair", "kind", "vendor_tx_code"),
    sa.Index("ix_file_rows_transaction", "pair", "kind", "transaction_id"),
)

dropped_files = sa.Table(
    "dropped_files",
    metadata,
    pair_column(key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("modified", sa.BigInteger, nullable=False),
    at("seen_at"),
)
