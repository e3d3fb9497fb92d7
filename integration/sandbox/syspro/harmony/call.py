"""What a handler of the JSON face gets to see: the request, who asks, and the company."""

from __future__ import annotations

import msgspec

from integration.sandbox.syspro.asgi import Request
from integration.sandbox.syspro.faults_of_calls import ignored_elements
from integration.sandbox.syspro.harmony.answers import HarmonyError
from integration.sandbox.syspro.posting import Posting
from integration.sandbox.syspro.sessions import Session
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import Document


class Call(msgspec.Struct):
    """One authenticated request on its way to a handler; ``args`` are the variable parts of its path."""

    request: Request
    store: Store
    session: Session
    args: list[str]
    business_object: str
    correlation_id: str

    def posting(self, parameters: Document) -> Posting:
        """Begin a posting under the operator's name, with the fault of this request if it drops elements."""
        ignored = ignored_elements(self.request.fault, self.business_object)
        return Posting(self.store, parameters, self.session.operator, ignored)

    @property
    def number_withheld(self) -> bool:
        """Whether the answer must not carry the new order's number."""
        fault = self.request.fault_named("number-not-returned")
        return fault is not None or self.store.config.quirks.number_not_returned

    def allow_query(self, *names: str) -> dict[str, str]:
        """The query parameters of a read that is no list.

        Raises:
            HarmonyError: ``UNKNOWN_ELEMENT`` for any other parameter.
        """
        for name, _ in self.request.query:
            if name not in names:
                raise HarmonyError("UNKNOWN_ELEMENT", f"{name} is not a parameter of this request")
        return dict(self.request.query)
