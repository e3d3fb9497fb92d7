"""Chargebacks: a case per reference of the acquirer, its stages as they were told, and what people added to it."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.columns import at, document, metadata, pair_column

chargebacks = sa.Table(
    "chargebacks",
    metadata,
    sa.Column("chargeback_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("chargeback_ref", sa.Text, nullable=False),
    sa.Column(
        "payment_id", sa.BigInteger, sa.ForeignKey("payments.payment_id")
    ),  # empty: we know no such payment
    sa.Column("transaction_id", sa.Text, nullable=False, server_default=""),  # of the payment
    sa.Column("vendor_tx_code", sa.Text, nullable=False, server_default=""),
    sa.Column("customer", sa.Text, nullable=False, server_default=""),
    sa.Column("stage", sa.Text, nullable=False),  # the newest, in the acquirer's order
    sa.Column("state", sa.Text, nullable=False, server_default="open"),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),  # disputed, as the newest stage says
    sa.Column("currency", sa.Text, nullable=False),
    # Where the money lies, in the payment's currency: nothing, in suspense, or lost.
    sa.Column("suspense_minor", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("loss_minor", sa.BigInteger, nullable=False, server_default=sa.text("0")),
    sa.Column("reason_code", sa.Text, nullable=False, server_default=""),
    sa.Column("reason_text", sa.Text, nullable=False, server_default=""),
    sa.Column("received_on", sa.Date, nullable=False),
    sa.Column("respond_by", sa.Date),  # empty: nobody waits for us
    sa.Column("alerted", sa.Integer),  # the last threshold that was told, -1 for overdue
    sa.Column("owner", sa.Text, nullable=False, server_default=""),
    document("erp"),  # order, invoice and delivery as SYSPRO had them
    at("gathered_at", nullable=True),
    at("created_at"),
    at("changed_at"),
    at("closed_at", nullable=True),
    sa.UniqueConstraint("pair", "chargeback_ref"),
    sa.CheckConstraint("state in ('open', 'won', 'lost')", name="state"),
    sa.Index("ix_chargebacks_respond_by", "pair", "respond_by", postgresql_where=sa.text("state = 'open'")),
    sa.Index("ix_chargebacks_transaction", "pair", "transaction_id"),
)

chargeback_stages = sa.Table(
    "chargeback_stages",
    metadata,
    sa.Column("stage_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("chargeback_id", sa.BigInteger, sa.ForeignKey("chargebacks.chargeback_id"), nullable=False),
    sa.Column("stage", sa.Text, nullable=False),
    document("notice"),
    sa.Column("source", sa.Text, nullable=False),  # file · manual · road
    sa.Column("transaction_ids", sa.ARRAY(sa.Text), nullable=False),  # of the payments it became
    at("told_at"),
    # A stage comes once in the life of a case, so this is the last guard against posting it twice.
    sa.UniqueConstraint("chargeback_id", "stage"),
)

chargeback_evidence = sa.Table(
    "chargeback_evidence",
    metadata,
    sa.Column("evidence_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("chargeback_id", sa.BigInteger, sa.ForeignKey("chargebacks.chargeback_id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    at("added_at"),
    sa.UniqueConstraint("chargeback_id", "sha256"),
)

chargeback_notes = sa.Table(
    "chargeback_notes",
    metadata,
    sa.Column("note_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("chargeback_id", sa.BigInteger, sa.ForeignKey("chargebacks.chargeback_id"), nullable=False),
    sa.Column("action", sa.Text, nullable=False),  # past tense: told, contradicted, assigned, commented, …
    sa.Column("actor", sa.Text, nullable=False),
    document("detail"),
    at("at"),
    sa.Index("ix_chargeback_notes_case", "chargeback_id", "note_id"),
)
