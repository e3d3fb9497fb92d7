"""Flows: versioned graphs of steps. Draft, validate, compare, rehearse, publish, roll back; YAML in and out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import yaml
from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncConnection

from service.api.access import needs
from service.api.context import AppContext
from service.api.desk import record
from service.api.documents import Written, read_document
from service.api.parameters import JsonObject, PairName, read
from service.api.problems import Fault, Refused
from service.core.flow_law import Problem
from service.core.flows import Change, FlowDocument, UnreadableFlow, diff
from service.flow.publishing import obstacles
from service.store import versions
from service.store.users import Caller

FlowName = Annotated[str, PathParameter(pattern=r"^[a-z][a-z0-9_]{0,59}$", description="The name of a flow.")]


class VersionShown(Struct, frozen=True, kw_only=True):
    """A version without its document; one of a name is live, and published versions never change."""

    name: str
    version: int
    live: bool
    author: str
    note: str
    created_at: datetime


class VersionList(Struct, frozen=True, kw_only=True):
    """Versions, by name, the newest first."""

    items: list[VersionShown]


class Drafted(Struct, frozen=True, kw_only=True):
    """A new version; it walks nobody until it is published."""

    name: str
    version: int


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a flow may be published, and everything that keeps it from being so."""

    lawful: bool
    faults: list[Fault]


class Differences(Struct, frozen=True, kw_only=True):
    """What changed between two versions."""

    before: int
    after: int
    changes: list[Change]


def shown_versions(rows: list[JsonObject], kind: str) -> VersionList:
    """Rows of the store as the API lists them."""
    items = [{**row, "name": row[kind]} for row in rows]
    return VersionList(items=[read(row, VersionShown) for row in items])


@get("/flows", guards=[needs("viewer")], summary="List flows")
async def list_flows(pair: PairName, context: AppContext) -> VersionList:
    """Every version of every flow of a pair, without documents."""
    async with context.engine.connect() as connection:
        return shown_versions(await versions.listed(connection, "flow", pair), "flow")


@get("/flows/{flow:str}/versions/{version:int}", guards=[needs("viewer")], summary="Show a flow")
async def show_flow(
    pair: PairName, flow: FlowName, version: FromPath[int], context: AppContext
) -> FlowDocument:
    """A version of a flow as JSON."""
    async with context.engine.connect() as connection:
        return await flow_version(connection, pair, flow, version)


@get(
    "/flows/{flow:str}/versions/{version:int}/yaml",
    guards=[needs("viewer")],
    media_type="application/yaml",
    summary="Show a flow as YAML",
)
async def show_flow_yaml(
    pair: PairName, flow: FlowName, version: FromPath[int], context: AppContext
) -> Response[str]:
    """A version of a flow as YAML, as the product keeps its templates."""
    async with context.engine.connect() as connection:
        document = await flow_version(connection, pair, flow, version)
    text = yaml.safe_dump(document.to_dict(), sort_keys=False, allow_unicode=True, width=110)
    return Response(text, media_type="application/yaml")


@get("/flows/{flow:str}/diff", guards=[needs("viewer")], summary="Compare two versions of a flow")
async def compare_flows(
    pair: PairName, flow: FlowName, before: FromQuery[int], after: FromQuery[int], context: AppContext
) -> Differences:
    """What changed from one version to another."""
    async with context.engine.connect() as connection:
        older = await flow_version(connection, pair, flow, before)
        newer = await flow_version(connection, pair, flow, after)
    return Differences(before=before, after=after, changes=list(diff(older, newer)))


@post("/flows/{flow:str}/validate", status_code=200, guards=[needs("viewer")], summary="Validate a flow")
async def validate_flow(
    pair: PairName, flow: FlowName, data: JSONBody[Written], context: AppContext
) -> Verdict:
    """Say what keeps a flow from being published; nothing is saved."""
    document = _read(data, flow)
    async with context.engine.connect() as connection:
        problems = await obstacles(connection, pair, document)
    return Verdict(lawful=not problems, faults=_faults(problems))


@post("/flows/{flow:str}/versions", guards=[needs("admin")], summary="Save a new version of a flow")
async def draft_flow(
    pair: PairName,
    flow: FlowName,
    data: JSONBody[Written],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> Drafted:
    """Save a lawful flow as a new version; an unlawful one is refused with everything that is wrong."""
    document = _read(data, flow)
    async with context.engine.begin() as connection:
        _insist(await obstacles(connection, pair, document))
        version = await versions.add(
            connection,
            pair,
            versions.Draft(
                kind="flow", name=flow, document={**document.to_dict()}, author=caller.name, note=data.note
            ),
        )
        await record(connection, pair, caller, "flow.drafted", flow=flow, version=version)
    return Drafted(name=flow, version=version)


@post(
    "/flows/{flow:str}/versions/{version:int}/publish",
    status_code=204,
    guards=[needs("admin")],
    summary="Publish a version of a flow",
)
async def publish_flow(
    pair: PairName,
    flow: FlowName,
    version: FromPath[int],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> None:
    """Make a version the live one; publishing an older one rolls back. Payments under way keep their version."""
    async with context.engine.begin() as connection:
        document = await flow_version(connection, pair, flow, version)
        _insist(await obstacles(connection, pair, document))
        await versions.publish(connection, "flow", pair, flow, version)
        await record(connection, pair, caller, "flow.published", flow=flow, version=version)


async def flow_version(connection: AsyncConnection, pair: str, flow: str, version: int) -> FlowDocument:
    """A stored version.

    Raises:
        NotFoundException: there is none.
    """
    stored = await versions.one(connection, "flow", pair, flow, version)
    if stored is None:
        raise NotFoundException(f"Flow `{flow}` has no version {version}.")
    return FlowDocument.from_dict({**stored, "version": version})


def _read(written: Written, flow: str) -> FlowDocument:
    try:
        document = FlowDocument.from_dict({"version": 1, **read_document(written)})
    except UnreadableFlow as error:
        raise Refused(422, "flow.unreadable", str(error)) from error
    if document.name != flow:
        raise Refused(422, "flow.name", f"The document is flow `{document.name}`, the address names `{flow}`")
    return document


def _faults(problems: tuple[Problem, ...]) -> list[Fault]:
    return [Fault(code=each.code, place=each.node, sentence=each.sentence) for each in problems]


def _insist(problems: tuple[Problem, ...]) -> None:
    if problems:
        raise Refused(
            422,
            "flow.unlawful",
            f"The flow is not lawful: {problems[0].sentence}",
            hint="Correct every fault and send it again; `validate` checks without saving.",
            faults=_faults(problems),
        )


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[
        list_flows,
        show_flow,
        show_flow_yaml,
        compare_flows,
        validate_flow,
        draft_flow,
        publish_flow,
    ],
    tags=["Flows"],
)
