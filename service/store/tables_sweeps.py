"""The tables of sweeps and backfills: what was asked of the gateway's lists, and which of its rows were seen."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.columns import at, document, metadata, pair_column

sweep_runs = sa.Table(
    "sweep_runs",
    metadata,
    sa.Column("run_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="running"),
    sa.Column("mode", sa.Text, nullable=False, server_default="post"),
    sa.Column("dry_run", sa.Boolean, nullable=False, server_default=sa.text("false")),
    at("from_at"),
    at("to_at"),
    document("windows"),  # a list of start and end; one with too many rows is replaced by its halves
    # The cursor: which window, which row of it; it moves in the transaction that stores a page.
    sa.Column("window", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("next_row", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("total_rows", sa.Integer),
    sa.Column("restarts", sa.Integer, nullable=False, server_default=sa.text("0")),
    document("counts"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    at("due_at"),
    sa.Column("requested_by", sa.Text, nullable=False, server_default=""),
    document("error", nullable=True),
    at("started_at"),
    at("changed_at"),
    at("finished_at", nullable=True),
    sa.CheckConstraint("kind in ('sweep', 'nightly', 'asked', 'backfill')", name="kind"),
    sa.CheckConstraint("state in ('running', 'paused', 'done', 'cancelled', 'failed')", name="state"),
    sa.CheckConstraint("mode in ('post', 'record')", name="mode"),
    sa.Index("ix_sweep_runs_listed", "pair", "kind", "run_id"),
    sa.Index(
        "uq_sweep_runs_open",
        "pair",
        "kind",
        unique=True,
        postgresql_where=sa.text("state = 'running' and kind <> 'backfill'"),
    ),
    sa.Index("ix_sweep_runs_running", "pair", "due_at", postgresql_where=sa.text("state = 'running'")),
)

swept_rows = sa.Table(
    "swept_rows",
    metadata,
    pair_column(key=True),
    sa.Column("transaction_id", sa.Text, primary_key=True),
    sa.Column("row_id", sa.BigInteger, sa.Identity(), nullable=False),
    sa.Column("vendor_tx_code", sa.Text, nullable=False, server_default=""),
    sa.Column("kind", sa.Text, nullable=False, server_default=""),
    sa.Column("succeeded", sa.Boolean, nullable=False),
    sa.Column("amount_minor", sa.BigInteger),
    sa.Column("currency", sa.Text, nullable=False, server_default=""),
    at("started_at", nullable=True),
    sa.Column("started_text", sa.Text, nullable=False, server_default=""),
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey("sweep_runs.run_id"), nullable=False),
    sa.Column("run_kind", sa.Text, nullable=False),
    # Nobody had told of it when a list did.
    sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.text("false")),
    at("seen_at"),
    sa.Column("state", sa.Text, nullable=False, server_default=""),  # as its detail last told
    sa.Column("settlement_batch", sa.Text, nullable=False, server_default=""),
    sa.Column("looks", sa.Integer, nullable=False, server_default=sa.text("0")),
    at("looked_at", nullable=True),
    at("look_at", nullable=True),  # empty when nothing can become of it any more
    sa.Index("ix_swept_rows_look", "pair", "look_at", postgresql_where=sa.text("look_at is not null")),
    sa.Index("ix_swept_rows_seen", "pair", "seen_at"),
    sa.Index("ix_swept_rows_alone", "pair", "row_id", postgresql_where=sa.text("alone")),
)
