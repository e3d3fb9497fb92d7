"""The face's own idempotency-key store; switched off, keys are still required but forgotten."""

from __future__ import annotations

import hashlib
import re

import msgspec

from integration.sandbox.syspro.asgi import Request, Response
from integration.sandbox.syspro.config import Settings
from integration.sandbox.syspro.harmony.answers import HarmonyError

_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")
HEADER = "idempotency-key"


class _Record(msgspec.Struct):
    digest: str
    answer: Response | None = None


class KeyStore:
    """Keys of one company, each with what was asked and what was answered."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}
        self.replays = 0

    def begin(self, request: Request, settings: Settings) -> Response | None:
        """Claim the request's key; an earlier answer to the same request is replayed.

        Raises:
            HarmonyError: ``MALFORMED`` without a proper key, ``IDEMPOTENCY_CONFLICT`` for another request,
                ``IN_PROGRESS`` while the first one still runs.
        """
        key = _key(request)
        if not settings.idempotency:
            return None
        digest = _digest(request)
        record = self._records.get(key)
        if record is None:
            self._records[key] = _Record(digest)
            return None
        if record.digest != digest:
            raise HarmonyError("IDEMPOTENCY_CONFLICT", f"Idempotency-Key {key} was used for another request")
        if record.answer is None:
            raise HarmonyError("IN_PROGRESS", f"The request with Idempotency-Key {key} is still running")
        self.replays += 1
        # A replay posts nothing: the contract answers it 200, a partial answer stays partial.
        status = 200 if record.answer.status == 201 else record.answer.status
        headers = {**record.answer.headers, "Idempotent-Replayed": "true"}
        return Response(status, record.answer.body, headers)

    def settle(self, request: Request, answer: Response, settings: Settings) -> None:
        """Remember an answer that posted something; forget the key of any other."""
        record = self._records.get(_key(request))
        if record is None:
            return
        refusal = settings.keep_refusals and answer.status in {409, 422}
        if answer.status in {201, 207} or refusal:
            record.answer = answer
        else:
            del self._records[_key(request)]

    def clear(self) -> None:
        """Forget every key."""
        self._records.clear()


def _key(request: Request) -> str:
    key = request.headers.get(HEADER, "")
    if not _KEY.fullmatch(key):
        what = "is required" if not key else "must be 1 to 64 of A-Z a-z 0-9 . _ -"
        raise HarmonyError("MALFORMED", f"The header Idempotency-Key {what}")
    return key


def _digest(request: Request) -> str:
    asked = f"{request.method} {request.path.lower()}\n".encode() + request.body
    return hashlib.sha256(asked).hexdigest()
