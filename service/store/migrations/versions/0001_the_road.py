"""The road."""

from __future__ import annotations

from service.store.migrations import apply

revision = "0001"
down_revision = None


def upgrade() -> None:
    apply(__file__)
