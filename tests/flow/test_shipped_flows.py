"""The flows that come with the product may be published as they are, on a pair with the mappings that come with it."""

from __future__ import annotations

from service import resources
from service.core.flows import FlowDocument
from service.flow.publishing import obstacles
from tests.flow.site import Site


async def test_every_shipped_flow_may_be_published(north: Site) -> None:
    for name in resources.names("templates/flows"):
        flow = FlowDocument.from_dict(resources.document(f"templates/flows/{name}.yaml"))
        async with north.engine.connect() as connection:
            assert await obstacles(connection, north.pair, flow) == (), name
