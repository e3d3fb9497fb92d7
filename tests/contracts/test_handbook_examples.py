"""What the handbook shows can be done: its calls of the sandbox are made, its signature is computed."""

from __future__ import annotations

import re
import shlex
from collections.abc import AsyncIterator

import httpx
import pytest

from integration.opayo import webhook
from integration.sandbox.serving import SandboxConfig, running
from tests.contracts.handbook import DOCS

_PORTS = {"8101": "opayo", "8102": "syspro", "8103": "shop"}


def calls() -> list[tuple[str, str, str]]:
    """The shown calls of the sandbox in their order: method, address, body."""
    shell = "\n".join(
        re.findall(r"^```sh\n(.*?)^```", (DOCS / "sandbox.md").read_text("utf-8"), re.DOTALL | re.MULTILINE)
    )
    words = [
        shlex.split(line) for line in re.split(r"^curl ", shell.replace("\\\n", " "), flags=re.MULTILINE)[1:]
    ]
    return [
        (
            option(each, "-X", "GET"),
            next(word for word in each if word.startswith("http")),
            option(each, "-d", ""),
        )
        for each in words
    ]


def option(words: list[str], name: str, default: str) -> str:
    return words[words.index(name) + 1] if name in words else default


@pytest.fixture
async def roots() -> AsyncIterator[dict[str, str]]:
    async with running(SandboxConfig()) as sandboxes:
        yield {port: getattr(sandboxes.facts, name) for port, name in _PORTS.items()}


async def test_every_call_of_the_sandbox_that_is_shown_works(roots: dict[str, str]) -> None:
    shown = calls()
    assert len(shown) > 10
    async with httpx.AsyncClient() as client:
        for method, url, body in shown:
            port = re.sub(r"^http://127\.0\.0\.1:(\d+)/.*", r"\1", url)
            answer = await client.request(
                method, url.replace(f"http://127.0.0.1:{port}", roots[port]), content=body
            )
            assert answer.is_success, f"{method} {url}: {answer.text}"


def test_the_signature_shown_is_right() -> None:
    rows = dict(
        re.findall(
            r"^\| (secret|timestamp|body|signature) \| `(.*)` \|$",
            (DOCS / "api.md").read_text("utf-8"),
            re.MULTILINE,
        )
    )
    assert webhook.signature(rows["secret"], rows["timestamp"], rows["body"].encode()) == rows["signature"]
