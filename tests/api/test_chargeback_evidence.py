"""Evidence of chargebacks over the API: documents are kept once, and the pack has everything."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from integration.canonical.money import Money
from integration.canonical.party import PostalAddress
from integration.canonical.payment import Card, GatewayTransaction, RiskChecks
from service.flow import chargebacks as work
from service.flow.evidence import safe_name
from service.store import payments
from service.store.lanes import Lane
from service.store.payments import Payment
from tests.api.office import Office
from tests.api.test_chargebacks import BASE, disputed


async def upload(desk: Office, where: str, name: str, body: bytes) -> Any:
    return await desk.call("POST", f"{where}/evidence", files={"file": (name, body)})


async def test_files_of_evidence_are_kept_once_under_safe_names(desk: Office) -> None:
    case = await disputed(desk)
    where = f"{BASE}/{case['chargeback_id']}"

    first = await upload(desk, where, "../../etc/Proof of delivery?.pdf", b"%PDF-1.4 signed")
    again = await upload(desk, where, "other.pdf", b"%PDF-1.4 signed")

    assert first.json()["name"] == "Proof of delivery_.pdf"
    assert (first.json()["new"], again.json()["new"]) == (True, False)
    assert [each["name"] for each in (await desk.get(where))["evidence"]] == ["Proof of delivery_.pdf"]


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("run.exe", b"MZ", 422, "chargeback.no-document"),
        ("empty.pdf", b"", 422, "chargeback.no-document"),
        ("large.pdf", b"%PDF" + bytes(5 * 2**20), 413, ""),
        ("card.txt", b"paid with 4929000000006", 422, "cards.refused"),
    ],
)
async def test_what_is_no_evidence_is_refused(
    desk: Office, name: str, body: bytes, status: int, code: str
) -> None:
    case = await disputed(desk)

    answer = await upload(desk, f"{BASE}/{case['chargeback_id']}", name, body)

    assert answer.status_code == status
    assert code in answer.text
    assert (await desk.get(f"{BASE}/{case['chargeback_id']}"))["evidence"] == []


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("..\\..\\a.pdf", "a.pdf"),
        (".bashrc", "bashrc"),
        ("/", "file"),
        ("a\0b\n.txt", "a_b_.txt"),
        (f"{'x' * 200}.pdf", f"{'x' * 76}.pdf"),
        ("Übergabe.pdf", "_bergabe.pdf"),
    ],
)
def test_a_safe_name_leads_nowhere(given: str, safe: str) -> None:
    assert safe_name(given) == safe


async def test_the_pack_has_everything_and_its_checksums(desk: Office) -> None:
    case = await disputed(desk, reason_text="Käufer bestreitet — 東京")
    where = f"{BASE}/{case['chargeback_id']}"
    await upload(desk, where, "delivery.pdf", b"%PDF-1.4 signed by J. Smith")
    await desk.post(f"{where}/comments", {"text": "The courier has a photograph"})
    await _gather(desk)

    answer = await desk.call("GET", f"{where}/pack", "north viewer")

    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    assert {each["name"]: each["sha256"] for each in manifest["files"]} == {
        name: hashlib.sha256(body).hexdigest() for name, body in members.items()
    }
    assert members["evidence/01 delivery.pdf"] == b"%PDF-1.4 signed by J. Smith"
    told = json.loads(members["everything.json"])
    assert told["transaction"]["vendor_tx_code"] == "SO-1"
    assert told["syspro"]["sales_order"]["CustomerPoNumber"] == "SO-1"
    number = (await desk.site.sales_orders("SO-1"))[0].lstrip("0")
    for fact in (
        "CB-77",
        "first chargeback",
        "129.95 GBP",
        "4837 K\xe4ufer bestreitet - ??",
        "SO-1",
        told["transaction"]["transaction_id"],
        "3-D Secure",
        "jane@example.org",
        "1 High Street",
        "Widget",
        number,
        "The courier has a photograph",
        "delivery.pdf",
    ):
        assert fact.encode("latin-1") in members["summary.pdf"], fact


async def _gather(desk: Office) -> None:
    """Let the lane read what SYSPRO knows of the disputed order."""
    lane = Lane(pair="north", lane="north/post/OPAYO1", kind="posting", operator="OPAYO1", epoch=0)
    stage = await desk.site.stages.of(lane)
    assert await work.gather(stage) == {"gathered": 1}
    assert await work.gather(stage) == {"gathered": 0}


async def test_a_pack_with_500_payments_of_history_is_ready_within_the_minute(desk: Office) -> None:
    case = await disputed(desk)
    await _a_faithful_customer(desk, 500)
    started = time.process_time()

    answer = await desk.call("GET", f"{BASE}/{case['chargeback_id']}/pack")

    assert time.process_time() - started < 60
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        told = json.loads(archive.read("everything.json"))
    assert len(told["customer_history"]) == 500


async def _a_faithful_customer(desk: Office, many: int) -> None:
    now = datetime(2025, 5, 1, tzinfo=UTC)
    rows = []
    for number in range(many):
        transaction = GatewayTransaction(
            transaction_id=f"{number:08X}-0000-4000-8000-000000000000",
            vendor_tx_code=f"OLD-{number}",
            kind="payment",
            state="captured",
            amount=Money(1_000 + number, "GBP"),
            status="Ok",
            card=Card(scheme="Visa", last_four="0006"),
            checks=RiskChecks(three_d_secure="Authenticated"),
            customer_email="Jane@Example.org",
            billing=PostalAddress(lines=("1 High Street",), city="Leeds"),
            created_at=now,
        )
        plain = dict.fromkeys(("lane", "due_at", "failing_since", "order", "error"))
        rows.append(
            Payment(
                payment_id=0,
                pair="north",
                transaction_id=transaction.transaction_id,
                vendor_tx_code=transaction.vendor_tx_code,
                kind="payment",
                amount_minor=transaction.amount.minor,
                currency="GBP",
                state="confirmed",
                flow="payment",
                flow_version=1,
                node="end",
                revision=0,
                attempts=0,
                customer="0000001",
                order_reference="",
                gateway=msgspec.to_builtins(transaction),
                mapped={},
                trace={},
                findings={},
                created_at=now,
                changed_at=now,
                final_at=now,
                **plain,  # type: ignore[arg-type]
            )
        )
    async with desk.site.engine.begin() as connection:
        await payments.add(connection, rows)
