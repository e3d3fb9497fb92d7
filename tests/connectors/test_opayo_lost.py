"""Lost answers, refusals and wrong settings, over real HTTP against the stand-in: what may be sent again and what not."""

from __future__ import annotations

import msgspec
import pytest

from integration.canonical.money import Money
from integration.errors import (
    CardDataRefused,
    InvalidPayment,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    Rejected,
    Throttled,
    Unreachable,
    VendorTxCodeUsed,
)
from integration.opayo.client import OpayoGateway
from integration.ports import Instruction, PaymentRequest
from tests.connectors.opayo_world import ADA, HOME, config, hosted, opayo


async def test_a_lost_answer_is_found_and_never_taken_twice() -> None:
    async with opayo() as world:
        request = await world.request("SO-2")
        world.fault("commit-then-drop", "/api/v1/transactions")
        with pytest.raises(OutcomeUnknown):
            await world.gateway.pay(request)

        found = await world.gateway.find("SO-2")
        assert found is not None
        assert (found.state, found.amount) == ("captured", Money(12_995, "GBP"))
        with pytest.raises(VendorTxCodeUsed):
            await world.gateway.pay(await world.request("SO-2"))
        assert world.stored("SO-2") == 1


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [
        ("slow", {"seconds": 2}),
        ("garbage", {}),
        ("5xx", {"committed": 1}),
        ("5xx", {"status": 500}),
        ("drop", {}),
    ],
)
async def test_every_lost_answer_to_a_payment_leaves_its_outcome_unknown(
    fault: str, parameters: dict[str, int]
) -> None:
    async with opayo() as world:
        request = await world.request("SO-3")
        world.fault(fault, "/api/v1/transactions", **parameters)
        with pytest.raises(OutcomeUnknown) as raised:
            await world.gateway.pay(request)
    assert "SO-3" in raised.value.title


async def test_a_read_is_made_again_after_one_lost_answer_and_gives_up_after_two() -> None:
    async with opayo() as world:
        taken = await world.pay("SO-4")
        for fault in ("drop", "garbage"):
            world.fault(fault, "/transactions/")
            assert (await world.gateway.transaction(taken.transaction_id)).state == "captured"
            world.fault(fault, "/access/access.htm")
            assert await world.gateway.find("SO-4") is not None
        world.fault("drop", "/access/access.htm", times=2)
        with pytest.raises(Unreachable):
            await world.gateway.find("SO-4")


async def test_a_busy_gateway_throttles_reads() -> None:
    async with opayo() as world:
        world.fault("5xx", "/access/access.htm", times=2)
        with pytest.raises(Throttled):
            await world.gateway.find("SO-4")


async def test_a_used_card_asks_for_a_new_session() -> None:
    async with opayo() as world:
        request = await world.request("SO-12")
        await world.gateway.pay(request)
        with pytest.raises(Rejected) as raised:
            await world.gateway.pay(msgspec.structs.replace(request, vendor_tx_code="SO-12-2"))
    assert raised.value.error_code == "opayo.session-expired"


async def test_what_opayo_does_not_know_is_not_found() -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    async with opayo() as world:
        with pytest.raises(NotFound):
            await world.gateway.transaction(nobody)
        with pytest.raises(NotFound):
            await world.gateway.instruct(Instruction(kind="void", transaction_id=nobody))
        with pytest.raises(InvalidPayment):
            await world.gateway.transaction("../merchant-session-keys")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"integration_password": "wrong"}, "opayo.credentials"),
        ({"vendor": "nobody"}, "opayo.vendor-name"),
    ],
)
async def test_wrong_credentials_are_a_misconfiguration(change: dict[str, str], code: str) -> None:
    async with opayo(**change) as world:
        with pytest.raises(Misconfigured) as raised:
            await world.gateway.ping()
    assert raised.value.error_code == code


async def test_a_wrong_reporting_password_is_a_misconfiguration() -> None:
    async with opayo(reporting_password="wrong") as world:
        with pytest.raises(Misconfigured):
            await world.gateway.ping_reporting()


async def test_card_data_never_leaves_the_process() -> None:
    async with opayo() as world:
        request = await world.request("SO-13", extra={"card": {"cardNumber": "4929000000006"}})
        with pytest.raises(CardDataRefused):
            await world.gateway.pay(request)
        with pytest.raises(CardDataRefused):
            await world.gateway.pay(
                msgspec.structs.replace(request, extra={}, description="pay with 4929 0000 0000 6")
            )
        assert world.stored("SO-13") == 0


async def test_an_unreachable_gateway_has_taken_nothing() -> None:
    gateway = OpayoGateway(config("http://127.0.0.1:9"))
    request = PaymentRequest(
        kind="payment",
        vendor_tx_code="SO-14",
        amount=Money(100, "GBP"),
        description="x",
        merchant_session_key="key",
        card_identifier="card",
        customer=ADA,
        billing=HOME,
    )
    with pytest.raises(Unreachable):
        await gateway.pay(request)
    await gateway.close()


async def test_a_lost_registration_is_unknown_and_may_be_sent_again() -> None:
    async with opayo() as world:
        world.fault("commit-then-drop", "vspserver-register")
        with pytest.raises(OutcomeUnknown):
            await world.gateway.register(hosted("SO-16"))
        again = await world.gateway.register(hosted("SO-16"))
        assert again.next_url
        assert world.stored("SO-16") == 1


def test_no_secret_shows_in_a_configuration() -> None:
    shown = repr(config("http://opayo.example"))
    for secret in ("sandbox-integration-key", "sandbox-integration-password", "S3cret-Pw"):
        assert secret not in shown


@pytest.mark.parametrize(
    "change",
    [
        {"pi_url": "https://live.opayo.eu.elavon.com/api/v3"},
        {"pi_url": "https://pi-live.sagepay.com/api/v1"},
        {"reporting_url": "live.opayo.eu.elavon.com/access/access.htm"},
        {"vendor": "much-too-long-a-vendor"},
    ],
)
def test_addresses_that_cannot_be_right_are_refused_at_once(change: dict[str, str]) -> None:
    with pytest.raises(Misconfigured):
        config("http://opayo.example", **change)
