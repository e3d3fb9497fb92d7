"""What a person decides about customers: who is who, whose value counts, and what is taken back."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from service.flow import customer_desk
from tests.flow.site import Site, site
from tests.journeys.customer_site import (
    ADDRESS,
    ON_BOTH,
    accounts,
    at,
    edit_account,
    edit_customer,
    in_syspro,
    lines,
    link_of,
    of_email,
    quiet,
    register,
    seed,
    settle,
    told,
    turn,
)

EMAIL = "jane@shop.example"


@pytest.fixture
async def one(database_url: str) -> AsyncIterator[Site]:
    """For what does not depend on the transport."""
    async with site(database_url) as made:
        yield made


async def test_who_is_likely_waits_for_a_person_and_is_kept_in_step_once_accepted(one: Site) -> None:
    await settle(one, **ON_BOTH)
    seed(
        one,
        "SMI001",
        Name="Jane Smith",
        SoldToAddr2="1 High St",
        SoldPostalCode="LS11AA",
        Email="j@old.example",
    )
    await register(one, EMAIL, id=42)
    await turn(one)
    link = await link_of(one, 42)
    assert link is not None
    assert (link.state, list(link.candidates)) == ("proposed", ["SMI001"])
    assert link.candidates["SMI001"].score == 90
    assert "the e-mail addresses differ" in link.candidates["SMI001"].reasons
    assert await told(one, "customers.undecided") == ["customers"]
    assert of_email(one, EMAIL) == []

    async with at(one) as desk:
        shown = await customer_desk.preview(desk, "42", "SMI001")
        assert {each.field: each.winner for each in shown.differences} == {
            "email": "syspro",
            "sold_to": "syspro",
        }
        await customer_desk.link(desk, "42", "SMI001")
    await turn(one)

    (account,) = await accounts(one)
    assert (account["email"], account["billing"]["address_1"]) == ("j@old.example", "1 High St")
    (line,) = await lines(one, "customer.linked")
    assert (line["actor"], line["detail"]["before"], line["detail"]["reason"]) == (
        "Ada",
        "proposed",
        "she rang",
    )
    assert await quiet(one)


async def test_a_rejected_candidate_is_never_proposed_again_and_the_account_becomes_a_new_customer(
    one: Site,
) -> None:
    await settle(one, **ON_BOTH)
    seed(one, "SMI001", Name="Jane Smith", SoldToAddr2="1 High St", SoldPostalCode="LS11AA")
    seed(one, "SMI002", Name="Jane Smith", SoldToAddr2="1 High St", SoldPostalCode="LS11AA")
    await register(one, EMAIL, id=42)
    await turn(one)
    link = await link_of(one, 42)
    assert link is not None
    assert (link.state, sorted(link.candidates)) == ("proposed", ["SMI001", "SMI002"])

    async with at(one) as desk:
        await customer_desk.reject(desk, link.link_id)
    await turn(one)
    await turn(one)

    assert [each.Customer for each in of_email(one, EMAIL)] == ["WEB0042"]


async def test_undoing_a_link_gives_back_what_it_overwrote_and_nobody_changed_since(one: Site) -> None:
    await settle(one, **ON_BOTH)
    seed(one, "SMI001", Name="Old Name", Email=EMAIL, Telephone="020 7946 0001")
    await register(one, EMAIL, id=42, billing={**ADDRESS, "phone": "01632 960001"})
    await turn(one)
    link = await link_of(one, 42)
    assert link is not None
    assert (await accounts(one))[0]["billing"]["phone"] == "020 7946 0001"
    edit_customer(one, "SMI001", Name="Newer Name")

    async with at(one) as desk:
        await customer_desk.unlink(desk, link.link_id, restore=True)
    await turn(one)
    await turn(one)

    (account,) = await accounts(one)
    assert (account["last_name"], account["billing"]["phone"]) == ("Smith", "01632 960001")
    assert in_syspro(one, "SMI001").Name == "Newer Name", "somebody changed it since"
    assert in_syspro(one, "SMI001").others["SoldToAddr2"] == ""
    parted = await link_of(one, 42)
    assert parted is not None
    assert (parted.state, parted.erp_key, parted.refused) == ("ignored", "", {"SMI001": "Ada"})


async def test_what_both_sides_changed_waits_for_a_person_where_the_pair_says_so(one: Site) -> None:
    await settle(one, **ON_BOTH, owners={"phone": "person"})
    number = await register(one, EMAIL, id=42, billing={**ADDRESS, "phone": "01632 960001"})
    await turn(one)
    edit_customer(one, "WEB0042", Telephone="01632 960002", Name="Jane Smith-Jones")
    await edit_account(one, number, billing={"phone": "01632 960003"})
    await turn(one)

    link = await link_of(one, 42)
    assert link is not None
    assert (link.state, list(link.conflicts)) == ("conflict", ["phone"])
    assert (await accounts(one))[0]["last_name"] == "Smith-Jones", "other fields go on"
    assert await told(one, "customers.conflict") == ["customer WEB0042"]
    await turn(one)
    assert in_syspro(one, "WEB0042").others["Telephone"] == "01632 960002"

    async with at(one) as desk:
        await customer_desk.resolve(desk, link.link_id, {"phone": "shop"})
    await turn(one)

    assert in_syspro(one, "WEB0042").others["Telephone"] == "01632 960003"
    assert await quiet(one)
