"""Several processes work the same lanes: one event delivered fifty times at once is posted once."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.flow.site import pair_settings

KEY = "osk_test_admin_key_0123456789abcdef"
SECRET = "whsec_test_0123456789"


@contextmanager
def process(*arguments: str, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A command of ours, killed at the end if it still lives."""
    started = subprocess.Popen(
        [sys.executable, "-m", "service.cli", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()


def first_line(started: subprocess.Popen[str]) -> str:
    assert started.stdout is not None
    return started.stdout.readline().strip()


def environment(database_url: str, sandbox: dict[str, Any], folder: Path) -> dict[str, str]:
    settings = pair_settings("north", sandbox["opayo"], sandbox["syspro"], sandbox["shop"])
    return {
        "DATABASE_URL": database_url,
        "OPAYO_SYSPRO_DATA_DIR": str(folder),
        "OPAYO_SYSPRO_ADMIN_KEY": KEY,
        "OPAYO_SYSPRO_PACE": "60",
        "OPAYO_SYSPRO_STALLED_SECONDS": "2",
        "OPAYO_SYSPRO_LOG_LEVEL": "error",
        "OPAYO_SYSPRO_PAIR": msgspec.json.encode(settings).decode(),
    }


def sell(sandbox: dict[str, Any], code: str, customer: int) -> dict[str, Any]:
    """An order in the shop, paid at Opayo; gives Opayo's reply."""
    address = {"first_name": "J", "last_name": "Smith", "address_1": "1 High Street", "city": "Leeds",
               "postcode": "LS1 1AA", "country": "GB"}  # fmt: skip
    line = {
        "kind": "stock",
        "stock_code": "A100",
        "description": "x",
        "quantity": 1,
        "net": "10.00",
        "tax": "0.00",
    }
    order = {
        "payment_reference": code, "customer_id": int(sandbox["customers"][customer]["code"]), "currency": "GBP",
        "placed_at": "2025-06-02T09:00:00Z", "billing": {**address, "email": f"c{customer}@example.org"},
        "shipping": address, "lines": [line],
    }  # fmt: skip
    httpx.post(f"{sandbox['shop']}/_sandbox/orders", json={"orders": [order]}).raise_for_status()
    body = {"vendorTxCode": code, "amount": 1_000, "currency": "GBP", "description": "Order"}
    paid: dict[str, Any] = httpx.post(f"{sandbox['opayo']}/_sandbox/pay", json=body).json()
    return paid


def signed(paid: dict[str, Any], code: str) -> tuple[bytes, dict[str, str]]:
    """An event's body and headers, signed as the sender signs it."""
    body = json.dumps(
        {
            "eventId": f"evt_{code}",
            "eventType": "payment.authorised",
            "transactionId": paid["transactionId"],
            "vendorTxCode": code,
            "vendorName": "sandbox",
        }
    ).encode()
    stamp = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return body, {
        "content-type": "application/json",
        "x-opayo-sandbox-event-id": f"evt_{code}",
        "x-opayo-sandbox-timestamp": stamp,
        "x-opayo-sandbox-signature": f"v1={digest}",
    }


async def deliver_at_once(url: str, body: bytes, headers: dict[str, str], times: int) -> list[bool]:
    async with httpx.AsyncClient(timeout=20) as client:
        answers = await asyncio.gather(
            *(client.post(f"{url}/webhooks/opayo/north", content=body, headers=headers) for _ in range(times))
        )
    assert {answer.status_code for answer in answers} == {200}
    return [answer.json()["new"] for answer in answers]


def until(url: str, **states: int) -> dict[str, Any]:
    """The pair's summary once it has these counts of payments by state."""
    deadline = time.monotonic() + 40
    summary: dict[str, Any] = {}
    while time.monotonic() < deadline:
        answer = httpx.get(
            f"{url}/api/v1/pairs/north/summary", headers={"authorization": f"Bearer {KEY}"}, timeout=10
        )
        summary = answer.json()
        if summary["states"] == states and not summary["open_inbox"]:
            return summary
        time.sleep(0.2)
    raise AssertionError(f"still {summary}")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[dict[str, Any]]:
    with process("sandbox", "--json", "--no-idempotency", environment={}) as started:
        yield json.loads(first_line(started))


def ledger_of(sandbox: dict[str, Any], code: str) -> tuple[list[int], int]:
    ledger = httpx.get(f"{sandbox['syspro']}/_sandbox/ledger").json()
    return (
        [row["minor"] for row in ledger["ar_payments"] if row["CustomerPurchaseOrder"] == code],
        sum(row["CustomerPoNumber"] == code for row in ledger["sales_orders"]),
    )


@pytest.mark.xdist_group("processes")
def test_fifty_deliveries_at_once_on_four_processes_are_one_posting(
    sandbox: dict[str, Any], database_url: str, tmp_path: Path
) -> None:
    settings = environment(database_url, sandbox, tmp_path)
    with process("serve", "--port", "0", environment=settings) as service:
        url = first_line(service).removeprefix("ready ")
        with (
            process("worker", environment=settings) as second,
            process("worker", environment=settings) as third,
            process("worker", environment=settings) as fourth,
        ):
            assert [first_line(worker) for worker in (second, third, fourth)] == ["working"] * 3
            paid = sell(sandbox, "SO-50", 0)

            news = asyncio.run(deliver_at_once(url, *signed(paid, "SO-50"), 50))

            summary = until(url, confirmed=1)
    assert news.count(True) == 1
    assert summary["duplicates_ignored"] == 49
    assert ledger_of(sandbox, "SO-50") == ([1_000], 1)


@pytest.mark.xdist_group("processes")
def test_a_worker_killed_at_work_leaves_its_lanes_to_another(
    sandbox: dict[str, Any], database_url: str, tmp_path: Path
) -> None:
    settings = environment(database_url, sandbox, tmp_path)
    with process("serve", "--port", "0", environment={**settings, "OPAYO_SYSPRO_WORKER": "false"}) as service:
        url = first_line(service).removeprefix("ready ")
        with process("worker", environment=settings) as doomed:
            assert first_line(doomed) == "working"
            # Its calls hang, so that it is in the middle of a lane's work when it is killed.
            fault = {"fault": "slow", "times": 50, "match": {"writes_only": True}}
            httpx.post(f"{sandbox['syspro']}/_sandbox/faults", json=fault).raise_for_status()
            for number in (1, 2, 3):
                body, headers = signed(sell(sandbox, f"SO-K{number}", number), f"SO-K{number}")
                httpx.post(f"{url}/webhooks/opayo/north", content=body, headers=headers).raise_for_status()
            time.sleep(0.5)
            doomed.kill()
            doomed.wait()
        httpx.delete(f"{sandbox['syspro']}/_sandbox/faults").raise_for_status()
        with process("worker", environment=settings):
            until(url, confirmed=3)
    for number in (1, 2, 3):
        assert ledger_of(sandbox, f"SO-K{number}") == ([1_000], 1)
