"""Settings of the shop stand-in; every secret has a default that opens nothing real."""

from __future__ import annotations

import msgspec

from integration.sandbox.faults import TRANSPORT_FAULTS

SUPPORTED = TRANSPORT_FAULTS | {"event-doubled", "event-reordered", "event-delayed", "event-forged"}


class ShopSandboxConfig(msgspec.Struct, frozen=True):
    """How one shop is set up.

    Attributes:
        consumer_key: WooCommerce consumer key (user of HTTP Basic, or ``consumer_key`` in the query).
        consumer_secret: its secret.
        bearer_token: token of the generic storefront.
        webhook_secret: secret of the webhook until ``PUT /_sandbox/webhook`` brings another.
        webhook_url: where ``order.created`` and ``order.updated`` go; empty for nowhere.
        webhook_delay: seconds by which the fault ``event-delayed`` delays.
        seed: of the faults.
        supports: fault names this stand-in acts.
    """

    consumer_key: str = "ck_sandbox_0000000000000000000000000000000000000000"
    consumer_secret: str = "cs_sandbox_0000000000000000000000000000000000000000"  # noqa: S105 - opens this stand-in only
    bearer_token: str = "sandbox-storefront-token"  # noqa: S105
    webhook_secret: str = "whsec_shop_0123456789"  # noqa: S105
    webhook_url: str = ""
    webhook_delay: float = 1.0
    seed: int = 0
    supports: frozenset[str] = SUPPORTED
