"""Files: settlement, chargeback, transaction and bank files, uploaded or fetched; their rows and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Literal

import msgspec
from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency, Provide
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, MultipartBody
from msgspec import Meta, Struct

from integration.statements.corrected import bad_rows_file
from integration.statements.reading import BadRow
from integration.statements.refusal import LIMITS
from service.api.access import needs
from service.api.context import AppContext, Context
from service.api.parameters import PAGE, Filter, JsonObject, Page, PairName, chosen, read
from service.flow.files import Arrived, layouts_of, look, take
from service.store import files
from service.store.users import Caller

_MOST = 1_000
_SAMPLE = 20
_FORM_AROUND_FILE = 65_536


class FileShown(Struct, frozen=True, kw_only=True):
    """A file; `error` says why a refused one was, `deliveries` how often it came."""

    file_id: int
    name: str
    source: Literal["upload", "sftp"]
    size: int
    state: Literal["taken", "refused"]
    kind: str
    layout: str
    rows_new: int
    rows_known: int
    rows_bad: int
    totals: JsonObject
    error: JsonObject | None
    deliveries: int
    taken_by: str
    received_at: datetime
    last_at: datetime
    archived_at: datetime | None


class FilePage(Struct, frozen=True, kw_only=True):
    """A page of files, newest first."""

    items: list[FileShown]
    next_cursor: int | None


class FileTold(FileShown, frozen=True, kw_only=True):
    """A file with its bad rows (the first thousand) and the rows that another file had brought before."""

    fingerprint: str
    header: list[str]
    bad: list[BadRow]
    known: list[JsonObject]


class FileTaken(Struct, frozen=True, kw_only=True):
    """What became of an upload; `new` is false for a file that was taken before, which changes nothing."""

    new: bool
    file: FileTold


class RowShown(Struct, frozen=True, kw_only=True):
    """A row that a file brought; `times` counts the files in which it stood."""

    file_row_id: int
    line: int
    kind: str
    row_hash: str
    document: JsonObject
    marked: JsonObject
    times: int


class RowPage(Struct, frozen=True, kw_only=True):
    """A page of rows in the order of the file."""

    items: list[RowShown]
    next_cursor: int | None


class Preview(Struct, frozen=True, kw_only=True):
    """What a file would bring: counts, the first rows, and everything that is wrong."""

    layout: str
    kind: str
    rows: int
    bad_rows: int
    totals: JsonObject
    sample: list[JsonObject]
    bad: list[BadRow]


class LayoutList(Struct, frozen=True, kw_only=True):
    """The layouts that the pair's files may have, as documents."""

    items: list[JsonObject]


class Upload(Struct, kw_only=True):
    """The form of an upload: one file, CSV or XLSX."""

    file: Annotated[UploadFile, Meta(description="A CSV or XLSX file of at most 10 MB.")]


async def _arrived(data: Upload, caller: Caller) -> Arrived:
    name = data.file.filename or "upload"
    # Some browsers send the whole path of the file on the user's machine: only that of Windows is one by its form.
    plain = name.rsplit("\\", 1)[-1] if name[1:3] == ":\\" else name
    return Arrived(name=plain, content=await data.file.read(), source="upload", by=caller.name)


@post(
    "/files",
    status_code=200,
    guards=[needs("operator")],
    opt={"takes_files": True},
    request_max_body_size=LIMITS.size + _FORM_AROUND_FILE,
    summary="Upload a file",
)
async def upload_file(
    pair: PairName, data: MultipartBody[Upload], context: AppContext, caller: NamedDependency[Caller]
) -> FileTaken:
    """Take a settlement, chargeback, transaction or bank file. Its layout is found by its headers.

    Good rows are taken, bad ones are told with what to correct; nothing is taken of a file that was cut off or whose
    control totals differ. The same file again changes nothing, nor does a row that another file had brought.
    """
    settings, _ = await context.connections(pair)
    taken = await take(context.engine, settings, await _arrived(data, caller))
    return FileTaken(new=taken.new, file=await _told(context, pair, taken.file_id))


@post(
    "/files/preview",
    status_code=200,
    guards=[needs("viewer")],
    opt={"takes_files": True},
    request_max_body_size=LIMITS.size + _FORM_AROUND_FILE,
    summary="Preview a file",
)
async def preview_file(
    pair: PairName, data: MultipartBody[Upload], context: AppContext, caller: NamedDependency[Caller]
) -> Preview:
    """Say what a file would bring, and keep nothing of it."""
    settings, _ = await context.connections(pair)
    reading = await look(settings, await _arrived(data, caller))
    return Preview(
        layout=reading.layout,
        kind=reading.kind,
        rows=len(reading.rows),
        bad_rows=len(reading.bad),
        totals=msgspec.to_builtins(reading.totals),
        sample=[msgspec.to_builtins(each) for each in reading.rows[:_SAMPLE]],
        bad=list(reading.bad[:_MOST]),
    )


def provide_filters(status: Filter = "", kind: Filter = "", source: Filter = "") -> dict[str, str]:
    """The filters that are set."""
    return chosen(state=status, kind=kind, source=source)


@get(
    "/files",
    guards=[needs("viewer")],
    dependencies={**PAGE, "filters": Provide(provide_filters, sync_to_thread=False)},
    summary="List files",
)
async def list_files(
    pair: PairName,
    context: AppContext,
    page: NamedDependency[Page],
    filters: NamedDependency[dict[str, str]],
) -> FilePage:
    """Files of a pair, newest first; `status` is taken or refused, `source` upload or sftp."""
    async with context.engine.connect() as connection:
        rows = await files.listed(connection, pair, filters, before=page.cursor, limit=page.limit)
    items = [read(row, FileShown) for row in rows]
    return FilePage(items=items, next_cursor=page.next_cursor([each.file_id for each in items]))


@get("/files/{file_id:int}", guards=[needs("viewer")], summary="Show a file")
async def show_file(pair: PairName, file_id: FromPath[int], context: AppContext) -> FileTold:
    """A file with its control totals, and every row that was not taken with what to correct."""
    return await _told(context, pair, file_id)


@get(
    "/files/{file_id:int}/rows",
    guards=[needs("viewer")],
    dependencies=PAGE,
    summary="List the rows of a file",
)
async def list_rows(
    pair: PairName, file_id: FromPath[int], context: AppContext, page: NamedDependency[Page]
) -> RowPage:
    """The rows that the file brought first."""
    async with context.engine.connect() as connection:
        rows = await files.rows_of(connection, pair, file_id, after=page.cursor, limit=page.limit)
    items = [read(row, RowShown) for row in rows]
    return RowPage(items=items, next_cursor=page.next_cursor([each.file_row_id for each in items]))


@get(
    "/files/{file_id:int}/bad-rows",
    guards=[needs("viewer")],
    media_type="text/csv",
    summary="Get the bad rows of a file",
)
async def get_bad_rows(pair: PairName, file_id: FromPath[int], context: AppContext) -> Response[bytes]:
    """The rows that were not taken as a CSV file, with what is wrong: correct them and upload it."""
    found = await _found(context, pair, file_id)
    content = _content(found)
    stem = PurePath(str(found["name"])).stem.encode("ascii", "replace").decode().replace("?", "_")
    name = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in stem)
    return Response(
        bad_rows_file(content.header, content.bad),
        media_type="text/csv; charset=utf-8",
        headers={
            "content-disposition": f'attachment; filename="{name}-bad-rows.csv"',
            "x-content-type-options": "nosniff",
        },
    )


@get("/files/layouts", guards=[needs("viewer")], summary="List layouts")
async def list_layouts(pair: PairName, context: AppContext) -> LayoutList:
    """How the pair's files are read: copy one into `files.own_layouts` of the pair and change its headers."""
    settings, _ = await context.connections(pair)
    return LayoutList(items=[msgspec.to_builtins(each) for each in layouts_of(settings)])


class _Content(Struct, kw_only=True):
    header: list[str] = []
    bad: list[BadRow] = []


class _Known(Struct, kw_only=True):
    rows: list[JsonObject] = []


async def _found(context: Context, pair: str, file_id: int) -> JsonObject:
    async with context.engine.connect() as connection:
        found = await files.one(connection, pair, file_id)
    if found is None:
        raise NotFoundException(f"There is no file {file_id}.")
    return found


def _content(found: Mapping[str, object]) -> _Content:
    return msgspec.convert(found["content"], _Content)


async def _told(context: Context, pair: str, file_id: int) -> FileTold:
    found = await _found(context, pair, file_id)
    content = _content(found)
    more = {
        "header": content.header,
        "bad": content.bad[:_MOST],
        "known": msgspec.convert(found["known"], _Known).rows,
    }
    return read({**found, **more}, FileTold)


router = Router(
    path="/api/v1/pairs/{pair:str}",
    route_handlers=[
        upload_file,
        preview_file,
        list_files,
        list_layouts,
        show_file,
        list_rows,
        get_bad_rows,
    ],
    tags=["Files"],
)
