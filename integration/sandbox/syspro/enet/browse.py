"""COMBRW and COMFCH: pages of a table by key, and one row with every column."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import msgspec

from integration.sandbox.syspro.enet.call import Call, Refused
from integration.sandbox.syspro.enet.customer_query import outstanding
from integration.sandbox.syspro.enet.find import shown, table_named
from integration.sandbox.syspro.enet.sql_tables import SqlTable
from integration.sandbox.syspro.enet.where import Cell, Row, like
from integration.sandbox.syspro.enet.xml_in import Node
from integration.sandbox.syspro.enet.xml_out import Answer, Elements
from integration.sandbox.syspro.findings import NOT_FOUND, Finding
from integration.sandbox.syspro.store import Store
from integration.sandbox.syspro.values import ZERO

_DEFAULT_ROWS = 20
_KEYS = 13


class _Page(msgspec.Struct, frozen=True):
    rows: list[Row]
    forward: bool
    back: bool


def browse(call: Call) -> Answer:
    """Answer a page of a table in key order.

    Raises:
        Refused: for an unknown browse.
    """
    name = call.asked("BrowseName")
    table = table_named(name or call.asked("BrowseDetails/TableName"), "Browse")
    page = _page(call, table)
    columns = table.browse or table.columns[:3]
    content: Elements = [("Title", table.title or table.name)]
    for row in page.rows:
        content.append(("Row", [(column, _value(call, row, column)) for column in columns]))
    keys = [str(row.get(table.keys[0], "")) for row in page.rows]
    content.append(
        (
            "NextPrevKey",
            [
                ("PrevKey", keys[0] if keys else ""),
                ("NextKey", keys[-1] if keys else ""),
                ("Fwd", str(page.forward)),
                ("Back", str(page.back)),
            ],
        )
    )
    head: Elements = [("Header", column) for column in columns]
    key = table.keys[0]
    head += [("Key", key), ("KeyDescription", key), ("Table", table.name)]
    return Answer(table.name, [*content, ("HeaderDetails", head)])


def _value(call: Call, row: Row, column: str) -> Elements:
    cell = row.get(column, "")
    kind = "Numeric" if isinstance(cell, Decimal) else "AlphaNumeric"
    return [("Value", shown(cell, column, call.quirks)), ("DataType", kind)]


def _page(call: Call, table: SqlTable) -> _Page:
    start = stored_key(call.store, table.keys[0], call.asked("StartAtKey"))
    condition = call.asked("StartCondition", "GE").upper()
    asked = call.asked("ReturnRows")
    size = int(asked) if asked.isdigit() and int(asked) else _DEFAULT_ROWS
    filters = _filters(call, table)
    every = [row for row in table.rows(call.store, {}) if all(fits(row) for fits in filters)]
    every.sort(key=lambda row: [str(row.get(key, "")) for key in table.keys])
    keys = [str(row.get(table.keys[0], "")) for row in every]
    if condition == "LE" and start:
        last = sum(key <= start for key in keys)
        first = max(last - size, 0)
    else:
        # EF is not documented; it starts where GE does.
        first = sum(key <= start if condition == "GR" else key < start for key in keys) if start else 0
        last = min(first + size, len(every))
    return _Page(every[first:last], last < len(every), first > 0)


def _filters(call: Call, table: SqlTable) -> list[Callable[[Row], bool]]:
    document = call.document
    nodes = document.all("Filter") if document is not None else []
    return [_filter(call, table, node) for node in nodes]


def _filter(call: Call, table: SqlTable, node: Node) -> Callable[[Row], bool]:
    column, value = node.text("ColumnFilterName"), node.text("ColumnFilterValue")
    if column not in table.columns:
        finding = Finding("", column, NOT_FOUND, f"Column '{column}' not found in table '{table.name}'")
        raise Refused(table.name, "ColumnFilterName", finding)
    pattern = like(value, underscore=call.quirks.like_underscore)
    return lambda row: pattern.fullmatch(str(row.get(column, ""))) is not None


def stored_key(store: Store, column: str, value: str) -> str:
    """A key in its stored form; unlike COMFND, objects with a ``Key`` pad for the caller."""
    pads = {"Customer": store.customer_key, "SalesOrder": store.order_key, "Invoice": store.invoice_key}
    return pads[column](value) if value and column in pads else value


def fetch(call: Call) -> Answer:
    """Answer one row with every column; a partial key takes the first row that begins with it.

    Raises:
        Refused: for an unknown table, or when no row has the key.
    """
    table = table_named(call.asked("TableName"), "Fetch")
    given = [call.asked("Key"), *(call.asked(f"OptionalKey{n}") for n in range(1, _KEYS))]
    keys = table.keys[1:] if table.keys[0] == "Company" else table.keys
    wanted = {
        key: stored_key(call.store, key, value) for key, value in zip(keys, given, strict=False) if value
    }
    rows = table.rows(call.store, wanted)
    row = next((one for one in rows if all(str(one.get(k, "")) == v for k, v in wanted.items())), None)
    if row is None or not wanted:
        finding = Finding("", given[0], NOT_FOUND, f"Key '{given[0]}' not found on '{table.name}'")
        raise Refused(table.name, "Key", finding)
    full: dict[str, Cell] = {**_balances(call.store, table, row), **row}
    names = [*table.columns, *(name for name in full if name not in table.columns)]
    content: Elements = [(name, shown(full.get(name, ""), name, call.quirks)) for name in names]
    return Answer(table.name.rstrip("+"), content)


def _balances(store: Store, table: SqlTable, row: Row) -> dict[str, Cell]:
    """What a customer owes, which COMFCH returns with the master columns."""
    if table.name != "ArCustomer":
        return {}
    customer = str(row["Customer"])
    count, value = outstanding(store, customer)
    return {
        "OutstOrdVal": value,
        "NumOutstOrd": Decimal(count),
        "CurrentBalance1": store.balances.get(customer) or ZERO,
        "ValCreditsInv": store.credits.get(customer) or ZERO,
    }
