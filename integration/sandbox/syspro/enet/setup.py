"""The setup objects: customers, and stock codes put into warehouses."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from integration.sandbox.syspro import shapes
from integration.sandbox.syspro.customers import add_customers, delete_customers, update_customers
from integration.sandbox.syspro.documents import WarehouseItem
from integration.sandbox.syspro.enet.call import Call, TextError, error_parts
from integration.sandbox.syspro.enet.rendering import record_counters, warning_elements
from integration.sandbox.syspro.enet.transactions import given_parameters, items_of
from integration.sandbox.syspro.enet.xml_out import Answer, Elements, elements, lower
from integration.sandbox.syspro.findings import DUPLICATE_KEY, STOCK_NOT_FOUND, Reader
from integration.sandbox.syspro.posting import ItemResult, Outcome, Plan, Posting, run
from integration.sandbox.syspro.shapes import Shape, shape
from integration.sandbox.syspro.values import Document

Poster = Callable[[Posting, list[Document]], Outcome]

_WAREHOUSE_PARAMETERS = shape(
    "ApplyProductClassDefault:2 IgnoreWarnings ApplyIfEntireDocumentValid ValidateOnly"
)
_WAREHOUSE_ITEM = shape("DefaultBin:20", Key=shape("StockCode:30 Warehouse:10"))


class Setup(msgspec.Struct, frozen=True):
    """A business object that maintains records; ``posters`` by operation."""

    root: str
    parameters: Shape
    item: Shape
    posters: Mapping[str, Poster]
    defaults: Mapping[str, str] = {}


def _add_warehouses(posting: Posting, items: list[Document]) -> Outcome:
    store = posting.store

    def post(item: Reader) -> Document:
        key = item.child("Key")
        code, warehouse = key.required("StockCode"), key.required("Warehouse")
        if code and code not in store.stock:
            key.not_found("StockCode", "Stock code", STOCK_NOT_FOUND)
        elif code and warehouse and warehouse not in store.warehouses:
            key.not_found("Warehouse", "Warehouse")
        elif f"{code}|{warehouse}" in store.warehouse_items:
            key.refuse("StockCode", DUPLICATE_KEY, f"Duplicate key '{code}' on 'InvWarehouse'")
        if item.failed():
            return {}
        row = WarehouseItem(code, warehouse, DefaultBin=item.code("DefaultBin"))
        store.warehouse_items.put(f"{code}|{warehouse}", row)
        return {"StockCode": code, "Warehouse": warehouse}

    return run(posting, Plan("INVSWS", _WAREHOUSE_ITEM, post), items)


SETUPS: dict[str, Setup] = {
    "ARSSCS": Setup(
        "SetupArCustomer", shapes.CUSTOMER_PARAMETERS, shapes.CUSTOMER_ITEM,
        {"add": add_customers, "update": update_customers, "delete": delete_customers},
        {"IgnoreWarnings": "Y", "ApplyIfEntireDocumentValid": "N", "ValidateOnly": "N"},
    ),
    "INVSWS": Setup(
        "SetupInvWarehouse", _WAREHOUSE_PARAMETERS, _WAREHOUSE_ITEM, {"add": _add_warehouses}
    ),
}  # fmt: skip


def maintain(call: Call) -> Answer:
    """Add, update or delete the records of a document.

    Raises:
        TextError: when the object does not know the operation.
    """
    known = SETUPS[call.code]
    poster = known.posters.get(call.operation)
    if poster is None:
        raise TextError(f"Business object {call.code} does not support {call.operation}")
    parameters = given_parameters(call, known.parameters, known.defaults)
    items = items_of(call, "Item", known.item)
    outcome = poster(call.posting(parameters), items)
    lowered = call.quirks.lower_case_roots
    content: Elements = [
        ("item" if lowered else "Item", _echo(_item(sent, item), lowered))
        for sent, item in zip(items, outcome.items, strict=True)
    ]
    content.append(("StatusOfItems", record_counters(outcome)))
    return Answer(known.root.lower() if lowered else known.root, content)


def _item(sent: Document, item: ItemResult) -> Elements:
    """The key as sent or stored, then each offending element beside it."""
    key = sent.get("Key")
    named = key if isinstance(key, dict) else {}
    shown = {name: item.result.get(name, value) for name, value in named.items()}
    errors: Elements = [
        (finding.element.rpartition(".")[2], error_parts(finding)) for finding in item.findings.errors
    ]
    return [("Key", elements(shown)), *errors, *warning_elements(item.findings.warnings)]


def _echo(content: Elements, lowered: bool) -> Elements:
    """Names in lower case; what is said about an element keeps SYSPRO's own spelling."""
    if not lowered:
        return content
    made: Elements = []
    for name, inner in content:
        if name == "WarningMessages" or not isinstance(inner, list):
            made.append((name, inner))
        else:
            said = any(child == "ErrorNumber" for child, _ in inner)
            made.append((name.lower(), inner if said else lower(inner)))
    return made
