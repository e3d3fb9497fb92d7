"""Who a customer is: scores that do not depend on who is asked about whom, and decisions that a person can follow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.customer_fields import FieldName, Value
from service.core.customer_match import Bars, Identity, decide, identity, score

BARS = Bars()
WORDS = st.sampled_from(
    ["Jane", "Smith", "Smyth", "Zoë", "Ltd", "Birch", "&", "Sons", "Co", "Müller", "Łukasz", ""]
)


def place(street: str = "", city: str = "", postcode: str = "") -> Value:
    return ("", street, city, "", "", "GB", postcode)


def known(key: str, name: str, email: str = "", **more: str) -> Identity:
    fields: dict[FieldName, Value] = {
        "name": (name, more.get("contact", "")),
        "email": (email,),
        "phone": (more.get("phone", ""),),
        "sold_to": place(more.get("street", ""), "Leeds", more.get("postcode", "")),
    }
    return identity(key, fields, more.get("account", ""))


@st.composite
def people(draw: st.DrawFn) -> Identity:
    return known(
        draw(st.integers(1, 40).map(str)),
        " ".join(draw(st.lists(WORDS, max_size=4))),
        draw(st.sampled_from(["", "a@x.example", "b@x.example", "B@X.example "])),
        contact=" ".join(draw(st.lists(WORDS, max_size=2))),
        phone=draw(st.sampled_from(["", "01632 960001", "+44 1632 960001", "020 7946 0000"])),
        street=draw(st.sampled_from(["", "1 High Street", "1 High St", "2 Low Road"])),
        postcode=draw(st.sampled_from(["", "LS1 1AA", "ls11aa", "EC1A 1BB"])),
        account=draw(st.sampled_from(["", "0000007", "7", "web0001"])),
    )


@given(people(), people())
def test_a_score_is_the_same_whichever_is_asked_about_first(one: Identity, other: Identity) -> None:
    points, reasons = score(one, other)
    assert (points, reasons) == score(other, one)
    assert 0 <= points <= 100
    assert reasons


@given(people(), st.lists(people(), max_size=8, unique_by=lambda each: each.key), st.randoms(), st.data())
def test_a_decision_does_not_depend_on_the_order_of_candidates(
    asked: Identity, among: list[Identity], chance: object, data: st.DataObject
) -> None:
    linked = data.draw(st.sets(st.sampled_from([each.key for each in among]))) if among else set()
    shuffled = data.draw(st.permutations(among))
    decision = decide(asked, among, BARS, linked)
    assert decide(asked, shuffled, BARS, linked) == decision
    assert (decision.kind == "linked") == bool(decision.customer)
    assert decision.customer not in linked


@given(people())
def test_everybody_with_a_name_is_most_like_themselves(one: Identity) -> None:
    points, _ = score(one, one)
    assert points == 100 or not one.names or not (one.email or one.postcode or one.street or one.phone)


def test_the_same_email_address_settles_it_in_any_case() -> None:
    decision = decide(
        known("9", "J Smith", "Jane@X.example"), [known("1", "Jane Smith", "jane@x.example")], BARS
    )
    assert (decision.kind, decision.customer) == ("linked", "1")
    assert decision.why == "the same e-mail address"


def test_the_code_that_an_account_bears_goes_before_an_email_address() -> None:
    among = [known("0000007", "Birch & Sons"), known("8", "Jane Smith", "jane@x.example")]
    decision = decide(known("9", "Jane Smith", "jane@x.example", account="7"), among, BARS)
    assert (decision.kind, decision.customer) == ("linked", "0000007")


def test_an_email_address_of_two_customers_is_for_a_person() -> None:
    among = [known("1", "Jane Smith", "info@x.example"), known("2", "Birch & Sons", "info@x.example")]
    decision = decide(known("9", "Jane Smith", "info@x.example"), among, BARS)
    assert (decision.kind, len(decision.candidates)) == ("propose", 2)
    assert "2 customers" in decision.why


def test_a_customer_that_is_linked_already_is_never_taken_without_a_person() -> None:
    decision = decide(known("9", "J", "jane@x.example"), [known("1", "Jane", "jane@x.example")], BARS, {"1"})
    assert (decision.kind, decision.why) == ("propose", "it is linked already")
    assert "linked with another account" in decision.candidates[0].reasons


def test_name_street_and_postcode_are_enough_and_the_reasons_are_told() -> None:
    asked = known("9", "Zoë Smith Ltd", street="1 High St", postcode="ls11aa")
    among = [known("1", "ZOE SMITH LIMITED", street="1 High Street", postcode="LS1 1AA")]
    decision = decide(asked, among, BARS)
    assert (decision.kind, decision.customer) == ("linked", "1")
    assert "postcode alike to 100 in 100" in decision.why


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (known("1", "Jane Smith"), "80 is below 95"),
        (
            known("1", "Jane Smith", "other@x.example", postcode="LS1 1AA", street="1 High Street"),
            "90 is below 95",
        ),
    ],
    ids=["name-alone", "another-address"],
)
def test_what_is_likely_is_asked_of_a_person(other: Identity, why: str) -> None:
    asked = known("9", "Jane Smith", "jane@x.example", postcode="LS1 1AA", street="1 High Street")
    decision = decide(asked, [other], BARS)
    assert (decision.kind, decision.why) == ("propose", why)


def test_two_that_are_as_like_are_for_a_person() -> None:
    same = {"street": "1 High Street", "postcode": "LS1 1AA"}
    among = [known("1", "Jane Smith", **same), known("2", "Jane Smith", **same)]
    assert decide(known("9", "Jane Smith", **same), among, BARS).why == "two customers are alike"


def test_who_is_like_nobody_is_new() -> None:
    decision = decide(known("9", "Jane Smith", "jane@x.example"), [known("1", "Birch & Sons")], BARS)
    assert (decision.kind, decision.candidates) == ("new", ())


def test_somebody_without_a_name_is_like_nobody_but_by_the_address() -> None:
    nameless = known("9", "", postcode="LS1 1AA")
    assert score(nameless, known("1", "Jane Smith", postcode="LS1 1AA")) == (0, ("a name is missing",))


def test_only_words_that_say_something_are_searched_for() -> None:
    assert known("1", "J Smith & Sons Ltd", contact="Zoë Smith").words == ["smith", "sons", "zoe"]


def test_the_best_of_all_is_a_proposal_when_it_has_an_account() -> None:
    asked = known("9", "Zoë Smith", street="1 High St", postcode="ls11aa")
    among = [known("1", "Zoe Smith", street="1 High Street", postcode="LS1 1AA")]
    assert decide(asked, among, BARS, {"1"}).why == "it is linked already"
