"""Account derivation: every payment has exactly one account, whatever the order of the rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration.errors import Misconfigured
from service.core.gl_accounts import PURPOSES, AccountFacts, AccountRule, AccountRules, load_rules

SHIPPED = Path(__file__).parents[2] / "data" / "templates" / "gl_rules.yaml"
DEFAULTS = [AccountRule(purpose=purpose, account=f"default-{purpose}") for purpose in PURPOSES]

purposes = st.sampled_from(PURPOSES[:2])
kinds = st.sampled_from(["payment", "refund"])
cards = st.sampled_from(["Visa", "AmericanExpress"])
currencies = st.sampled_from(["GBP", "EUR"])

facts = st.builds(
    AccountFacts, purpose=purposes, transaction_kind=kinds, card_type=cards, currency=currencies
)
rule = st.builds(
    AccountRule,
    purpose=purposes,
    account=st.integers(1, 999).map(str),
    transaction_kind=st.none() | kinds,
    card_type=st.none() | cards,
    currency=st.none() | currencies,
)
rules = st.lists(rule, max_size=6, unique_by=lambda rule: rule.account)


def loaded(more: list[AccountRule]) -> AccountRules | None:
    try:
        return AccountRules([*DEFAULTS, *more])
    except Misconfigured:
        return None


@given(rules, facts)
def test_every_payment_has_exactly_one_account_or_the_rules_are_refused(
    more: list[AccountRule], known: AccountFacts
) -> None:
    account_rules = loaded(more)

    if account_rules is not None:
        choice = account_rules.account_for(known)
        assert choice.account in {
            rule.account for rule in [*DEFAULTS, *more] if rule.purpose == known.purpose
        }
        assert choice.account in choice.reason


@given(rules, st.randoms(use_true_random=False), facts)
def test_the_order_of_the_rules_does_not_matter(
    more: list[AccountRule], random: object, known: AccountFacts
) -> None:
    shuffled = [*DEFAULTS, *more]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first = loaded(more)

    if first is None:
        with pytest.raises(Misconfigured):
            AccountRules(shuffled)
    else:
        assert AccountRules(shuffled).account_for(known).account == first.account_for(known).account


@given(rules, rule, facts)
def test_a_less_specific_rule_never_changes_a_result(
    more: list[AccountRule], added: AccountRule, known: AccountFacts
) -> None:
    before, after = loaded(more), loaded([*more, added])

    if before is not None and after is not None:
        winner = before.account_for(known)
        specific = max(
            len(rule.conditions)
            for rule in [*DEFAULTS, *more]
            if rule.purpose == known.purpose and rule.account == winner.account
        )
        if len(added.conditions) < specific:
            assert after.account_for(known) == winner


def test_the_most_specific_rule_wins_and_says_why() -> None:
    account_rules = AccountRules(
        [
            *DEFAULTS,
            AccountRule(
                purpose="fee", account="7100", card_type="AmericanExpress", reason="Amex invoices its own"
            ),
            AccountRule(purpose="fee", account="7200", card_type="americanexpress", currency="EUR"),
        ]
    )

    sterling = account_rules.account_for(
        AccountFacts(purpose="fee", card_type="AMERICANEXPRESS", currency="GBP")
    )
    euros = account_rules.account_for(
        AccountFacts(purpose="fee", card_type="AmericanExpress", currency="EUR")
    )

    assert sterling.reason == "7100 is the rule fee for card type americanexpress: Amex invoices its own"
    assert euros.account == "7200"
    assert account_rules.account_for(AccountFacts(purpose="fee")).reason.endswith("fee by default")


CARD = AccountRule(purpose="fee", account="1", card_type="Visa")
EURO = AccountRule(purpose="fee", account="2", currency="EUR")


def test_two_rules_that_could_both_win_are_refused_unless_a_third_settles_it() -> None:
    with pytest.raises(Misconfigured, match="in a tie"):
        AccountRules([*DEFAULTS, CARD, EURO])

    both = AccountRule(purpose="fee", account="3", card_type="Visa", currency="EUR")
    settled = AccountRules([*DEFAULTS, CARD, EURO, both])
    assert settled.account_for(AccountFacts(purpose="fee", card_type="Visa", currency="EUR")).account == "3"


def test_the_same_conditions_twice_are_a_tie() -> None:
    with pytest.raises(Misconfigured, match="in a tie"):
        AccountRules([*DEFAULTS, AccountRule(purpose="fee", account="another")])


@pytest.mark.parametrize("account", ["", "   ", "x" * 36])
def test_an_account_that_syspro_cannot_hold_is_refused(account: str) -> None:
    with pytest.raises(Misconfigured, match="1 to 35 characters"):
        AccountRules([*DEFAULTS, AccountRule(purpose="fee", account=account, currency="EUR")])


def test_a_purpose_without_a_default_is_refused() -> None:
    with pytest.raises(Misconfigured, match="suspense has no default"):
        AccountRules(DEFAULTS[:-1])
    with pytest.raises(Misconfigured, match="suspense has no default"):
        AccountRules([*DEFAULTS[:-1], AccountRule(purpose="suspense", account="1", currency="GBP")])


@pytest.mark.parametrize(
    "text", ["rules: [", "rules: 1", "rules: [{purpose: fee, account: '1', colour: red}]"]
)
def test_a_file_that_is_no_list_of_rules_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be used"):
        load_rules(text)


def test_the_shipped_rules_load_and_settle_every_purpose() -> None:
    shipped = load_rules(SHIPPED.read_bytes())

    assert all(shipped.account_for(AccountFacts(purpose=purpose)).account for purpose in PURPOSES)
    euros = AccountFacts(purpose="receipt", transaction_kind="payment", card_type="Visa", currency="EUR")
    assert shipped.account_for(euros).account == "1200-200"
