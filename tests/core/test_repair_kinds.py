"""The classes of repair: what each proposes for an error, and what it leaves to a person."""

from __future__ import annotations

from typing import Any

import msgspec

from integration.canonical.order import Order
from service.core import repair_kinds as kinds
from service.core.repair_kinds import Fault, Match
from service.core.repairs import amended
from tests.core.repair_samples import places, with_lines

# --- addresses ------------------------------------------------------------------------------------


def test_a_long_address_is_broken_into_lines_and_loses_nothing() -> None:
    at = places()
    long = "Flat 12 Cavendish Mansions Building, 221 Upper Tollington Park Road"
    at["order"]["shipping"]["lines"] = [long]
    fault = Fault(document="sales_order", target="ShipAddress1", value=long, length=40)

    proposal = kinds.address([fault], at)

    assert proposal is not None
    assert proposal.certain
    after: Any = amended(at, proposal.changes)
    lines = after["order"]["shipping"]["lines"]
    assert all(len(each) <= 40 for each in lines)
    assert " ".join(lines) == long


def test_an_address_that_would_lose_words_never_applies_itself() -> None:
    at = places()
    at["order"]["shipping"]["lines"] = ["word " * 60]
    fault = Fault(document="sales_order", target="ShipAddress1", value="word " * 60, length=40)

    proposal = kinds.address([fault], at)

    assert proposal is not None
    assert not proposal.certain


def test_a_field_that_no_address_of_the_order_explains_is_cut_only_by_a_person() -> None:
    at = places(mapped={"sales_order": {"ShipAddress5": "x " * 30}})
    fault = Fault(document="sales_order", target="ShipAddress5", value="x " * 30, length=40)

    proposal = kinds.address([fault], at)

    assert proposal is not None
    assert not proposal.certain
    assert len(str(proposal.changes[0].after)) <= 40


# --- codes ----------------------------------------------------------------------------------------


def test_customers_are_found_by_padding_case_and_blanks() -> None:
    assert kinds.customer_spellings("42") == ("0000042", "000000000000042")
    assert kinds.customer_spellings("00042") == ("42", "0000042", "000000000000042")
    assert kinds.customer_spellings(" ac me ") == ("acme", "ACME")
    assert kinds.customer_spellings("ACME") == ()


def test_two_customers_that_could_be_meant_are_no_proposal() -> None:
    assert kinds.customer_code(places(), ["0000042", "ACME"]) is None
    assert kinds.customer_code(places(), []) is None


def test_a_stock_code_is_found_by_what_was_learnt_then_by_signs_then_by_likeness() -> None:
    known = {"A100", "WIDGET-BLUE-20", "GASKET-7"}

    assert kinds.closest("OLD", {"OLD": "A100"}, known) == Match(
        stock_code="A100", score=100, why="learnt from a correction"
    )
    same = kinds.closest("a 100", {}, known)
    alike = kinds.closest("WIDGETT-BLUE-20", {}, known)
    assert same is not None
    assert alike is not None
    assert (same.stock_code, same.score) == ("A100", 100)
    assert alike.stock_code == "WIDGET-BLUE-20"
    assert alike.score >= kinds.GOOD_SCORE


def test_a_stock_code_that_could_be_two_or_none_is_left_to_a_person() -> None:
    assert kinds.closest("WIDGET-BLUE-2", {}, {"WIDGET-BLUE-21", "WIDGET-BLUE-22"}) is None
    assert kinds.closest("A-100", {}, {"A100", "A.100"}) is None
    assert kinds.closest("NOSUCH", {}, {"A100"}) is None
    assert kinds.closest("--", {}, {"A100"}) is None


def test_every_line_with_the_code_is_put_right_and_no_other() -> None:
    at = with_lines("a-100", "B200", "a-100")

    proposal = kinds.stock_codes(at, {"a-100": Match(stock_code="A100", score=100, why="x")})

    assert proposal is not None
    after: Any = amended(at, proposal.changes)
    assert [each["stock_code"] for each in after["order"]["lines"]] == ["A100", "B200", "A100"]
    assert msgspec.convert(after["order"], Order).total == msgspec.convert(at["order"], Order).total
