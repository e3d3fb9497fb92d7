"""New SYSPRO customers: keys made of the shop's numbers, and the record that the shipped mapping makes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.erp_records import CustomerRecord
from integration.canonical.party import PostalAddress
from integration.canonical.shop_customer import ShopCustomer
from integration.errors import UnmappedField
from service.core.customers import (
    CustomerSettings,
    NewKeys,
    customer_document,
    guest_reference,
    new_keys,
)
from service.core.mapping import apply
from service.core.mapping_document import MappingDocument
from service.flow.library import compiled

DATA = Path(__file__).parents[2] / "data"
MAPPING = compiled(
    MappingDocument.from_dict(yaml.safe_load((DATA / "templates/mappings/customer.yaml").read_text("utf-8")))
)
PAIR = {"branch": "10", "salesperson": "100", "invoice_terms": "00"}
REFERENCES = st.one_of(st.integers(1, 10**9).map(str), st.text(min_size=1, max_size=30))


@given(REFERENCES, st.sampled_from([NewKeys(), NewKeys(policy="numeric", digits=7)]))
def test_keys_fit_syspro_differ_and_are_the_same_for_ever(reference: str, keys: NewKeys) -> None:
    made = list(new_keys(reference, keys))
    assert made == list(new_keys(reference, keys))
    assert len(set(made)) == len(made) == 20
    for key in made:
        assert 1 <= len(key) <= 15
        assert key.isascii()
        assert key.isalnum()
        assert keys.policy == "alpha" or key.isdigit()


@pytest.mark.parametrize(
    ("keys", "first", "second"),
    [
        (NewKeys(), "WEB0042", "WEB0042A"),
        (NewKeys(prefix="S", digits=6), "S000042", "S000042A"),
        (NewKeys(policy="numeric", digits=7), "0500042", "0500043"),
    ],
    ids=["alpha", "another-prefix", "numeric"],
)
def test_a_key_is_made_of_the_shops_number(keys: NewKeys, first: str, second: str) -> None:
    made = new_keys("42", keys)
    assert [next(made), next(made)] == [first, second]


def an_account(**changes: object) -> ShopCustomer:
    plain = ShopCustomer(
        reference="42",
        email="zoe@example.org",
        first_name="Zoë",
        last_name="Żak",
        company="Birch & Sons " * 5,
        phone="01632 960001",
        billing=PostalAddress(
            lines=("Unit 4", "1 High Street"), city="Leeds", postcode="ls11aa", country="GB"
        ),
    )
    return msgspec.structs.replace(plain, **changes)


def test_an_account_becomes_a_customer_in_syspros_shape() -> None:
    values = apply(MAPPING, customer_document("WEB0042", an_account(), PAIR)).insist("account 42")
    record = msgspec.convert(values, CustomerRecord)
    assert (record.customer, record.branch, record.salesperson, record.terms_code) == (
        "WEB0042",
        "10",
        "100",
        "00",
    )
    assert (record.tax_status, record.balance_type, record.contact) == ("N", "I", "Zoë Zak")
    assert record.name is not None
    assert len(record.name) <= 50
    assert (record.sold_to_addr1, record.sold_to_addr2, record.sold_to_addr3) == (
        "Unit 4",
        "1 High Street",
        "Leeds",
    )
    assert (record.sold_to_addr5, record.sold_postal_code) == ("GB", "LS1 1AA")
    assert record.ship_to_addr2 is None


def test_what_syspro_insists_on_and_the_pair_does_not_say_stops_it_by_name() -> None:
    mapped = apply(MAPPING, customer_document("WEB0042", an_account(), {"branch": "10"}))
    with pytest.raises(UnmappedField) as raised:
        mapped.insist("account 42")
    assert set(raised.value.evidence) == {"Salesperson", "TermsCode"}


def test_a_private_person_has_no_contact_and_a_nameless_one_is_called_by_the_address() -> None:
    person = apply(MAPPING, customer_document("W", an_account(company=""), PAIR)).values
    assert (person["Name"], person.get("Contact")) == ("Zoë Zak", None)
    nobody = apply(
        MAPPING, customer_document("W", an_account(company="", first_name="", last_name=""), PAIR)
    ).values
    assert nobody["Name"] == "zoe@example.org"


def test_a_guest_is_known_by_the_address_in_any_case_and_no_account_is_called_so() -> None:
    assert (
        guest_reference(" Zoe@Example.org ") == guest_reference("zoe@example.org") == "guest:zoe@example.org"
    )


def test_nothing_is_done_unless_it_is_switched_on() -> None:
    settings = CustomerSettings()
    switches = (settings.sync, settings.on_orders, settings.create_in_syspro, settings.create_in_shop)
    assert not any(switches)
    assert (settings.bars.link_at, settings.bars.propose_at) == (95, 70)
