"""Addresses: SYSPRO's lines and lengths, and not a word lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.canonical.party import PostalAddress
from service.core.addresses import SysproAddress, to_syspro, uk_postcode

word = st.text(min_size=1, max_size=50).filter(lambda text: not any(sign.isspace() for sign in text))
phrase = st.lists(st.one_of(word, st.sampled_from(["Łódź", "12a", "Straße", "The"])), max_size=9).map(
    " ".join
)


@st.composite
def address(draw: st.DrawFn) -> PostalAddress:
    return PostalAddress(
        name=draw(phrase),
        company=draw(phrase),
        lines=tuple(draw(st.lists(phrase, max_size=5))),
        locality=draw(phrase),
        city=draw(phrase),
        region=draw(phrase),
        postcode=draw(st.one_of(phrase, st.sampled_from(["ec1a1bb", "LS1 1AA", "nonsense", "bfpo 61"]))),
        country=draw(st.one_of(st.sampled_from(["GB", "gb", "UK", "DE", "", "JE"]), phrase)),
    )


def fields(shaped: SysproAddress) -> list[str]:
    lines = [shaped.line1, shaped.line2, shaped.line3, shaped.locality, shaped.line4, shaped.line5]
    return [*lines, shaped.postcode, shaped.name]


@given(address())
def test_every_line_fits_its_column_and_code_page(given_address: PostalAddress) -> None:
    *lines, postcode, name = fields(to_syspro(given_address))

    assert all(len(line) <= 40 and line == line.strip() for line in lines)
    assert len(postcode) <= 10
    assert len(name) <= 50
    for text in [*lines, postcode, name]:
        text.encode("cp1252")


@given(address())
def test_every_word_is_in_the_address_or_in_the_notes(given_address: PostalAddress) -> None:
    shaped = to_syspro(given_address)
    told = " ".join([*fields(shaped), *shaped.notes])
    said = [given_address.name, given_address.company, *given_address.lines, given_address.city]
    said += [given_address.locality, given_address.region, given_address.postcode]

    for text in said:
        for one in text.split():
            assert one in told


@given(address())
def test_a_shaped_address_is_its_own_shape(given_address: PostalAddress) -> None:
    once = to_syspro(given_address)

    assert fields(to_syspro(once.postal())) == fields(once)


def test_a_plain_british_address_needs_no_note() -> None:
    shaped = to_syspro(
        PostalAddress(
            name="J Smith",
            lines=("1 High Street",),
            city="Leeds",
            region="West Yorkshire",
            postcode="ls1 1aa",
            country="gb",
        )
    )

    assert shaped == SysproAddress(
        name="J Smith",
        line2="1 High Street",
        line3="Leeds",
        line4="West Yorkshire",
        line5="GB",
        postcode="LS1 1AA",
        notes=("the postcode ls1 1aa is written LS1 1AA",),
    )


def test_building_and_street_have_their_lines_and_further_ones_take_free_places() -> None:
    shaped = to_syspro(
        PostalAddress(lines=("Flat 3", "The Old Mill", "1 High Street", "Far End"), city="Leeds")
    )

    assert fields(shaped)[:5] == ["Flat 3", "The Old Mill", "Leeds", "1 High Street", "Far End"]


def test_lines_without_a_free_place_close_ranks_before_anything_is_left_out() -> None:
    shaped = to_syspro(
        PostalAddress(lines=("Flat 3", "The Old Mill", "1 High Street"), locality="Far", region="York")
    )

    assert (shaped.line1, shaped.line2) == ("", "Flat 3 The Old Mill 1 High Street")


def test_what_fits_nowhere_is_in_the_notes() -> None:
    shaped = to_syspro(PostalAddress(lines=("a" * 40, "b" * 40, "c" * 40), locality="Far", region="York"))

    assert shaped.notes == (f"no line was free for: {'c' * 40}",)


def test_letters_that_the_code_page_lacks_are_respelled_and_noted() -> None:
    shaped = to_syspro(PostalAddress(city="Łódź", lines=("ulica Żółta 5",)))

    assert (shaped.line3, shaped.line2) == ("Lódz", "ulica Zólta 5")
    assert len(shaped.notes) == 2


@pytest.mark.parametrize(
    ("given_text", "printed"),
    [
        ("ec1a1bb", "EC1A 1BB"),
        (" m2 5bq ", "M2 5BQ"),
        ("GIR0AA", "GIR 0AA"),
        ("bfpo61", "BFPO 61"),
        ("JE2 3AB", "JE2 3AB"),
        ("12345", None),
        ("Q1 1AA", None),
        ("", None),
    ],
)
def test_british_postcodes_are_printed_as_the_post_office_does(given_text: str, printed: str | None) -> None:
    assert uk_postcode(given_text) == printed


def test_a_wrong_british_postcode_is_kept_and_noted() -> None:
    shaped = to_syspro(PostalAddress(postcode="nonsense", country="UK"))

    assert (shaped.postcode, shaped.line5) == ("nonsense", "GB")
    assert "nonsense is not a British postcode" in shaped.notes


def test_a_foreign_postcode_is_cut_to_the_column_and_told_in_full() -> None:
    shaped = to_syspro(PostalAddress(postcode="12345-6789-0", country="US"))

    assert shaped.postcode == "12345-6789"
    assert any("12345-6789-0" in note for note in shaped.notes)


def test_a_long_name_shows_the_company_and_tells_the_person_in_the_notes() -> None:
    shaped = to_syspro(
        PostalAddress(company="The Very Long Trading Company of York", name="Johann Sebastian Bach")
    )

    assert shaped.name == "The Very Long Trading Company of York"
    assert any("Johann Sebastian Bach" in note for note in shaped.notes)
    assert to_syspro(PostalAddress(company="Acme", name="J Smith")).name == "Acme, J Smith"
