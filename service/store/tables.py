"""Every table. Each row belongs to a pair, and every key starts with it: no query crosses pairs.

Money is `…_minor` (bigint) beside a `currency`; times are `timestamptz`; documents are `jsonb`.
States are text, checked by `service.core.lifecycle` in the code and by constraints here.
"""

from __future__ import annotations

import sqlalchemy as sa

from service.store.columns import at, document, metadata, pair_column

pairs = sa.Table(
    "pairs",
    metadata,
    sa.Column("pair", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    document("settings"),  # everything but secrets
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.text("false")),
    at("created_at"),
    at("changed_at"),
    sa.CheckConstraint("pair ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name="slug"),
)

secrets = sa.Table(
    "secrets",
    metadata,
    pair_column(key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    at("changed_at"),
)

api_keys = sa.Table(
    "api_keys",
    metadata,
    sa.Column("key_id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("pair", sa.Text, sa.ForeignKey("pairs.pair")),  # empty: every pair
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("prefix", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False, unique=True),
    at("created_at"),
    at("used_at", nullable=True),
    at("revoked_at", nullable=True),
    sa.CheckConstraint("role in ('viewer', 'operator', 'admin')", name="role"),
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("inbox_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column(
        "source", sa.Text, nullable=False
    ),  # webhook · notification · sweep · shop · api · file · manual · road
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, server_default=""),
    sa.Column("transaction_id", sa.Text, nullable=False, server_default=""),
    sa.Column("vendor_tx_code", sa.Text, nullable=False, server_default=""),
    sa.Column("body", sa.LargeBinary, nullable=False),  # as it came, cards masked
    at("occurred_at", nullable=True),
    sa.Column("state", sa.Text, nullable=False, server_default="received"),
    sa.Column("deliveries", sa.Integer, nullable=False, server_default=sa.text("1")),
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    at("received_at"),
    at("due_at"),
    at("done_at", nullable=True),
    document("error", nullable=True),
    sa.UniqueConstraint("pair", "source", "event_id"),
    sa.CheckConstraint("state in ('received', 'done', 'dead_letter')", name="state"),
    sa.Index("ix_inbox_due", "pair", "due_at", postgresql_where=sa.text("state = 'received'")),
)

payments = sa.Table(
    "payments",
    metadata,
    sa.Column("payment_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("transaction_id", sa.Text, nullable=False),
    sa.Column("vendor_tx_code", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("flow", sa.Text, nullable=False),
    sa.Column("flow_version", sa.Integer, nullable=False),
    sa.Column("node", sa.Text, nullable=False),  # where on the flow it stands
    sa.Column("lane", sa.Text),  # empty when nothing is to be done
    at("due_at", nullable=True),
    sa.Column(
        "revision", sa.Integer, nullable=False, server_default=sa.text("0")
    ),  # two writers cannot both win
    sa.Column("attempts", sa.Integer, nullable=False, server_default=sa.text("0")),
    at("failing_since", nullable=True),
    sa.Column("related_transaction_id", sa.Text, nullable=False, server_default=""),
    sa.Column("customer", sa.Text, nullable=False, server_default=""),
    sa.Column("order_reference", sa.Text, nullable=False, server_default=""),
    document("gateway"),  # the transaction as last read from Opayo
    document("order", nullable=True),  # the order as read from the shop
    document("mapped"),  # target documents with SYSPRO's element names
    document("trace"),  # where each mapped field came from
    document("findings"),  # what is worth a person's look, by step
    document("error", nullable=True),
    at("created_at"),
    at("changed_at"),
    at("final_at", nullable=True),
    sa.UniqueConstraint("pair", "transaction_id"),
    sa.Index("ix_payments_due", "pair", "lane", "due_at", postgresql_where=sa.text("lane is not null")),
    sa.Index("ix_payments_vendor_tx_code", "pair", "vendor_tx_code"),
    sa.Index(
        "ix_payments_related",
        "pair",
        "related_transaction_id",
        postgresql_where=sa.text("related_transaction_id <> ''"),
    ),
    sa.Index("ix_payments_state", "pair", "state", "payment_id"),
)

postings = sa.Table(
    "postings",
    metadata,
    sa.Column("posting_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("payment_id", sa.BigInteger, sa.ForeignKey("payments.payment_id"), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.Text, nullable=False),
    document("document"),
    sa.Column("state", sa.Text, nullable=False, server_default="prepared"),
    sa.Column("erp_key", sa.Text, nullable=False, server_default=""),
    document("receipt"),
    sa.Column("look_ups", sa.Integer, nullable=False, server_default=sa.text("0")),
    at("prepared_at"),
    at("sent_at", nullable=True),
    at("confirmed_at", nullable=True),
    document("error", nullable=True),
    # The last guard: whatever else fails, one reference of one kind is one row.
    sa.UniqueConstraint("pair", "kind", "reference"),
    sa.UniqueConstraint("payment_id", "sequence"),
    sa.Index("ix_postings_open", "pair", "state", postgresql_where=sa.text("state in ('sent', 'ambiguous')")),
)

lanes = sa.Table(
    "lanes",
    metadata,
    pair_column(key=True),
    sa.Column("lane", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # screening · posting
    sa.Column("operator", sa.Text, nullable=False, server_default=""),
    sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column(
        "epoch", sa.BigInteger, nullable=False, server_default=sa.text("0")
    ),  # fences off a holder that slept
    at("changed_at"),
    sa.CheckConstraint("kind in ('screening', 'posting')", name="kind"),
)


def _versions(name: str, kind: str) -> sa.Table:
    """Immutable versions of a pair's flows or mappings, at most one of each name live."""
    return sa.Table(
        name,
        metadata,
        pair_column(key=True),
        sa.Column(kind, sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        document("document"),
        sa.Column("live", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        at("created_at"),
        sa.Index(f"uq_{name}_live", "pair", kind, unique=True, postgresql_where=sa.text("live")),
    )


flows = _versions("flows", "flow")
mappings = _versions("mappings", "mapping")

dead_letters = sa.Table(
    "dead_letters",
    metadata,
    sa.Column("dead_letter_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("payment_id", sa.BigInteger, sa.ForeignKey("payments.payment_id")),
    sa.Column("inbox_id", sa.BigInteger, sa.ForeignKey("inbox.inbox_id")),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    document("error"),
    at("opened_at"),
    at("closed_at", nullable=True),
    sa.Column("closed_by", sa.Text),
    sa.Column("resolution", sa.Text),
    sa.Index("ix_dead_letters_open", "pair", "code", postgresql_where=sa.text("closed_at is null")),
    sa.Index(
        "uq_dead_letters_payment",
        "payment_id",
        unique=True,
        postgresql_where=sa.text("closed_at is null and payment_id is not null"),
    ),
)

alerts = sa.Table(
    "alerts",
    metadata,
    sa.Column("alert_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),  # the lane, payment or document it is about
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    document("error"),
    sa.Column("times", sa.Integer, nullable=False, server_default=sa.text("1")),
    at("raised_at"),
    at("last_at"),
    at("notified_at", nullable=True),
    at("acknowledged_at", nullable=True),
    sa.Column("acknowledged_by", sa.Text),
    sa.CheckConstraint("severity in ('info', 'warning', 'critical')", name="severity"),
    sa.Index(
        "uq_alerts_open",
        "pair",
        "code",
        "subject",
        unique=True,
        postgresql_where=sa.text("acknowledged_at is null"),
    ),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("audit_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("payment_id", sa.BigInteger, sa.ForeignKey("payments.payment_id")),
    sa.Column("actor", sa.Text, nullable=False),  # `road`, or the name of an API key
    sa.Column("action", sa.Text, nullable=False),  # past tense, dotted
    document("detail"),
    at("at"),
    sa.Index("ix_audit_payment", "payment_id", "audit_id"),
    sa.Index("ix_audit_pair", "pair", "audit_id"),
)

screening_events = sa.Table(
    "screening_events",
    metadata,
    pair_column(key=True),
    sa.Column("transaction_id", sa.Text, primary_key=True),
    at("at"),
    document("event"),
    sa.Index("ix_screening_events_at", "pair", "at", "transaction_id"),
)

gateway_requests = sa.Table(
    "gateway_requests",
    metadata,
    pair_column(key=True),
    sa.Column("vendor_tx_code", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("related_transaction_id", sa.Text, nullable=False, server_default=""),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False, server_default="sent"),  # sent · answered · unknown · refused
    sa.Column("transaction_id", sa.Text, nullable=False, server_default=""),
    sa.Column("security_key", sa.LargeBinary),  # sealed; Server registrations only
    document("answer"),
    at("created_at"),
    at("changed_at"),
    sa.CheckConstraint("state in ('sent', 'answered', 'unknown', 'refused')", name="state"),
    sa.Index("ix_gateway_requests_related", "pair", "related_transaction_id"),
)

idempotency_keys = sa.Table(
    "idempotency_keys",
    metadata,
    sa.Column("scope", sa.Text, primary_key=True),  # the API key and route it was used with
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("body_digest", sa.LargeBinary, nullable=False),
    sa.Column("status", sa.Integer),  # empty while the first call runs
    sa.Column("answer", sa.LargeBinary),
    at("created_at"),
)

schedule = sa.Table(
    "schedule",
    metadata,
    pair_column(key=True),
    sa.Column("job", sa.Text, primary_key=True),
    at("due_at"),
    at("started_at", nullable=True),
    at("finished_at", nullable=True),
    document("outcome"),  # what the last run said of itself, or its error
)
