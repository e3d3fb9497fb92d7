"""A look-up of many references reads the rows that indexes name, and finds what a scan would find."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.sandbox.syspro.enet.where import Condition, Joined, Test, alternatives
from integration.sandbox.syspro.tables import Table
from tests.connectors.enet_client import Client, connected, importing, order, payment, rows, xml

COLUMNS, VALUES = ("A", "B", "C"), ("1", "2", "3")
conditions = st.builds(
    Condition, st.sampled_from(COLUMNS), st.sampled_from(["EQ", "EQ", "NE", "LT"]), st.sampled_from(VALUES)
)
tests_ = st.recursive(
    conditions, lambda inner: st.builds(Joined, st.booleans(), st.lists(inner, min_size=1, max_size=4).map(tuple))
)  # fmt: skip
all_rows = [{"A": a, "B": b, "C": c} for a in VALUES for b in VALUES for c in VALUES]


@given(tests_)
def test_every_row_that_fits_has_one_of_the_sets(test: Test) -> None:
    sets = alternatives(test)
    for row in all_rows:
        named = any(all(row[column] == value for column, value in each.items()) for each in sets)
        assert named or not test.fits(row)


async def look_up(
    client: Client, table: str, columns: str, groups: list[dict[str, str]]
) -> list[dict[str, str]]:
    """A search as our transport makes it: groups joined by Or, brackets around those of several terms."""
    expressions: list[dict[str, str]] = []
    for number, group in enumerate(groups):
        for n, (column, value) in enumerate(group.items()):
            one = {"AndOr": "And" if n else "Or", "Column": column, "Condition": "EQ", "Value": value}
            if len(group) > 1:
                one |= {"OpenBracket": "("} if n == 0 else {}
                one |= {"CloseBracket": ")"} if n == len(group) - 1 else {}
            expressions.append(one if number or n else {k: v for k, v in one.items() if k != "AndOr"})
    asked = xml(
        "Query", TableName=table, Columns={"Column": columns.split()}, Where={"Expression": expressions}
    )
    return rows(await client.query("COMFND", asked))


async def test_no_table_is_scanned_for_references_joined_by_or(monkeypatch: pytest.MonkeyPatch) -> None:
    def scanned(table: Table[object]) -> Iterator[object]:
        raise AssertionError("the whole table was read")

    async with connected() as client:
        for n in range(3):
            await client.post("SORTOI", importing(), order(f"WEB-{n}"))
            await client.post("ARSTPY", "<PostArPayment/>", payment(Reference=f"R{n}"))
        monkeypatch.setattr(Table, "__iter__", scanned)
        wanted = [{"Reference": f"R{n}"} for n in (2, 0, 2, 7)]
        assert await look_up(client, "ArInvoicePay", "Reference", wanted) == [
            {"Reference": "R0"},
            {"Reference": "R2"},
        ]
        documents = [{"Customer": "0000001", "Invoice": f"_CRD000000{n}"} for n in (3, 1, 9)]
        found = await look_up(client, "ArInvoice", "Invoice", documents)
        assert [row["Invoice"] for row in found] == ["_CRD0000001", "_CRD0000003"]
        orders = await look_up(client, "SorMaster", "SalesOrder CustomerPoNumber",
                               [{"CustomerPoNumber": "WEB-1"}, {"CustomerPoNumber": "WEB-9"}])  # fmt: skip
        assert [row["CustomerPoNumber"] for row in orders] == ["WEB-1"]
        lines = await look_up(
            client, "SorDetail", "SalesOrder", [{"SalesOrder": orders[0]["SalesOrder"]}] * 2
        )
        assert len(lines) == 1
        customers = await look_up(
            client, "ArCustomer", "Customer", [{"Customer": "0000001"}, {"Customer": "2"}]
        )
        assert customers == [{"Customer": "0000001"}]
        stock = await look_up(
            client, "InvWarehouse", "StockCode", [{"StockCode": "A100"}, {"StockCode": "A101"}]
        )
        assert {row["StockCode"] for row in stock} == {"A100", "A101"}
