"""The tables of customers: both sides' records as last read, and the links between them.

Records hold names and addresses, so that customers can be matched and merges shown; no card data ever.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from service.store.columns import at, document, metadata, pair_column
from service.store.tables import payments

customer_records = sa.Table(
    "customer_records",
    metadata,
    pair_column(key=True),
    sa.Column("side", sa.Text, primary_key=True),  # syspro · shop
    sa.Column("key", sa.Text, primary_key=True),  # as the side writes it
    sa.Column("hash", sa.Text, nullable=False),  # of the fields and what else was read
    document("fields"),
    document("details"),  # SYSPRO: hold, credit limit, currency, terms, branch; shop: the code it bears
    sa.Column("email", sa.Text, nullable=False, server_default=""),
    sa.Column("postcode", sa.Text, nullable=False, server_default=""),
    sa.Column("phone", sa.Text, nullable=False, server_default=""),
    sa.Column("words", ARRAY(sa.Text), nullable=False, server_default="{}"),  # of its names
    sa.Column("due", sa.Boolean, nullable=False, server_default=sa.text("true")),  # to be looked at
    at("seen_at"),
    at("changed_at"),
    sa.CheckConstraint("side in ('syspro', 'shop')", name="side"),
    sa.Index("ix_customer_records_due", "pair", "side", postgresql_where=sa.text("due")),
    sa.Index("ix_customer_records_email", "pair", "side", "email"),
    sa.Index("ix_customer_records_postcode", "pair", "side", "postcode"),
    sa.Index("ix_customer_records_phone", "pair", "side", "phone"),
    sa.Index("ix_customer_records_words", "words", postgresql_using="gin"),
)

customer_links = sa.Table(
    "customer_links",
    metadata,
    sa.Column("link_id", sa.BigInteger, sa.Identity(), primary_key=True),
    pair_column(),
    sa.Column("shop_key", sa.Text, nullable=False),
    sa.Column("erp_key", sa.Text, nullable=False, server_default=""),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False, server_default=""),
    document("candidates"),  # by SYSPRO key: who else it could be, with scores and reasons
    document("refused"),  # by SYSPRO key who said no to it
    document(
        "shop_fields"
    ),  # as last settled: a value that is still this one was not changed by anybody else
    document("erp_fields"),
    sa.Column("shop_hash", sa.Text, nullable=False, server_default=""),
    sa.Column("erp_hash", sa.Text, nullable=False, server_default=""),
    document("conflicts"),  # by field both values, for a person
    document("decided"),  # by field the side that a person chose
    document("intent"),  # a customer being set up: what is sent, and when it was
    document("before"),  # both sides as they were when the link was made, for its undoing
    document("error", nullable=True),
    sa.Column("revision", sa.Integer, nullable=False, server_default=sa.text("0")),
    at("created_at"),
    at("changed_at"),
    at("synced_at", nullable=True),
    sa.UniqueConstraint("pair", "shop_key"),
    sa.CheckConstraint(
        "state in ('linked', 'proposed', 'conflict', 'ignored', 'adding', 'undoing')", name="state"
    ),
    # One account of the shop for one SYSPRO customer: two could not both be kept in step with it.
    sa.Index(
        "uq_customer_links_erp_key", "pair", "erp_key", unique=True, postgresql_where=sa.text("erp_key <> ''")
    ),
)

customer_polls = sa.Table(
    "customer_polls",
    metadata,
    pair_column(key=True),
    sa.Column("side", sa.Text, primary_key=True),
    sa.Column("after", sa.Text, nullable=False, server_default=""),  # where the browse goes on
    at("began_at", nullable=True),  # this pass
    at("since", nullable=True),  # the pass before: what changed later is read
)

# The customer's own page lists its payments.
payments_by_customer = sa.Index("ix_payments_customer", payments.c.pair, payments.c.customer)
