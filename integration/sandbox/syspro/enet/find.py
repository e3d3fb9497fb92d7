"""COMFND: find rows of any table by conditions."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from integration.sandbox.syspro.config import Quirks
from integration.sandbox.syspro.enet.call import Call, Refused, TextError
from integration.sandbox.syspro.enet.sql_tables import TABLES, SqlTable
from integration.sandbox.syspro.enet.where import (
    BadWhere,
    Cell,
    Row,
    Test,
    alternatives,
    columns_of,
    parsed_where,
)
from integration.sandbox.syspro.enet.xml_in import Node
from integration.sandbox.syspro.enet.xml_out import RATE_WIDTH, Answer, Elements, number
from integration.sandbox.syspro.findings import INVALID_CHOICE, NOT_FOUND, Finding

_ROOT = "Query"


def find(call: Call) -> Answer:
    """Answer the rows that fit.

    Raises:
        Refused: for an unknown table or column, or conditions that cannot be read.
        TextError: without a document.
    """
    document = call.document
    if document is None:
        raise TextError("XmlIn is blank")
    table = table_named(document.text("TableName"), _ROOT)
    try:
        test = parsed_where(document, underscore=call.quirks.like_underscore)
        wanted = _columns(document, table, test)
        rows = [row for row in _candidates(call, table, test) if test.fits(row)]
    except BadWhere as error:
        raise Refused(
            table.name.rstrip("+"), error.element, Finding("", error.value, INVALID_CHOICE, str(error))
        ) from None
    order = _sequence(document, table)
    for column, descending in reversed(order):
        rows.sort(key=lambda row: _sortable(row.get(column, "")), reverse=descending)
    limit = document.text("ReturnRows")
    kept = rows[: int(limit)] if limit.isdigit() and int(limit) else rows
    return Answer(table.name.rstrip("+"), _answered(call.quirks, table, (wanted, order), kept))


def _candidates(call: Call, table: SqlTable, test: Test) -> Iterable[Row]:
    """The rows that indexes name for a test, each once: a look-up of many references reads no other rows."""
    sets = alternatives(test)
    if len(sets) == 1:
        return table.rows(call.store, sets[0])
    once: dict[tuple[Cell, ...], Row] = {}
    for hints in sets:
        for row in table.rows(call.store, hints):
            once[tuple(row.get(key, "") for key in table.keys)] = row
    return once.values()


def table_named(name: str, root: str) -> SqlTable:
    """The table of a name, in exact case.

    Raises:
        Refused: when there is none.
    """
    table = TABLES.get(name)
    if table is None:
        raise Refused(root, "TableName", Finding("", name, NOT_FOUND, f"Table '{name}' not found"))
    return table


def _columns(document: Node, table: SqlTable, test: Test) -> list[str]:
    listed = document.find("Columns")
    named = [node.value.strip() for node in (listed.all("Column") if listed is not None else [])]
    wanted = list(table.columns) if document.flag("AllColumns", "N") else [name for name in named if name]
    if not wanted:
        raise BadWhere("Columns", "", "At least one column must be selected")
    for column in [*wanted, *sorted(columns_of(test))]:
        if column not in table.columns:
            raise BadWhere("Column", column, f"Column '{column}' not found in table '{table.name}'")
    return wanted


def _sequence(document: Node, table: SqlTable) -> list[tuple[str, bool]]:
    """The columns to sort by and whether downwards; the primary key when none is named."""
    sequence, listed = document.find("Sequence"), document.find("OrderBy")
    named = [
        (node.attribute("Name"), node.attribute("Orderby").upper() == "D")
        for node in (sequence.all("Column") if sequence is not None else [])
    ]
    named = named or [
        (node.value.strip(), False) for node in (listed.all("Column") if listed is not None else [])
    ]
    known = [(column, down) for column, down in named if column in table.columns]
    return known or [(column, False) for column in table.keys]


def _sortable(cell: Cell) -> tuple[int, Decimal, str]:
    return (0, cell, "") if isinstance(cell, Decimal) else (1, Decimal(0), cell)


def shown(cell: Cell, column: str, quirks: Quirks) -> str:
    """A cell as text; numbers are right-aligned in the width of their column."""
    if not isinstance(cell, Decimal):
        return cell
    return number(cell, quirks, RATE_WIDTH if "Rate" in column else 0)


def _answered(
    quirks: Quirks, table: SqlTable, asked: tuple[list[str], list[tuple[str, bool]]], rows: Iterable[Row]
) -> Elements:
    wanted, order = asked
    header: Elements = [
        ("TableName", table.name),
        ("Columns", [("Column", column) for column in wanted]),
        ("OrderBy", [("Column", column) for column, _ in order]),
    ]
    content: Elements = [("HeaderDetails", header)]
    content += [
        ("Row", [(column, shown(row.get(column, ""), column, quirks)) for column in wanted]) for row in rows
    ]
    count = Decimal(len(content) - 1)
    return [*content, ("RowsReturned", number(count, quirks))]
