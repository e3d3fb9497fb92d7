"""The pair that is simulated: a shop, two operators, and the three stand-ins under their host names."""

from __future__ import annotations

import msgspec

from service.cli.simulation.weather import Weather
from service.store.pairs import PairSettings

PAIR = "north"
_SYSPRO = {"harmony": "http://syspro/api/harmony/2.0", "enet": "http://syspro/SYSPROWCFService/Rest"}


def pair_settings(weather: Weather, transport: str) -> PairSettings:
    """The settings of the pair; every secret opens a stand-in and nothing else."""
    document = {
        "pair": PAIR,
        "name": "The pair of the simulation",
        "vendor": "sandbox",
        "opayo": {
            "pi_url": "http://opayo/api/v1",
            "reporting_url": "http://opayo/access/access.htm",
            "gateway_url": "http://opayo/gateway/service",
            "integration_key": "sandbox-integration-key",
            "integration_password": "sandbox-integration-password",
            "reporting_user": "reports",
            "reporting_password": "S3cret-Pw",
            "webhook_secrets": ["whsec_test_0123456789"],
            "read_seconds": weather.read_seconds,
        },
        "syspro": {
            "base_url": _SYSPRO[transport],
            "transport": transport,
            "company_id": "EDU1",
            "operators": [{"operator": f"OPAYO{n}", "password": f"sandbox-{n}"} for n in (1, 2)],
            "query_seconds": weather.read_seconds,
            "post_seconds": weather.post_seconds,
        },
        "shop": {
            "kind": "woocommerce",
            "base_url": "http://shop",
            "key": "ck_sandbox_0000000000000000000000000000000000000000",
            "secret": "cs_sandbox_0000000000000000000000000000000000000000",
            "webhook_secret": "whsec_shop_0123456789",
        },
        "defaults": {
            "customer": "0000001",
            "warehouse": "FG",
            "branch": "10",
            "bank": "OC",
            "order_uom": "EA",
            "product_class": "_OTH",
        },
    }
    return msgspec.convert(document, PairSettings)
