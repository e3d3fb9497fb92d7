"""Members of a document that an earlier document of the same payment decides: late-bound, by its receipt.

The adjustment that clears a credit memo needs the number SYSPRO gave that memo, and the payment of an invoice the
invoice's. A mapping writes `{ar_invoice.key}` for the key of the receipt, or `{order_invoice.Invoice}` for one of its
details. Our own reference is never late-bound: a document is looked for by it before anything else is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from integration.canonical.documents import Receipt
from integration.errors import UnmappedField
from service.core.source_document import Json

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\.(\w+)\}")


def bind(document: Mapping[str, Json], receipts: Mapping[str, Receipt]) -> dict[str, Json]:
    """The document with every placeholder replaced whose receipt is there; the others stay.

    Args:
        document: under SYSPRO's element names.
        receipts: of the documents posted so far, by kind.
    """
    return {name: _bound(value, receipts) for name, value in document.items()}


def _bound(value: Json, receipts: Mapping[str, Receipt]) -> Json:
    if isinstance(value, dict):
        return {name: _bound(member, receipts) for name, member in value.items()}
    if isinstance(value, list | tuple):  # a document that was not yet stored has tuples
        return [_bound(member, receipts) for member in value]
    found = _PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    if found is None or (receipt := receipts.get(found[1])) is None:
        return value
    return (receipt.key if found[2] == "key" else receipt.details.get(found[2])) or value


def unbound(document: Mapping[str, Json]) -> tuple[str, ...]:
    """The placeholders that are left, in their order."""
    return tuple(_placeholders(dict(document)))


def _placeholders(value: Json) -> Iterator[str]:
    if isinstance(value, dict | list | tuple):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _placeholders(member)
    elif isinstance(value, str) and _PLACEHOLDER.fullmatch(value):
        yield value


def insist_bound(document: Mapping[str, Json], reference: str) -> None:
    """Nothing may be sent with a placeholder in it.

    Raises:
        UnmappedField: no earlier document of the payment told it.
    """
    if left := unbound(document):
        raise UnmappedField(
            f"{reference} needs {', '.join(left)}, and no document posted before it tells that",
            code="posting.unbound",
            hint="Let the flow post the document that tells it first, or correct the mapping.",
            evidence={"reference": reference, "placeholders": ", ".join(left)},
        )
