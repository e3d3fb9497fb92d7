"""Two records of one customer come into step and stay there: our own change is never sent back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from integration.canonical.erp_records import CustomerRecord
from integration.canonical.party import PostalAddress
from integration.canonical.shop_customer import ShopCustomer
from service.core.customer_fields import (
    FIELDS,
    FieldName,
    Value,
    digest,
    erp_change,
    fields_of_erp,
    fields_of_shop,
    is_empty,
    same,
    shop_change,
)
from service.core.customer_merge import Owner, Rules, View, compare, conflicts, remember, writes

START = datetime(2025, 6, 2, 9, tzinfo=UTC)
OWNERS: tuple[Owner, ...] = ("shop", "syspro", "newest", "person")


@dataclass
class Pair:
    """Both sides of one customer and what is remembered of them, as the chore keeps them."""

    account: ShopCustomer
    record: CustomerRecord
    rules: Rules
    shop_fields: dict[FieldName, Value] = field(default_factory=dict)
    erp_fields: dict[FieldName, Value] = field(default_factory=dict)
    record_changed: datetime = START
    clock: datetime = START

    def tick(self) -> datetime:
        self.clock += timedelta(minutes=1)
        return self.clock

    def edit_shop(self, values: Mapping[FieldName, Value]) -> None:
        changed, _ = shop_change(self.account, values)
        self.account = structs.replace(changed, changed_at=self.tick())

    def edit_syspro(self, values: Mapping[FieldName, Value]) -> None:
        self.record = merged(self.record, erp_change(self.record.customer, values))
        self.record_changed = self.tick()

    def sync(self, lossy: bool = False) -> int:
        """One turn of the chore; returns how many fields were written, of those left open how many."""
        shop = View(
            fields=fields_of_shop(self.account),
            remembered=self.shop_fields,
            changed_at=self.account.changed_at,
        )
        syspro = View(
            fields=fields_of_erp(self.record), remembered=self.erp_fields, changed_at=self.record_changed
        )
        found = compare(shop, syspro, self.rules)
        to_shop, to_syspro = writes(found, "shop"), writes(found, "syspro")
        if to_shop:
            self.account, _ = shop_change(self.account, to_shop)
            if lossy:
                self.account = structs.replace(self.account, phone=self.account.phone[:8])
        if to_syspro:
            self.record = merged(self.record, erp_change(self.record.customer, to_syspro))
        left = {each.field for each in conflicts(found)}
        self.shop_fields = remember(self.shop_fields, fields_of_shop(self.account), left)
        self.erp_fields = remember(self.erp_fields, fields_of_erp(self.record), left)
        return len(to_shop) + len(to_syspro)

    def open_fields(self) -> set[FieldName]:
        shop = View(fields=fields_of_shop(self.account), remembered=self.shop_fields)
        syspro = View(fields=fields_of_erp(self.record), remembered=self.erp_fields)
        return {each.field for each in conflicts(compare(shop, syspro, self.rules))}

    def differ(self) -> set[FieldName]:
        ours, theirs = fields_of_shop(self.account), fields_of_erp(self.record)
        return {name for name in FIELDS if not same(name, ours[name], theirs[name])}


def merged(record: CustomerRecord, change: CustomerRecord) -> CustomerRecord:
    given = {name: value for name, value in structs.asdict(change).items() if value is not None}
    return structs.replace(record, **given)


def a_pair(owner: Owner = "newest", **owners: Owner) -> Pair:
    account = ShopCustomer(
        reference="771",
        email="jane@shop.example",
        first_name="Jane",
        last_name="Smith",
        company="Birch & Sons",
        phone="01632 960001",
        billing=PostalAddress(lines=("1 High Street",), city="Leeds", postcode="LS1 1AA", country="GB"),
        changed_at=START,
    )
    record = merged(CustomerRecord(customer="WEB0771"), erp_change("WEB0771", fields_of_shop(account)))
    return Pair(account, record, Rules(owners=owners, otherwise=owner))  # type: ignore[arg-type]


NAMES = st.sampled_from(
    ["Jane Smith", "Birch & Sons", "Zoë Müller", "Łukasz Żak", "A B C Trading", "Elm House"]
)
PLACES = st.builds(
    lambda line1, line2, city, postcode: (
        line1 if line2 else "",
        line2 or line1,
        city,
        "",
        "",
        "GB",
        postcode,
    ),
    st.sampled_from(["Unit 4", "2nd Floor"]),
    st.sampled_from(["1 High Street", "2 Low Road", ""]),
    st.sampled_from(["Leeds", "York"]),
    st.sampled_from(["LS1 1AA", "YO1 7HH"]),
)
VALUES: dict[FieldName, st.SearchStrategy[Value]] = {
    "name": st.tuples(NAMES, st.just("") | NAMES),
    "email": st.sampled_from(["a@x.example", "B@x.example", "c@x.example"]).map(lambda text: (text,)),
    "phone": st.sampled_from(["01632 960001", "01632960002", "+44 1632 960003"]).map(lambda text: (text,)),
    "sold_to": PLACES,
    "ship_to": PLACES,
}
EDITS = st.lists(
    st.one_of(
        st.just(("sync", {})),
        st.tuples(
            st.sampled_from(["shop", "syspro"]),
            st.sampled_from(FIELDS).flatmap(lambda name: VALUES[name].map(lambda value: {name: value})),
        ),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(
    EDITS,
    st.sampled_from(OWNERS),
    st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(OWNERS), max_size=3),
)
def test_whatever_is_edited_where_both_sides_come_into_step_and_our_change_is_never_sent_back(
    edits: list[tuple[str, dict[FieldName, Value]]], owner: Owner, owners: dict[FieldName, Owner]
) -> None:
    pair = a_pair(owner, **owners)
    pair.sync()
    for where, values in edits:
        if where == "sync":
            pair.sync()
        elif where == "shop":
            pair.edit_shop(values)
        else:
            pair.edit_syspro(values)

    pair.sync()

    assert pair.sync() == 0, "a turn after which nobody changed anything writes nothing"
    assert pair.differ() == pair.open_fields(), "what differs waits for a person, and nothing else does"
    pair.rules = structs.replace(pair.rules, decided=dict.fromkeys(pair.open_fields(), "shop"))
    pair.sync()
    pair.rules = structs.replace(pair.rules, decided={})
    assert pair.differ() == set()
    assert pair.sync() == 0


@settings(max_examples=30, deadline=None)
@given(EDITS, st.sampled_from(OWNERS))
def test_a_side_that_keeps_what_it_was_given_only_in_part_is_not_written_for_ever(
    edits: list[tuple[str, dict[FieldName, Value]]], owner: Owner
) -> None:
    pair = a_pair(owner)
    for where, values in edits:
        if where == "shop":
            pair.edit_shop(values)
        elif where == "syspro":
            pair.edit_syspro(values)
        pair.sync(lossy=True)
    pair.sync(lossy=True)
    assert pair.sync(lossy=True) == 0


@given(EDITS)
def test_the_hash_of_a_side_changes_with_its_fields_and_only_then(
    edits: list[tuple[str, dict[FieldName, Value]]],
) -> None:
    pair = a_pair()
    for _, values in edits:
        before, known = fields_of_erp(pair.record), digest(fields_of_erp(pair.record))
        pair.edit_syspro(values)
        now = fields_of_erp(pair.record)
        unchanged = all(same(name, before[name], now[name]) for name in FIELDS)
        assert (digest(now) == known) == unchanged


@pytest.mark.parametrize(
    ("owner", "winner"), [("shop", "shop"), ("syspro", "syspro"), ("newest", "shop"), ("person", None)]
)
def test_who_owns_a_field_wins_it_when_both_sides_changed_it(owner: Owner, winner: str | None) -> None:
    pair = a_pair(owner)
    pair.sync()
    pair.edit_syspro({"phone": ("020 7946 0001",)})
    pair.edit_shop({"phone": ("020 7946 0002",)})

    pair.sync()

    shop, syspro = fields_of_shop(pair.account)["phone"][0], fields_of_erp(pair.record)["phone"][0]
    expected = {"shop": "020 7946 0002", "syspro": "020 7946 0001"}
    if winner is None:
        assert (shop, syspro) == ("020 7946 0002", "020 7946 0001")
        assert pair.open_fields() == {"phone"}
    else:
        assert shop == syspro == expected[winner]


def test_a_change_of_a_field_that_the_other_side_owns_is_taken_back() -> None:
    pair = a_pair("newest", email="syspro")
    pair.sync()
    pair.edit_shop({"email": ("new@shop.example",)})
    pair.sync()
    assert pair.account.email == "jane@shop.example"


def test_only_one_side_changed_it_so_no_person_is_asked() -> None:
    pair = a_pair("person")
    pair.sync()
    pair.edit_shop({"name": ("Birch & Daughters", "Jane Smith")})
    assert pair.sync() == 1
    assert pair.record.name == "Birch & Daughters"


def test_a_company_that_syspro_renames_keeps_the_person_that_the_shop_knows_there() -> None:
    pair = a_pair()
    pair.record = structs.replace(pair.record, contact="")
    pair.sync()
    pair.edit_syspro({"name": ("Birch & Daughters", "")})
    pair.sync()
    assert (pair.account.company, pair.account.first_name) == ("Birch & Daughters", "Jane")
    assert pair.record.contact == "Jane Smith"


def test_an_address_is_taken_whole() -> None:
    pair = a_pair()
    pair.sync()
    pair.edit_syspro({"sold_to": ("Unit 4", "2 Low Road", "York", "", "", "GB", "YO1 7HH")})
    pair.sync()
    assert pair.account.billing.lines == ("Unit 4", "2 Low Road")
    assert (pair.account.billing.city, pair.account.billing.postcode) == ("York", "YO1 7HH")


def test_a_gap_is_filled_and_never_spreads() -> None:
    pair = a_pair("shop")
    pair.sync()
    pair.account = structs.replace(pair.account, phone="", changed_at=pair.tick())
    pair.sync()
    assert pair.account.phone == "01632 960001"
    assert not is_empty(fields_of_erp(pair.record)["phone"])


def test_what_syspro_cannot_hold_is_no_change_of_syspro() -> None:
    pair = a_pair()
    pair.sync()
    named = {"company": "", "first_name": "Łukasz", "last_name": "Żółć " * 12}
    pair.account = structs.replace(pair.account, **named, changed_at=pair.tick())
    assert pair.sync() == 1
    assert pair.sync() == 0
    assert pair.account.first_name == "Łukasz", "the shop keeps its own spelling"
    assert pair.record.name is not None
    assert len(pair.record.name) <= 50
    assert pair.record.name.startswith("Lukasz Z")
    assert pair.record.contact == "", "a person's own account names nobody else"


def test_a_country_that_a_clerk_wrote_out_stays_in_syspro() -> None:
    pair = a_pair()
    pair.sync()
    pair.edit_syspro({"sold_to": ("", "2 Low Road", "York", "", "", "England", "YO1 7HH")})
    pair.sync()
    assert (pair.account.billing.country, pair.record.sold_to_addr5) == ("GB", "England")
    assert pair.sync() == 0


def test_a_card_number_that_somebody_typed_into_a_name_is_not_kept() -> None:
    account = ShopCustomer(reference="1", email="a@x.example", last_name="4929000000006")
    record = CustomerRecord(customer="1", contact="pay with 4929 0000 0000 6")
    assert "4929000000006" not in fields_of_shop(account)["name"][0]
    assert "4929 0000 0000 6" not in fields_of_erp(record)["name"][1]
