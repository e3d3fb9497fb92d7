"""Repairs of payments that would have become dead letters, the rules that people kept, and stock codes learnt."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.columns import at, document, metadata, pair_column

repairs = sa.Table(
    "repairs",
    metadata,
    sa.Column("repair_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("payment_id", sa.BigInteger, sa.ForeignKey("payments.payment_id"), nullable=False),
    sa.Column("repair", sa.Text, nullable=False),  # the class
    sa.Column("step", sa.Text, nullable=False),  # at which the payment failed
    sa.Column("code", sa.Text, nullable=False),  # with which error
    document("changes"),  # a list: path, before, after
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("from_start", sa.Boolean, nullable=False, server_default=sa.text("true")),
    sa.Column("rule", sa.Text, nullable=False, server_default=""),
    sa.Column("rule_version", sa.Integer, nullable=False, server_default=sa.text("0")),
    document("error"),  # as it was, so that an undone repair leaves the payment where it stood
    sa.Column("decided_by", sa.Text, nullable=False, server_default=""),
    at("created_at"),
    at("changed_at"),
    sa.CheckConstraint("state in ('proposed', 'applied', 'refused', 'undone', 'superseded')", name="state"),
    sa.Index("ix_repairs_payment", "payment_id", "repair"),
    sa.Index("ix_repairs_state", "pair", "state", "repair_id"),
    sa.Index(
        "uq_repairs_proposed",
        "payment_id",
        "repair",
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    ),
)

fix_rules = sa.Table(
    "fix_rules",
    metadata,
    pair_column(key=True),
    sa.Column("rule", sa.Text, primary_key=True),  # a digest of what it applies to
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("live", sa.Boolean, nullable=False, server_default=sa.text("true")),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("field", sa.Text, nullable=False),
    document("before", nullable=True),
    sa.Column("condition", sa.Text, nullable=False, server_default=""),
    document("after", nullable=True),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    at("created_at"),
    at("retired_at", nullable=True),
    sa.Column("retired_by", sa.Text),
    sa.Index("uq_fix_rules_live", "pair", "rule", unique=True, postgresql_where=sa.text("live")),
    sa.CheckConstraint("note <> ''", name="note"),
)

stock_aliases = sa.Table(
    "stock_aliases",
    metadata,
    pair_column(key=True),
    sa.Column("alias", sa.Text, primary_key=True),
    sa.Column("stock_code", sa.Text, nullable=False),
    sa.Column("learnt_by", sa.Text, nullable=False),
    at("created_at"),
)
