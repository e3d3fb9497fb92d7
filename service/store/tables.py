"""Every table. Each row belongs to a pair, and every key starts with it: no query crosses pairs.

Money is `…_minor` (bigint) beside a `currency`; times are `timestamptz`; documents are `jsonb`.
States are text, checked by `service.core.lifecycle` in the code and by constraints here.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _pair(*, key: bool = False) -> Column[str]:
    return Column("pair", Text, ForeignKey("pairs.pair"), primary_key=key, nullable=False)


def _at(name: str, *, nullable: bool = False) -> Column[object]:
    default = None if nullable else text("now()")
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=default)


def _document(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, JSONB, nullable=nullable, server_default=None if nullable else text("'{}'::jsonb"))


pairs = Table(
    "pairs",
    metadata,
    Column("pair", Text, primary_key=True),
    Column("name", Text, nullable=False),
    _document("settings"),  # everything but secrets
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    _at("created_at"),
    _at("changed_at"),
    CheckConstraint("pair ~ '^[a-z0-9][a-z0-9-]{0,39}$'", name="slug"),
)

secrets = Table(
    "secrets",
    metadata,
    _pair(key=True),
    Column("name", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    _at("changed_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", BigInteger, Identity(), primary_key=True),
    Column("pair", Text, ForeignKey("pairs.pair")),  # empty: every pair
    Column("role", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    _at("created_at"),
    _at("used_at", nullable=True),
    _at("revoked_at", nullable=True),
    CheckConstraint("role in ('viewer', 'operator', 'admin')", name="role"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("inbox_id", BigInteger, Identity(), primary_key=True),
    _pair(),
    Column("source", Text, nullable=False),  # webhook · notification · shop · api
    Column("event_id", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=""),
    Column("transaction_id", Text, nullable=False, server_default=""),
    Column("vendor_tx_code", Text, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),  # as it came, cards masked
    Column("state", Text, nullable=False, server_default="received"),
    Column("deliveries", Integer, nullable=False, server_default=text("1")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _at("received_at"),
    _at("due_at"),
    _at("done_at", nullable=True),
    _document("error", nullable=True),
    UniqueConstraint("pair", "source", "event_id"),
    CheckConstraint("state in ('received', 'done', 'dead_letter')", name="state"),
    Index("ix_inbox_due", "pair", "due_at", postgresql_where=text("state = 'received'")),
)

payments = Table(
    "payments",
    metadata,
    Column("payment_id", BigInteger, Identity(), primary_key=True),
    _pair(),
    Column("transaction_id", Text, nullable=False),
    Column("vendor_tx_code", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("flow", Text, nullable=False),
    Column("flow_version", Integer, nullable=False),
    Column("node", Text, nullable=False),  # where on the flow it stands
    Column("lane", Text),  # empty when nothing is to be done
    _at("due_at", nullable=True),
    Column("revision", Integer, nullable=False, server_default=text("0")),  # two writers cannot both win
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    _at("failing_since", nullable=True),
    Column("customer", Text, nullable=False, server_default=""),
    Column("order_reference", Text, nullable=False, server_default=""),
    _document("gateway"),  # the transaction as last read from Opayo
    _document("order", nullable=True),  # the order as read from the shop
    _document("mapped"),  # target documents with SYSPRO's element names
    _document("trace"),  # where each mapped field came from
    _document("findings"),  # what is worth a person's look, by step
    _document("error", nullable=True),
    _at("created_at"),
    _at("changed_at"),
    _at("final_at", nullable=True),
    UniqueConstraint("pair", "transaction_id"),
    Index("ix_payments_due", "pair", "lane", "due_at", postgresql_where=text("lane is not null")),
    Index("ix_payments_vendor_tx_code", "pair", "vendor_tx_code"),
    Index("ix_payments_state", "pair", "state", "payment_id"),
)

postings = Table(
    "postings",
    metadata,
    Column("posting_id", BigInteger, Identity(), primary_key=True),
    _pair(),
    Column("payment_id", BigInteger, ForeignKey("payments.payment_id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("idempotency_key", Text, nullable=False),
    _document("document"),
    Column("state", Text, nullable=False, server_default="prepared"),
    Column("erp_key", Text, nullable=False, server_default=""),
    _document("receipt"),
    Column("look_ups", Integer, nullable=False, server_default=text("0")),
    _at("prepared_at"),
    _at("sent_at", nullable=True),
    _at("confirmed_at", nullable=True),
    _document("error", nullable=True),
    # The last guard: whatever else fails, one reference of one kind is one row.
    UniqueConstraint("pair", "kind", "reference"),
    UniqueConstraint("payment_id", "sequence"),
    Index("ix_postings_open", "pair", "state", postgresql_where=text("state in ('sent', 'ambiguous')")),
)

lanes = Table(
    "lanes",
    metadata,
    _pair(key=True),
    Column("lane", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # screening · posting
    Column("operator", Text, nullable=False, server_default=""),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    Column("reason", Text, nullable=False, server_default=""),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),  # fences off a holder that slept
    _at("changed_at"),
    CheckConstraint("kind in ('screening', 'posting')", name="kind"),
)


def _versions(name: str, kind: str) -> Table:
    """Immutable versions of a pair's flows or mappings, at most one of each name live."""
    return Table(
        name,
        metadata,
        _pair(key=True),
        Column(kind, Text, primary_key=True),
        Column("version", Integer, primary_key=True),
        _document("document"),
        Column("live", Boolean, nullable=False, server_default=text("false")),
        Column("author", Text, nullable=False),
        Column("note", Text, nullable=False, server_default=""),
        _at("created_at"),
        Index(f"uq_{name}_live", "pair", kind, unique=True, postgresql_where=text("live")),
    )


flows = _versions("flows", "flow")
mappings = _versions("mappings", "mapping")

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("dead_letter_id", BigInteger, Identity(), primary_key=True),
    _pair(),
    Column("payment_id", BigInteger, ForeignKey("payments.payment_id")),
    Column("inbox_id", BigInteger, ForeignKey("inbox.inbox_id")),
    Column("step", Text, nullable=False),
    Column("code", Text, nullable=False),
    _document("error"),
    _at("opened_at"),
    _at("closed_at", nullable=True),
    Column("closed_by", Text),
    Column("resolution", Text),
    Index("ix_dead_letters_open", "pair", "code", postgresql_where=text("closed_at is null")),
    Index(
        "uq_dead_letters_payment",
        "payment_id",
        unique=True,
        postgresql_where=text("closed_at is null and payment_id is not null"),
    ),  # fmt: skip
)

alerts = Table(
    "alerts",
    metadata,
    Column("alert_id", BigInteger, Identity(), primary_key=True),
    _pair(),
    Column("code", Text, nullable=False),
    Column("subject", Text, nullable=False),  # the lane, payment or document it is about
    Column("severity", Text, nullable=False),
    Column("title", Text, nullable=False),
    _document("error"),
    Column("times", Integer, nullable=False, server_default=text("1")),
    _at("raised_at"),
    _at("last_at"),
    _at("notified_at", nullable=True),
    _at("acknowledged_at", nullable=True),
    Column("acknowledged_by", Text),
    CheckConstraint("severity in ('info', 'warning', 'critical')", name="severity"),
    Index(
        "uq_alerts_open",
        "pair",
        "code",
        "subject",
        unique=True,
        postgresql_where=text("acknowledged_at is null"),
    ),  # fmt: skip
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger, Identity(), primary_key=True),
    _pair(),
    Column("payment_id", BigInteger, ForeignKey("payments.payment_id")),
    Column("actor", Text, nullable=False),  # `road`, or the name of an API key
    Column("action", Text, nullable=False),  # past tense, dotted
    _document("detail"),
    _at("at"),
    Index("ix_audit_payment", "payment_id", "audit_id"),
    Index("ix_audit_pair", "pair", "audit_id"),
)

screening_events = Table(
    "screening_events",
    metadata,
    _pair(key=True),
    Column("transaction_id", Text, primary_key=True),
    _at("at"),
    _document("event"),
    Index("ix_screening_events_at", "pair", "at", "transaction_id"),
)

gateway_requests = Table(
    "gateway_requests",
    metadata,
    _pair(key=True),
    Column("vendor_tx_code", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("related_transaction_id", Text, nullable=False, server_default=""),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("state", Text, nullable=False, server_default="sent"),  # sent · answered · unknown · refused
    Column("transaction_id", Text, nullable=False, server_default=""),
    Column("security_key", LargeBinary),  # sealed; Server registrations only
    _document("answer"),
    _at("created_at"),
    _at("changed_at"),
    CheckConstraint("state in ('sent', 'answered', 'unknown', 'refused')", name="state"),
    Index("ix_gateway_requests_related", "pair", "related_transaction_id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", Text, primary_key=True),  # the API key and route it was used with
    Column("key", Text, primary_key=True),
    Column("body_digest", LargeBinary, nullable=False),
    Column("status", Integer),  # empty while the first call runs
    Column("answer", LargeBinary),
    _at("created_at"),
)
