"""The answers that routes around money share: a transaction, a challenge, or that nobody knows yet."""

from __future__ import annotations

import hashlib

import msgspec
from litestar import Response
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from integration.canonical.payment import GatewayTransaction
from integration.ports import Challenge
from service.api.v3 import (
    ChallengeShown,
    HostedShown,
    StillUnknown,
    TransactionShown,
    challenge_shown,
    shown,
)

Outcome = TransactionShown | ChallengeShown | HostedShown | StillUnknown

GO_ON = {
    202: ResponseSpec(
        ChallengeShown | StillUnknown,  # type: ignore[arg-type]  # a union is described well
        description="The bank asks the shopper first; or the answer was lost: ask at `poll`",
        generate_examples=False,
    )
}


def answer(found: GatewayTransaction | Challenge | None, code: str) -> Response[Outcome]:
    """201 with a transaction; 202 with a challenge, or with where to ask what became of it."""
    if found is None:
        poll = f"/api/v3/requests/{code}"
        return Response(
            StillUnknown(vendor_tx_code=code, poll=poll), status_code=202, headers={"location": poll}
        )
    if isinstance(found, Challenge):
        return Response(challenge_shown(found, code), status_code=202)
    return Response(shown(found), status_code=201)


def mark(asked: Struct, *about: str) -> str:
    """What tells a repeated call from another request: a digest of everything that was asked."""
    return hashlib.sha256(msgspec.json.encode([asked, *about])).hexdigest()[:32]
