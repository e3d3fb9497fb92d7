"""Flows and mappings ready for use: read from the store once per version, which never changes."""

from __future__ import annotations

from functools import cache

from sqlalchemy.ext.asyncio import AsyncConnection

from integration.errors import Misconfigured
from service import resources
from service.core.customers import customer_paths
from service.core.field_dictionary import FieldDictionary
from service.core.flows import FlowDocument, start_node
from service.core.mapping import Mapping, compile_mapping
from service.core.mapping_document import MappingDocument
from service.store import versions
from service.store.versions import Draft


class Library:
    """The flows and mappings of one pair."""

    def __init__(self) -> None:
        self._flows: dict[tuple[str, int], FlowDocument] = {}
        self._mappings: dict[tuple[str, int], Mapping] = {}

    async def flow(self, connection: AsyncConnection, pair: str, name: str, version: int) -> FlowDocument:
        """A version of a flow.

        Raises:
            Misconfigured: there is no such version.
        """
        key = (name, version)
        if key not in self._flows:
            document = await versions.one(connection, "flow", pair, name, version)
            if document is None:
                raise Misconfigured(f"Flow `{name}` has no version {version}", code="flow.unknown")
            self._flows[key] = FlowDocument.from_dict(document)
        return self._flows[key]

    async def start(self, connection: AsyncConnection, pair: str, name: str) -> tuple[int, str] | None:
        """The live version of a flow and the node after `ingest`, where a payment begins; `None` without one."""
        live = await versions.live(connection, "flow", pair, name)
        if live is None:
            return None
        flow = await self.flow(connection, pair, name, live[0])
        first = flow.node(start_node(flow))
        return live[0], first.next or first.id

    async def mapping(self, connection: AsyncConnection, pair: str, name: str) -> tuple[int, Mapping]:
        """The live version of a mapping, compiled.

        Raises:
            Misconfigured: the pair has no live mapping of that name.
        """
        live = await versions.live(connection, "mapping", pair, name)
        if live is None:
            raise Misconfigured(
                f"The pair has no live mapping `{name}`",
                code="mapping.unknown",
                hint="Publish a version of the mapping, then resume the lane.",
            )
        key = (name, live[0])
        if key not in self._mappings:
            self._mappings[key] = compiled(MappingDocument.from_dict(live[1]))
        return live[0], self._mappings[key]


def compiled(document: MappingDocument) -> Mapping:
    """A mapping against the dictionary of its target and the shared value tables."""
    dictionary = FieldDictionary.from_dict(resources.document(f"reference/syspro_{document.target}.yaml"))
    # The only target that is not made of a payment.
    paths = customer_paths() if document.target == "customer" else None
    return compile_mapping(document, dictionary, shared_tables(), paths)


@cache
def shared_tables() -> dict[str, dict[str, str]]:
    """The value tables that every mapping may look things up in."""
    tables = resources.document("reference/payment_status.yaml")
    assert isinstance(tables, dict)
    return {
        f"payment_status_{name}": {str(key): str(value) for key, value in table.items()}
        for name, table in tables.items()
        if isinstance(table, dict)
    }


async def install_templates(connection: AsyncConnection, pair: str) -> None:
    """Give a new pair the flows and mappings that come with the product, published; others are left alone."""
    for kind, folder in (("flow", "templates/flows"), ("mapping", "templates/mappings")):
        for name in resources.names(folder):
            if await versions.live(connection, kind, pair, name) is not None:  # type: ignore[arg-type]
                continue
            document = resources.document(f"{folder}/{name}.yaml")
            assert isinstance(document, dict)
            draft = Draft(
                kind=kind,  # type: ignore[arg-type]
                name=name,
                document=document,
                author="opayo-syspro",
                note="as shipped",
            )
            version = await versions.add(connection, pair, draft)
            await versions.publish(connection, draft.kind, pair, name, version)
