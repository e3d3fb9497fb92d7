"""Events, who subscribed to them, and their deliveries: one row for each event and subscriber."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from service.store.columns import at, document, metadata, pair_column

events = sa.Table(
    "events",
    metadata,
    sa.Column("event_seq", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    document("data"),
    at("happened_at"),
    at("spread_at", nullable=True),  # when its deliveries were made
    sa.UniqueConstraint("pair", "event_id"),
    sa.Index("ix_events_unspread", "pair", "event_seq", postgresql_where=sa.text("spread_at is null")),
    sa.Index("ix_events_at", "pair", "happened_at"),
)

subscribers = sa.Table(
    "subscribers",
    metadata,
    pair_column(key=True),
    sa.Column("subscriber", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("types", ARRAY(sa.Text), nullable=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),  # the secrets, newest first
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.text("false")),
    at("rests_until", nullable=True),  # it took nothing lately, and is left alone for a moment
    at("created_at"),
    at("changed_at"),
)

deliveries = sa.Table(
    "deliveries",
    metadata,
    sa.Column("delivery_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("subscriber", sa.Text, nullable=False),  # `shop` for the pair's own shop
    sa.Column("event_seq", sa.BigInteger, sa.ForeignKey("events.event_seq"), nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="pending"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    at("due_at"),
    at("failing_since", nullable=True),
    at("done_at", nullable=True),
    # The last attempts: when, what was answered or went wrong, how long it took.
    sa.Column("tries", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    sa.UniqueConstraint("pair", "subscriber", "event_seq"),
    sa.CheckConstraint("state in ('pending', 'delivered', 'dead')", name="state"),
    # The next of each subject is found without reading what was delivered.
    sa.Index(
        "ix_deliveries_pending",
        "pair",
        "subscriber",
        "subject",
        "event_seq",
        postgresql_where=sa.text("state = 'pending'"),
    ),
    sa.Index("ix_deliveries_event", "event_seq"),
)
