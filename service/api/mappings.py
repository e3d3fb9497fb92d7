"""Mappings: versioned tables that say what SYSPRO calls each thing. List, read, draft, publish."""

from __future__ import annotations

import re
from typing import Annotated

from litestar import Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody, PathParameter
from sqlalchemy.ext.asyncio import AsyncConnection

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.documents import Written, read_document
from service.api.flows import Drafted, VersionList, shown_versions
from service.api.parameters import JsonObject, PairName
from service.api.problems import Fault, Refused
from service.core.mapping import BadMapping
from service.core.mapping_document import MappingDocument, UnreadableMapping
from service.flow.library import compiled
from service.store import versions
from service.store.users import Caller

MappingName = Annotated[
    str, PathParameter(pattern=r"^[a-z][a-z0-9_]{0,59}$", description="The name of a mapping.")
]
_TARGET = re.compile(r"[a-z_]{1,40}")


@get("/mappings", guards=[needs("viewer")], summary="List mappings")
async def list_mappings(pair: PairName, context: AppContext) -> VersionList:
    """Every version of every mapping of a pair, without documents."""
    async with context.engine.connect() as connection:
        return shown_versions(await versions.listed(connection, "mapping", pair), "mapping")


@get("/mappings/{mapping:str}/versions/{version:int}", guards=[needs("viewer")], summary="Show a mapping")
async def show_mapping(
    pair: PairName, mapping: MappingName, version: FromPath[int], context: AppContext
) -> MappingDocument:
    """A version of a mapping."""
    async with context.engine.connect() as connection:
        return MappingDocument.from_dict(await _stored(connection, pair, mapping, version))


@post("/mappings/{mapping:str}/versions", guards=[needs("admin")], summary="Save a new version of a mapping")
async def draft_mapping(
    pair: PairName,
    mapping: MappingName,
    data: JSONBody[Written],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> Drafted:
    """Save a mapping that works as a new version; one that cannot is refused with everything that is wrong."""
    document: JsonObject = {"version": 1, **read_document(data)}
    read = _insist(document, mapping)
    async with context.engine.begin() as connection:
        if (live := await versions.live(connection, "mapping", pair, mapping)) is not None:
            _same_target(read, str(live[1].get("target", "")))
        draft = versions.Draft(
            kind="mapping", name=mapping, document=document, author=caller.name, note=data.note
        )
        version = await versions.add(connection, pair, draft)
        await record(connection, pair, caller, "mapping.drafted", mapping=mapping, version=version)
    return Drafted(name=mapping, version=version)


@post(
    "/mappings/{mapping:str}/versions/{version:int}/publish",
    status_code=204,
    guards=[needs("admin")],
    summary="Publish a version of a mapping",
)
async def publish_mapping(
    pair: PairName,
    mapping: MappingName,
    version: FromPath[int],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> None:
    """Make a version the live one; publishing an older one rolls back."""
    async with context.engine.begin() as connection:
        _insist(await _stored(connection, pair, mapping, version), mapping)
        await versions.publish(connection, "mapping", pair, mapping, version)
        await record(connection, pair, caller, "mapping.published", mapping=mapping, version=version)


async def _stored(connection: AsyncConnection, pair: str, mapping: str, version: int) -> JsonObject:
    stored = await versions.one(connection, "mapping", pair, mapping, version)
    if stored is None:
        raise NotFoundException(f"Mapping `{mapping}` has no version {version}.")
    return {**stored, "version": version}


def _insist(document: JsonObject, mapping: str) -> MappingDocument:
    try:
        read = MappingDocument.from_dict(document)
        if read.name != mapping:
            raise Refused(
                422, "mapping.name", f"The document is mapping `{read.name}`, the address names `{mapping}`"
            )
        if not _TARGET.fullmatch(read.target):
            raise Refused(422, "mapping.target", "There is no such kind of target document")
        compiled(read)
    except UnreadableMapping as error:
        raise Refused(422, "mapping.unreadable", str(error)) from error
    except FileNotFoundError as error:
        raise Refused(422, "mapping.target", "There is no such kind of target document") from error
    except BadMapping as error:
        raise Refused(
            422,
            "mapping.unusable",
            str(error),
            faults=[
                Fault(code="bad-field", place=each.target, sentence=each.reason) for each in error.problems
            ],
        ) from error
    return read


def _same_target(document: MappingDocument, target: str) -> None:
    if document.target != target:
        raise Refused(
            422,
            "mapping.target",
            f"Mapping `{document.name}` fills `{target}`; flows rely on it, so it cannot fill `{document.target}`",
            hint="Give the new mapping a name of its own.",
        )


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[list_mappings, show_mapping, draft_mapping, publish_mapping],
    tags=["Mappings"],
)
