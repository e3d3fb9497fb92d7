"""The page on events: its recipe for verifying a signature runs, and tells what we signed from what we did not."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from service.core.events import EVENT_TYPES, SIGNATURE, signature
from tests.contracts.handbook import DOCS

PAGE = (DOCS / "events.md").read_text("utf-8")


def shown(language: str) -> str:
    [block] = re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    return str(block)


def recipe() -> Callable[[str, bytes, str], bool]:
    """The function that the page shows, as a reader would run it."""
    names: dict[str, Any] = {}
    exec(compile(shown("python"), "events.md", "exec"), names)
    return cast("Callable[[str, bytes, str], bool]", names["is_genuine"])


IS_GENUINE = recipe()


@given(body=st.binary(max_size=200), secrets=st.lists(st.text("abc012_", min_size=1), min_size=1, max_size=2))
def test_the_recipe_accepts_what_was_signed_under_any_live_secret(body: bytes, secrets: list[str]) -> None:
    header = signature(secrets, int(time.time()), body)
    assert all(IS_GENUINE(header, body, secret) for secret in secrets)


@given(body=st.binary(max_size=200), other=st.binary(max_size=200))
def test_the_recipe_refuses_another_body_another_secret_and_an_old_one(body: bytes, other: bytes) -> None:
    now = int(time.time())
    header = signature(["right"], now, body)
    assert IS_GENUINE(header, other, "right") == (other == body)
    assert not IS_GENUINE(header, body, "wrong")
    assert not IS_GENUINE(signature(["right"], now - 301, body), body, "right")


def test_the_values_shown_are_right() -> None:
    rows = dict(re.findall(r"^\| (secret|body|header) \| `(.*)` \|$", PAGE, re.MULTILINE))
    assert signature([rows["secret"]], 1_767_225_600, rows["body"].encode()) == rows["header"]


def test_the_event_shown_has_a_type_of_ours_and_the_header_is_named() -> None:
    event = json.loads(shown("json"))
    assert event["type"] in EVENT_TYPES
    assert event["specversion"] == "1.0"
    assert SIGNATURE in PAGE.lower()
