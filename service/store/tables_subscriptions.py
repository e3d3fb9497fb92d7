"""Tables of subscriptions: saved cards, plans, subscriptions and their charges."""

from __future__ import annotations

import sqlalchemy as sa

from service.store.columns import at, document, metadata, pair_column

card_tokens = sa.Table(
    "card_tokens",
    metadata,
    sa.Column("token_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("customer", sa.Text, nullable=False, server_default=""),  # the ERP's code
    sa.Column("vendor_tx_code", sa.Text, nullable=False),  # of the payment that saved the card
    sa.Column(
        "transaction_id", sa.Text, nullable=False, server_default=""
    ),  # the same; empty until it has happened
    sa.Column("sealed", sa.LargeBinary),  # the card identifier; empty when only Opayo has it
    sa.Column("currency", sa.Text, nullable=False, server_default=""),
    sa.Column("scheme", sa.Text, nullable=False, server_default=""),
    sa.Column("last_four", sa.Text, nullable=False, server_default=""),
    sa.Column("expiry", sa.Text, nullable=False, server_default=""),  # MMYY
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    at("created_at"),
    at("changed_at"),
    at("warned_at", nullable=True),  # that it expires soon
    sa.UniqueConstraint("pair", "vendor_tx_code"),
    sa.CheckConstraint("state in ('pending', 'active', 'blocked', 'removed', 'failed')", name="state"),
    sa.Index("ix_card_tokens_customer", "pair", "customer"),
    sa.Index("ix_card_tokens_pending", "pair", postgresql_where=sa.text("state = 'pending'")),
)

subscription_plans = sa.Table(
    "subscription_plans",
    metadata,
    pair_column(key=True),
    sa.Column("plan", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    document("terms"),  # what a subscription to it copies
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.text("true")),
    at("created_at"),
    at("changed_at"),
)

subscriptions = sa.Table(
    "subscriptions",
    metadata,
    sa.Column("subscription_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    # Random, not counted: it is part of codes that Opayo never takes twice, whatever becomes of this database.
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("customer", sa.Text, nullable=False),
    sa.Column("token_id", sa.BigInteger, sa.ForeignKey("card_tokens.token_id"), nullable=False),
    sa.Column(
        "base_transaction_id", sa.Text, nullable=False
    ),  # the last successful one: the next charge repeats it
    document("terms"),
    sa.Column("state", sa.Text, nullable=False, server_default="active"),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("next_number", sa.Integer, nullable=False, server_default=sa.text("1")),
    at("next_due_at", nullable=True),  # empty when no further charge will come
    at("created_at"),
    at("changed_at"),
    sa.UniqueConstraint("pair", "reference"),
    sa.CheckConstraint(
        "state in ('active', 'paused', 'suspended', 'cancelled', 'ended')",
        name="state",
    ),
    sa.Index("ix_subscriptions_due", "pair", "next_due_at", postgresql_where=sa.text("state = 'active'")),
    sa.Index("ix_subscriptions_customer", "pair", "customer"),
)

subscription_charges = sa.Table(
    "subscription_charges",
    metadata,
    sa.Column("charge_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column(
        "subscription_id", sa.BigInteger, sa.ForeignKey("subscriptions.subscription_id"), nullable=False
    ),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("due_on", sa.Date, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="due"),
    sa.Column("attempt", sa.Integer, nullable=False, server_default=sa.text("1")),  # whose outcome is open
    sa.Column("declines", sa.Integer, nullable=False, server_default=sa.text("0")),  # with this card
    at("next_attempt_at", nullable=True),  # or the end of the lease of whoever is at it
    sa.Column("transaction_id", sa.Text, nullable=False, server_default=""),
    sa.Column("bank_code", sa.Text, nullable=False, server_default=""),  # of the last decline
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    document("attempts"),  # what each attempt came to, by its code
    at("created_at"),
    at("changed_at"),
    # One due date, one charge: whatever else fails.
    sa.UniqueConstraint("subscription_id", "due_on"),
    sa.UniqueConstraint("subscription_id", "number"),
    sa.CheckConstraint("state in ('due', 'dunning', 'taken', 'failed', 'passed')", name="state"),
    sa.Index(
        "uq_subscription_charges_open",
        "subscription_id",
        unique=True,
        postgresql_where=sa.text("state in ('due', 'dunning')"),
    ),
    sa.Index(
        "ix_subscription_charges_due",
        "pair",
        "next_attempt_at",
        postgresql_where=sa.text("state in ('due', 'dunning')"),
    ),
)
