"""SORTOI: sales orders added, changed and deleted, and an answer that seldom says the new number."""

from __future__ import annotations

import re
from collections.abc import Iterable

from integration.sandbox.syspro.enet.call import Call, error_parts
from integration.sandbox.syspro.enet.order_actions import named_order
from integration.sandbox.syspro.enet.rendering import order_counters, warning_elements
from integration.sandbox.syspro.enet.transactions import given_parameters, items_of
from integration.sandbox.syspro.enet.xml_out import Answer, Elements, elements
from integration.sandbox.syspro.findings import Finding, Reader
from integration.sandbox.syspro.order_actions import cancel_item, change_item
from integration.sandbox.syspro.order_lines import LineOptions
from integration.sandbox.syspro.orders import LINE_KINDS, OrderRules
from integration.sandbox.syspro.posting import POSTED, REJECTED, ItemResult, Outcome, Plan, Posting, run
from integration.sandbox.syspro.shapes import ORDER, ORDER_PARAMETERS, Shape
from integration.sandbox.syspro.values import Document

ROOT = "SalesOrders"
# SORTOI has neither: a document is imported whole or not at all, and Process says whether.
_UNKNOWN = ("ApplyIfEntireDocumentValid", "ValidateOnly")
PARAMETERS = Shape({name: kind for name, kind in ORDER_PARAMETERS.texts.items() if name not in _UNKNOWN})
_LINE = re.compile(r"OrderDetails\.(\w+\[\d+\])")


def import_document(call: Call) -> Answer:
    """Import or validate a document; VALIDATE is the default."""
    usual = "IMPORT" if call.quirks.import_by_default else "VALIDATE"
    parameters = given_parameters(call, PARAMETERS, {"Process": usual})
    importing = str(parameters["Process"]).strip().upper() == "IMPORT"
    orders = items_of(call, "Orders", ORDER)
    posting = call.posting({**parameters, "ValidateOnly": "N" if importing else "Y"})
    posting.parameters.choice("Process", "VALIDATE IMPORT", "VALIDATE")
    outcome = _import(posting, orders)
    withheld = call.fault_named("number-not-returned") or call.quirks.number_not_returned
    content: Elements = []
    if not importing or outcome.count(REJECTED):
        content += [
            ("Orders", _echo(order, item.findings.errors))
            for order, item in zip(orders, outcome.items, strict=True)
        ]
    for item, order in zip(outcome.items, orders, strict=True):
        content += _order(item, order, shown=not withheld and _tells(item, call), importing=importing)
    content.append(("StatusOfItems", order_counters(outcome)))
    if not importing or outcome.count(REJECTED):
        status = "Failed" if outcome.count(REJECTED) else "Successful"
        content.append(("ValidationStatus", [("Status", status)]))
    return Answer(ROOT, content)


def _import(posting: Posting, orders: list[Document]) -> Outcome:
    rules, options = OrderRules(posting), LineOptions(posting)
    posting.warnings_allowed("N Y W")

    def post(item: Reader) -> Document:
        header = item.child("OrderHeader")
        action = header.choice("OrderActionType", "A C D", "A")
        if action == "A":
            return rules.add(item)
        order = named_order(posting, header)
        if order is None:
            return {}
        if action == "C":
            return change_item(posting, order, options, item)
        done = cancel_item(posting, order, item)
        return {**done, "CustomerPoNumber": order.CustomerPoNumber, "OrderActionType": "D"} if done else {}

    fallback = posting.parameters.text("CustomerToUse")
    return run(posting, Plan("SORTOI", ORDER, post), [_with_customer(order, fallback) for order in orders])


def _with_customer(order: Document, fallback: str) -> Document:
    header = order.get("OrderHeader")
    if not fallback or not isinstance(header, dict) or str(header.get("Customer", "")).strip():
        return order
    return {**order, "OrderHeader": {**header, "Customer": fallback}}


def _tells(item: ItemResult, call: Call) -> bool:
    """A clean import returns no order, a real habit of version 8; one with warnings does."""
    return bool(item.findings.warnings) or call.quirks.order_element_on_clean_import


def _order(item: ItemResult, order: Document, *, shown: bool, importing: bool) -> Elements:
    header = order.get("OrderHeader")
    sent = header if isinstance(header, dict) else {}
    if item.status == REJECTED and importing:
        refused: Document = {
            "CustomerPoNumber": sent.get("CustomerPoNumber", ""), "SalesOrder": "",
            "OrderActionType": sent.get("OrderActionType", "A"),
        }  # fmt: skip
        return [("Order", elements(refused))]
    if item.status != POSTED or not shown:
        return []
    names = ("CustomerPoNumber", "SalesOrder", "OrderActionType")
    result: Document = {name: item.result.get(name, "") for name in names}
    back = [one.description for one in item.findings.warnings if "back order" in one.description]
    comment: Elements = [("BackOrderComment", back[0])] if back else []
    return [("Order", [*elements(result), *comment, *warning_elements(item.findings.warnings)])]


def _echo(order: Document, errors: list[Finding]) -> Elements:
    """The order as it was read, its errors inside: header elements again, lines with ErrorMessages."""
    header, details = order.get("OrderHeader"), order.get("OrderDetails")
    by_line: dict[str, list[Finding]] = {}
    for finding in errors:
        match = _LINE.match(finding.element)
        by_line.setdefault(match.group(1) if match else finding.element.partition(".")[0], []).append(finding)
    said: Elements = elements(header) if isinstance(header, dict) else []
    said += [(one.element.rpartition(".")[2], error_parts(one)) for one in by_line.pop("OrderHeader", [])]
    lines: Elements = []
    held = details if isinstance(details, dict) else {}
    for kind in LINE_KINDS:
        repeats = held.get(kind, [])
        for n, line in enumerate(repeats if isinstance(repeats, list) else []):
            inside = elements(line) if isinstance(line, dict) else []
            lines.append((kind, [*inside, *_messages(by_line.pop(f"{kind}[{n}]", []))]))
    rest = [finding for findings in by_line.values() for finding in findings]
    return [("OrderHeader", said), ("OrderDetails", [*lines, *_messages(rest)])]


def _messages(errors: Iterable[Finding]) -> Elements:
    return [
        ("ErrorMessages", [("ErrorNumber", one.number), ("ErrorDescription", one.description)])
        for one in errors
    ]
