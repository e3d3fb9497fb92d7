"""Refund proposals: money that somebody wants to give back, until it is asked of Opayo or refused."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.columns import at, document, metadata, pair_column

refund_proposals = sa.Table(
    "refund_proposals",
    metadata,
    sa.Column("proposal_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    # What it is made from: `credit-note/customer|number|…`, or `request/code`. One thing is one proposal.
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("related_transaction_id", sa.Text, nullable=False),
    sa.Column("vendor_tx_code", sa.Text, nullable=False),  # of the refund, used once it is sent
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("customer", sa.Text, nullable=False, server_default=""),
    sa.Column("invoice", sa.Text, nullable=False, server_default=""),  # the AR credit that is there already
    sa.Column("document_type", sa.Text, nullable=False, server_default=""),
    sa.Column("state", sa.Text, nullable=False, server_default="proposed"),
    sa.Column("proposed_by", sa.Text, nullable=False),
    sa.Column("proposer_key", sa.BigInteger),  # the API key; empty when the ERP proposes
    sa.Column("decided_by", sa.Text, nullable=False, server_default=""),
    sa.Column("transaction_id", sa.Text, nullable=False, server_default=""),  # of the refund at Opayo
    document("error", nullable=True),
    at("created_at"),
    at("changed_at"),
    sa.UniqueConstraint("pair", "source"),
    sa.UniqueConstraint("pair", "vendor_tx_code"),
    sa.CheckConstraint("amount_minor > 0", name="amount"),
    sa.CheckConstraint("state in ('proposed', 'approved', 'sent', 'refused', 'done')", name="state"),
    sa.Index("ix_refund_proposals_state", "pair", "state", "proposal_id"),
)

credit_notes = sa.Table(
    "credit_notes",
    metadata,
    pair_column(key=True),
    sa.Column("key", sa.Text, primary_key=True),  # as the poll of changes names it
    sa.Column("outcome", sa.Text, nullable=False),  # proposed · ours · not-ours-to-refund
    at("created_at"),
)
