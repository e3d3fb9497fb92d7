"""Calls to the Pi REST API: authenticated, with refusals raised and answers decoded."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import TypeVar

from integration.canonical.payment import GatewayTransaction
from integration.http import Answer, Call, HttpClient, Spent
from integration.opayo import translate
from integration.opayo.config import OpayoConfig
from integration.opayo.reads import patiently
from integration.opayo.refusals import LOST_CODES, refusal
from integration.opayo.translate import Known
from integration.opayo.wire import PiTransaction, code_text

T = TypeVar("T")


class PiApi:
    """One vendor's Pi REST API."""

    def __init__(self, config: OpayoConfig, observe: Callable[[Spent], None] | None) -> None:
        self._http = HttpClient(
            "Opayo", config.pi_url, timeout=config.timeout, slots=config.slots, observe=observe
        )
        self._read_timeout = config.read_timeout
        pair = f"{config.integration_key}:{config.integration_password}".encode()
        self._headers = {"authorization": "Basic " + b64encode(pair).decode("ascii")}

    def reading(self, path: str, *, about: str, body: bytes = b"") -> Call:
        """A call that changes nothing that matters."""
        return Call(
            method="POST" if body else "GET",
            path=path,
            headers=self._headers,
            body=body,
            about=about,
            timeout=self._read_timeout,
        )

    def writing(self, path: str, *, about: str, body: bytes = b"", method: str = "POST") -> Call:
        """A call that may change something: a lost answer leaves its outcome unknown."""
        return Call(method=method, path=path, headers=self._headers, body=body, write=True, about=about)

    async def accepted(self, call: Call) -> Answer:
        """The answer to a call, sent once.

        Raises:
            IntegrationError: no answer, or a refusal.
        """
        answer = await self._http.send(call)
        if error := refusal(answer):
            raise error
        return answer

    async def sent(self, call: Call, kind: type[T]) -> tuple[Answer, T]:
        """As `accepted`, decoded."""
        answer = await self.accepted(call)
        return answer, answer.decode(kind)

    async def read(self, call: Call, kind: type[T]) -> tuple[Answer, T]:
        """As `sent`, once more at once after `Unreachable`."""
        return await patiently(lambda: self.sent(call, kind))

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.close()


def refuse_nonsense(answer: Answer, wire: PiTransaction) -> None:
    """An answer that tells no transaction, or that the gateway itself failed, leaves the outcome open.

    Raises:
        OutcomeUnknown: it is one.
    """
    if not (wire.status and wire.transaction_id):
        raise answer.lost("its answer tells no transaction")
    code = code_text(wire.status_code)
    if wire.status.upper() == "ERROR" or code in LOST_CODES:
        raise answer.lost(f"it says {wire.status} {code}")


def settled(answer: Answer, wire: PiTransaction, known: Known) -> GatewayTransaction:
    """The transaction of a new attempt, of which we know kind and amount ourselves.

    Raises:
        OutcomeUnknown: the answer does not tell its state.
    """
    refuse_nonsense(answer, wire)
    told = translate.transaction(wire, known)
    if told is None:
        raise answer.lost("its answer does not tell the transaction's state")
    return told
