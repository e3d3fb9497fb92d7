"""Customers in both directions, end to end on both transports: each once, in step, and no change sent back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.flow.site import Site, site
from tests.journeys.customer_site import (
    ON_BOTH,
    accounts,
    edit_account,
    edit_customer,
    in_syspro,
    lines,
    link_of,
    lose,
    of_email,
    quiet,
    register,
    seed,
    settle,
    told,
    turn,
)

EMAIL = "jane@shop.example"


@pytest.fixture(params=["harmony", "enet"])
async def north(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    async with site(database_url, transport=request.param) as made:
        yield made


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Site]:
    """For what does not depend on the transport."""
    async with site(database_url) as made:
        yield made


async def test_an_account_becomes_a_customer_once_and_both_sides_follow_each_other(north: Site) -> None:
    await settle(north, **ON_BOTH)
    number = await register(north, EMAIL, id=42)
    await turn(north)
    await turn(north)

    (customer,) = of_email(north, EMAIL)
    assert (customer.Customer, customer.Name) == ("WEB0042", "Jane Smith")
    assert customer.others["SoldToAddr2"] == "1 High Street"
    assert (await accounts(north))[0]["meta"] == {"_syspro_customer": "WEB0042"}
    assert await quiet(north)

    edit_customer(north, "WEB0042", Telephone="01632 960001")
    await turn(north)
    assert (await accounts(north))[0]["billing"]["phone"] == "01632 960001"
    assert await quiet(north)

    await edit_account(
        north, number, billing={"address_1": "2 Low Road", "city": "York", "postcode": "YO1 7HH"}
    )
    await turn(north)
    assert in_syspro(north, "WEB0042").others["SoldToAddr2"] == "2 Low Road"
    assert in_syspro(north, "WEB0042").others["SoldPostalCode"] == "YO1 7HH"
    assert await quiet(north)
    written = [line["detail"]["fields"][0] for line in await lines(north, "customer.synced")]
    assert [(each["field"], each["on"]) for each in written] == [("phone", "shop"), ("sold_to", "syspro")]
    assert (written[1]["before"], written[1]["after"]) == (
        "1 High Street, Leeds, GB, LS1 1AA",
        "2 Low Road, York, GB, YO1 7HH",
    )


@pytest.mark.parametrize("fault", ["commit-then-drop", "drop"])
async def test_a_lost_answer_to_a_new_customer_makes_one_customer(north: Site, fault: str) -> None:
    await settle(north, **ON_BOTH)
    await register(north, EMAIL, id=42)
    await lose(north, fault)
    assert north.syspro.plan.orders

    for _ in range(3):
        await turn(north)

    assert not north.syspro.plan.orders, "the answer was lost"
    assert [each.Customer for each in of_email(north, EMAIL)] == ["WEB0042"]
    link = await link_of(north, 42)
    assert link is not None
    assert (link.state, link.erp_key, link.intent) == ("linked", "WEB0042", {})
    assert len(await lines(north, "customer.added")) == 1


async def test_a_key_that_another_customer_has_is_passed_over(north: Site) -> None:
    await settle(north, **ON_BOTH)
    await register(north, EMAIL, id=1)  # WEB0001 is somebody else's in the company

    await turn(north)
    await turn(north)

    assert [each.Customer for each in of_email(north, EMAIL)] == ["WEB0001A"]
    assert in_syspro(north, "WEB0001").Name == "Web shopper"


async def test_a_site_with_numeric_keys_gets_numeric_keys_as_it_spells_them(north: Site) -> None:
    await settle(north, **ON_BOTH, keys={"policy": "numeric", "first": 500_000, "digits": 7})
    await register(north, EMAIL, id=42)

    await turn(north)

    (customer,) = of_email(north, EMAIL)
    assert customer.Customer == "0500042"
    link = await link_of(north, 42)
    assert link is not None
    assert link.erp_key == "0500042"
    edit_customer(north, "0500042", Telephone="01632 960001")
    await turn(north)
    assert (await accounts(north))[0]["billing"]["phone"] == "01632 960001"


async def test_an_address_that_syspro_knows_is_linked_and_nothing_is_set_up(north: Site) -> None:
    await settle(north, **ON_BOTH)
    await register(north, "Customer3@example.org", first_name="Zoe", last_name="Birch", id=7)

    await turn(north)

    assert [each.Customer for each in of_email(north, "customer3@example.org")] == ["0000003"]
    link = await link_of(north, 7)
    assert link is not None
    assert (link.state, link.erp_key, link.why) == ("linked", "0000003", "the same e-mail address")
    assert in_syspro(north, "3").others["SoldToAddr2"] == "1 High Street", "the gap is filled from the shop"
    assert await quiet(north)


async def test_a_customer_on_hold_is_not_written_until_it_is_released(one: Site) -> None:
    await settle(one, **ON_BOTH)
    number = await register(one, EMAIL, id=42)
    await turn(one)
    edit_customer(one, "WEB0042", CustomerOnHold="Y")
    await edit_account(one, number, billing={"phone": "01632 960003"})
    await turn(one)
    assert in_syspro(one, "WEB0042").others.get("Telephone", "") == ""

    edit_customer(one, "WEB0042", CustomerOnHold="N")
    await turn(one)

    assert in_syspro(one, "WEB0042").others["Telephone"] == "01632 960003"
    assert in_syspro(one, "WEB0042").CustomerOnHold == "N"


@pytest.mark.parametrize("fault", ["none", "commit-then-drop"])
async def test_a_syspro_customer_gets_one_account_in_the_shop(one: Site, fault: str) -> None:
    await settle(one, sync=True, create_in_shop=True)
    for customer in list(one.syspro.store.customers):
        edit_customer(one, customer.Customer, Email="")
    await turn(one)
    seed(
        one,
        "FEN001",
        Name="Fenwick & Co",
        Email="post@fenwick.example",
        SoldToAddr2="3 Quay",
        SoldPostalCode="YO1 7HH",
    )
    if fault != "none":
        await one.fault("shop", fault, path="/customers", method="POST")

    for _ in range(3):
        await turn(one)

    (account,) = await accounts(one)
    assert (account["email"], account["billing"]["company"]) == ("post@fenwick.example", "Fenwick & Co")
    assert account["meta"] == {"_syspro_customer": "FEN001"}
    link = await link_of(one, account["id"])
    assert link is not None
    assert (link.state, link.erp_key) == ("linked", "FEN001")
    assert await quiet(one)


async def test_what_one_side_refuses_waits_for_a_person_and_the_others_go_on(one: Site) -> None:
    await settle(one, **ON_BOTH)
    await register(one, "first@shop.example", id=41, first_name="Quentin", last_name="Marlowe")
    await register(one, EMAIL, id=42)
    await turn(one)
    edit_customer(one, "WEB0041", Email=EMAIL)  # the shop has that address already
    edit_customer(one, "WEB0042", Telephone="01632 960001")

    await turn(one)

    refused, fine = await link_of(one, 41), await link_of(one, 42)
    assert refused is not None
    assert fine is not None
    assert refused.state == "conflict"
    assert refused.error is not None
    assert refused.error["code"] == "shop.refused"
    assert fine.state == "linked"
    assert (await accounts(one))[1]["billing"]["phone"] == "01632 960001"
    assert await told(one, "shop.refused") == ["customer WEB0041"]


async def test_nothing_is_done_for_a_pair_that_did_not_ask_for_it(one: Site) -> None:
    await register(one, EMAIL, id=42)
    assert await turn(one) == {"off": True}
    assert of_email(one, EMAIL) == []
    assert (await accounts(one))[0]["writes"] == 0


async def test_a_link_of_which_one_side_is_gone_is_for_a_person(one: Site) -> None:
    await settle(one, **ON_BOTH)
    await register(one, EMAIL, id=42)
    await turn(one)
    edit_customer(one, "WEB0042", Telephone="01632 960001")
    del one.shop.store.accounts.by_id[42]

    await turn(one)

    link = await link_of(one, 42)
    assert link is not None
    assert link.error is not None
    assert (link.state, link.error["code"]) == ("conflict", "customers.gone")
    assert await told(one, "customers.gone") == ["customer WEB0042"]


async def test_a_shop_that_does_not_answer_is_asked_again_at_the_next_turn(one: Site) -> None:
    await settle(one, **ON_BOTH)
    await register(one, EMAIL, id=42)
    await turn(one)
    edit_customer(one, "WEB0042", Telephone="01632 960001")
    await one.fault("shop", "drop", times=2, path="/customers/42")

    later = await turn(one)
    await turn(one)

    assert later["later"] == 1
    assert (await accounts(one))[0]["billing"]["phone"] == "01632 960001"
