"""Mappings: checked before they meet a document, and honest about what is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.core.field_dictionary import Field, FieldDictionary, UnreadableDictionary
from service.core.mapping import BadMapping, Mapping, apply, compile_mapping
from service.core.mapping_document import MappingDocument, UnreadableMapping
from service.core.source_document import Json
from tests.core.samples import SOURCE

SMALL = FieldDictionary(
    document="note",
    description="A small document.",
    fields={
        "Text": Field(type="text", description="Some text.", length=10),
        "Need": Field(type="text", description="Needed.", length=10, required=True),
        "Items": Field(type="list", description="Items."),
        "Items[].Name": Field(type="text", description="A name.", length=10, required=True),
        "Items[].Size": Field(type="text", description="A size.", length=10),
    },
)
NEED: dict[str, Json] = {"target": "Need", "transforms": [{"constant": {"value": "x"}}]}


def small(*rows: dict[str, Json], **members: Json) -> Mapping:
    document = {"name": "small", "version": 1, "target": "note", "rows": [NEED, *rows], **members}
    return compile_mapping(MappingDocument.from_dict(document), SMALL, tables={"words": {"Ok": "Paid"}})


def test_the_first_row_whose_condition_holds_fills_the_field() -> None:
    mapping = small(
        {"target": "Text", "source": "pair.bank", "when": "pair_colour == 'red'"},
        {"target": "Text", "source": "pair.branch", "when": "transaction_amount_minor > 100"},
        {"target": "Text", "source": "pair.warehouse"},
    )

    assert apply(mapping, SOURCE).values["Text"] == "10"


def test_a_condition_that_cannot_decide_is_a_problem_of_its_field() -> None:
    mapping = small({"target": "Text", "source": "customer", "when": "transaction_checks_fraud_score > 50"})

    (problem,) = apply(mapping, SOURCE).problems

    assert problem.target == "Text"
    assert "needs `transaction_checks_fraud_score`" in problem.reason


def test_a_value_that_a_function_cannot_take_is_a_problem_of_its_field() -> None:
    mapping = small(
        {"target": "Text", "source": "transaction.state", "transforms": [{"lookup": {"table": "words"}}]}
    )

    mapped = apply(mapping, SOURCE)

    assert [problem.target for problem in mapped.problems] == ["Text"]
    assert "could not be made: `lookup` cannot take it" in mapped.problems[0].reason
    assert "Text" not in mapped.values


def test_a_table_is_the_documents_own_or_shared() -> None:
    lookup: dict[str, Json] = {
        "target": "Text",
        "source": "transaction.status",
        "transforms": [{"lookup": {"table": "words"}}],
    }

    assert apply(small(lookup), SOURCE).values["Text"] == "Paid"
    assert apply(small(lookup, tables={"words": {"Ok": "Taken"}}), SOURCE).values["Text"] == "Taken"


def test_an_item_that_lacks_what_the_erp_requires_is_named_with_its_place() -> None:
    mapping = small(
        {"target": "Items[].Name", "source": "order.lines[].stock_code"},
        {"target": "Items[].Size", "source": "order.lines[].kind", "transforms": ["upper"]},
        repeats={"Items": "order.lines[]"},
    )

    mapped = apply(mapping, SOURCE)

    assert mapped.values["Items"] == [{"Name": "A100", "Size": "STOCK"}, {"Size": "FREIGHT"}]
    assert [problem.target for problem in mapped.problems] == ["Items[1].Name"]


def test_a_required_field_that_no_row_fills_is_a_problem() -> None:
    document = MappingDocument.from_dict({"name": "bare", "version": 1, "target": "note", "rows": []})

    assert [problem.target for problem in apply(compile_mapping(document, SMALL), SOURCE).problems] == [
        "Need"
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"target": "Colour"}, "`note` has no such field"),
        ({"target": "Items"}, "`note` has no such field"),
        ({"target": "Items[99].Name"}, "`note` has no such field"),
        ({"target": "Items[].Name", "source": "customer"}, "nothing says which list `Items` repeats over"),
        ({"target": "Text", "source": "transaction.vendor_code"}, "no path `transaction.vendor_code`"),
        ({"target": "Text", "source": "order..number"}, "no path `order..number`"),
        ({"target": "Text", "source": "pair.a.b"}, "no path `pair.a.b`"),
        ({"target": "Text", "source": "position"}, "no path `position`"),
        ({"target": "Text", "source": "customer", "transforms": ["shout"]}, "no field function `shout`"),
        ({"target": "Text", "transforms": [{"cut": None}]}, "`cut` needs the argument `length`"),
        ({"target": "Text", "transforms": [{"lookup": {"table": "none"}}]}, "there is no table `none`"),
        ({"target": "Text", "source": "customer", "when": "customer ="}, "cannot be read"),
        ({"target": "Text", "source": "customer", "when": "item_kind == 'x'"}, "reads `item_kind`"),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_before_any_document(row: dict[str, Json], reason: str) -> None:
    with pytest.raises(BadMapping, match="the mapping `small` cannot be used") as caught:
        small(row)

    assert [problem.target for problem in caught.value.problems] == [row["target"]]
    assert reason in caught.value.problems[0].reason


def test_all_that_is_wrong_with_a_mapping_is_said_at_once() -> None:
    with pytest.raises(BadMapping) as caught:
        small(
            {"target": "Colour"},
            {"target": "Text", "source": "nowhere"},
            target="letter",
            repeats={"Items": "order.items[]", "Parts": "order"},
        )

    assert [problem.target for problem in caught.value.problems] == [
        "target",
        "Items",
        "Parts",
        "Colour",
        "Text",
    ]


@pytest.mark.parametrize("reader", [MappingDocument.from_dict, FieldDictionary.from_dict])
def test_what_is_not_the_form_of_a_document_is_refused_by_name(reader: Callable[[object], object]) -> None:
    for data in (
        None,
        {"name": "x"},
        {"name": "x", "version": 1, "target": "note", "rows": [{"goal": "Text"}]},
    ):
        with pytest.raises((UnreadableMapping, UnreadableDictionary), match="this is no"):
            reader(data)
