"""Evidence of chargebacks: documents that people add, and the pack that goes to the acquirer."""

from __future__ import annotations

import hashlib
from typing import Annotated

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, MultipartBody
from msgspec import Meta, Struct

from service.api.access import needs
from service.api.chargeback_shapes import EvidenceAdded, refuse_cards_in
from service.api.chargebacks import case_of
from service.api.context import AppContext
from service.api.desk import desk
from service.api.parameters import PairName
from service.api.problems import Refused
from service.flow import chargebacks as work
from service.flow.evidence import pack, safe_name
from service.store.chargeback_evidence import Evidence
from service.store.users import Caller

_MOST_BYTES = 5 * 2**20
_FORM_AROUND_FILE = 65_536
_ENDINGS = frozenset(
    (".pdf", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".txt", ".csv", ".eml", ".docx", ".xlsx")
)


class EvidenceForm(Struct, kw_only=True):
    """The form of an upload: one file."""

    file: Annotated[UploadFile, Meta(description="A document of at most 5 MiB.")]


@post(
    "/chargebacks/{chargeback_id:int}/evidence",
    status_code=200,
    guards=[needs("operator")],
    opt={"takes_files": True},
    request_max_body_size=_MOST_BYTES + _FORM_AROUND_FILE,
    summary="Add a file of evidence",
)
async def add_evidence(
    pair: PairName,
    chargeback_id: FromPath[int],
    data: MultipartBody[EvidenceForm],
    context: AppContext,
    caller: NamedDependency[Caller],
) -> EvidenceAdded:
    """Add a document to a case: at most 5 MiB, 20 MiB a case. The same content is kept once."""
    name, body = safe_name(data.file.filename or "file"), await data.file.read()
    _insist_document(name, body)
    refuse_cards_in(name, body)
    file = Evidence(name=name, body=body, sha256=hashlib.sha256(body).hexdigest(), author=caller.name)
    async with desk(context, pair, caller) as at:
        new = await work.add_file(at, await work.case(at, chargeback_id), file)
    return EvidenceAdded(name=name, size=len(body), sha256=file.sha256, new=new)


def _insist_document(name: str, body: bytes) -> None:
    if not any(name.lower().endswith(ending) for ending in _ENDINGS):
        raise Refused(
            422,
            "chargeback.no-document",
            "This is no kind of document that an acquirer takes",
            hint=f"Send one of {', '.join(sorted(_ENDINGS))}.",
        )
    if not body:
        raise Refused(422, "chargeback.no-document", "The file is empty", hint="Send it again.")
    if len(body) > _MOST_BYTES:
        raise Refused(
            413,
            "chargeback.too-much-evidence",
            f"The file is larger than {_MOST_BYTES // 2**20} MiB",
            hint="Make it smaller: acquirers take a few pages, and black and white is enough.",
        )


@get(
    "/chargebacks/{chargeback_id:int}/pack",
    guards=[needs("viewer")],
    media_type="application/zip",
    summary="Get the evidence pack",
)
async def get_pack(pair: PairName, chargeback_id: FromPath[int], context: AppContext) -> Response[bytes]:
    """All that is known of the disputed payment as one archive: a PDF to read, the files added, all facts as JSON."""
    settings, _ = await context.connections(pair)
    async with context.engine.connect() as connection:
        case = await case_of(connection, pair, chargeback_id)
        made = await pack(connection, settings, case, context.now())
    return Response(
        made.content,
        media_type="application/zip",
        headers={
            "content-disposition": f'attachment; filename="{made.name}"',
            "x-content-type-options": "nosniff",
        },
    )


router = Router(
    path="/api/v1/pairs/{pair:str}", route_handlers=[add_evidence, get_pack], tags=["Chargebacks"]
)
