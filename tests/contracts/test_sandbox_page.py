"""The handbook's page on the sandbox names every habit it can be given, and the CLI takes each of them."""

from __future__ import annotations

import re

import msgspec
import pytest
from click.testing import CliRunner

from integration.sandbox.syspro.config import Quirks, quirks_named
from integration.sandbox.syspro.enet.objects import QUERIES
from integration.sandbox.syspro.enet.setup import SETUPS
from integration.sandbox.syspro.enet.transactions import TRANSACTIONS
from service.cli import cli
from tests.contracts.handbook import DOCS

PAGE = (DOCS / "sandbox.md").read_text("utf-8")


def test_every_habit_is_on_the_page_with_its_usual_value() -> None:
    shown = dict(re.findall(r"^\| `(\w+)` \| `([^`]*)` \|", PAGE.partition("### Habits")[2], re.MULTILINE))
    usual = {
        name: msgspec.json.encode(value).decode() for name, value in msgspec.to_builtins(Quirks()).items()
    }
    assert shown == usual


def test_every_business_object_is_on_the_page() -> None:
    shown = set(re.findall(r"`([A-Z0-9]{6})`", PAGE))
    assert {*QUERIES, *SETUPS, *TRANSACTIONS, "SORTOI", "SORRSH"} == shown - {"OPAYO1"}


def test_a_habit_is_switched_by_its_name_or_given_a_value() -> None:
    given = {
        "leading_blanks": "false",
        "body_wrapper": "json",
        "customer_digits": "15",
        "ignored_elements": '["Email"]',
    }
    changed = quirks_named({**given, "guid_token": "true"})
    assert (changed.leading_blanks, changed.body_wrapper, changed.guid_token) == (False, "json", True)
    assert (changed.customer_digits, changed.ignored_elements) == (15, ["Email"])
    assert quirks_named({}) == Quirks()


@pytest.mark.parametrize("quirk", ["no_such_habit", "leading_blanks=maybe", "customer_digits"])
def test_a_habit_that_there_is_not_is_refused_with_the_place_to_look(quirk: str) -> None:
    result = CliRunner().invoke(cli, ["sandbox", "--quirk", quirk])
    assert result.exit_code == 2
    assert "Sandbox" in result.output
