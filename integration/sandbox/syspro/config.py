"""What a SYSPRO sandbox is told at its start, and what may be changed while it runs."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


def _operators() -> dict[str, str]:
    return {f"OPAYO{n}": f"sandbox-{n}" for n in range(1, 9)}


class Quirks(msgspec.Struct, forbid_unknown_fields=True):
    """Habits of real sites, each switched by itself (``PUT /_sandbox/quirks``).

    Attributes:
        number_not_returned: an order import answers without ``SalesOrder``, as a clean SORTOI import does.
        ignored_elements: element names dropped silently before the document is stored.
        stock_tax_code_ignored: the site does not allow changes to the tax code of stocked items.
        gl_journal_error: when not empty, AR payments post but their GL journal fails with this text.
        unique_purchase_orders: the company option that forbids a CustomerPoNumber twice for any customer.
        force_payment_type: when not empty, stored as the PaymentType whatever was sent.
        unapplied_without_reference: unapplied payments leave no ArInvoicePay row, so their Reference
            cannot be found; only the ``_CRD`` document shows them.
        sales_order_digits: width to which numeric sales order keys are padded; likewise the next two.
        unapplied_prefix: what numbers of unapplied cash begin with.
        credit_numbers_shared: numbers of unapplied cash run through the company, otherwise per customer.
        payments_not_distributed: a payment may be worth more or less than its parts, as nowhere is documented.
        outcome_unknown: ``posted`` or ``not-posted``: keyed POSTs answer 504 after or before the posting;
            e.net answers an exception text.

    The rest are habits of e.net alone:

    Attributes:
        json_quoted_token: a logon answers its token as a JSON string.
        guid_token: the token looks like a GUID in braces, without blanks.
        trimmed_token_refused: as SYSPRO 7, a token is accepted only with its two trailing blanks.
        logon_allows_two_sessions: a second logon leaves the operator's first session alive.
        import_by_default: SORTOI imports and SORTOS posts unless told otherwise; SYSPRO's defaults only validate.
        unknown_elements_refused: an element that the object does not know is an error, not lost without a word.
        order_element_on_clean_import: SORTOI returns ``Order`` with the number even without warnings.
        lower_case_roots: objects known to answer in lower case do; otherwise every root keeps its case.
        leading_blanks: numbers are right-aligned, as SYSPRO writes them.
        trailing_minus: the sign of a negative number follows it.
        windows_1252: answers declare and use Windows-1252, otherwise UTF-8.
        pseudo_namespaces: joined descriptions are named ``SALBRN:Description``, otherwise ``SALBRN_Description``.
        body_wrapper: ``json`` or ``string``: XML arrives inside a JSON string or a ``<string>`` element.
        unlicensed_objects: business objects refused with exception 100000, beside ``Settings.unlicensed``.
        post_ld_missing: ``Transaction/PostLD`` is not there (404).
        like_underscore: ``_`` in a LIKE pattern matches any character, as in SQL.
        warehouse_filter_ignored: INVQRY returns every warehouse whatever was asked.
    """

    number_not_returned: bool = False
    ignored_elements: list[str] = []
    stock_tax_code_ignored: bool = False
    gl_journal_error: str = ""
    unique_purchase_orders: bool = False
    force_payment_type: str = ""
    unapplied_without_reference: bool = False
    sales_order_digits: int = 15
    invoice_digits: int = 15
    customer_digits: int = 7
    unapplied_prefix: str = "_CRD"
    credit_numbers_shared: bool = False
    payments_not_distributed: bool = False
    outcome_unknown: str = ""
    json_quoted_token: bool = False
    guid_token: bool = False
    trimmed_token_refused: bool = False
    logon_allows_two_sessions: bool = False
    import_by_default: bool = False
    unknown_elements_refused: bool = False
    order_element_on_clean_import: bool = False
    lower_case_roots: bool = True
    leading_blanks: bool = True
    trailing_minus: bool = False
    windows_1252: bool = True
    pseudo_namespaces: bool = True
    body_wrapper: str = ""
    unlicensed_objects: list[str] = []
    post_ld_missing: bool = False
    like_underscore: bool = True
    warehouse_filter_ignored: bool = False


def quirks_named(given: Mapping[str, str]) -> Quirks:
    """The usual habits with some changed: ``{"leading_blanks": "false", "body_wrapper": "json"}``.

    Raises:
        msgspec.ValidationError: no such habit, or no value of its kind.
    """
    return msgspec.convert({name: _value(text) for name, text in given.items()}, Quirks)


def _value(text: str) -> object:
    try:
        value: object = msgspec.json.decode(text)
    except msgspec.DecodeError:
        value = text
    return value


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """Set-up of the sandbox that tests change while it runs (``PUT /_sandbox/settings``).

    Attributes:
        seats: how many operators may be logged on at once.
        idempotency: whether Idempotency-Key values are remembered; they are required either way.
        keep_refusals: whether a refusal is remembered under its key too; otherwise only what posted is.
        closed_periods: months (``2025-05``) closed to AR, CB and GL, or the letters C, P, B.
        session_timeout_s: seconds of silence after which a session ends.
        accounting_date: today for SYSPRO, ISO; empty takes the clock's UTC date.
        unlicensed: business objects answered 403 ``NOT_LICENSED``.
        unauthorised: business objects answered 403 ``NOT_AUTHORISED``.
        rivals: operators that somebody else works as too, who signs on again whenever we did: none of their
            sessions lives to see a call.
        posting_ms: how long a keyed POST runs between claiming its key and posting.
    """

    seats: int = 20
    idempotency: bool = True
    keep_refusals: bool = False
    closed_periods: list[str] = []
    session_timeout_s: float = 1800.0
    accounting_date: str = ""
    unlicensed: list[str] = []
    unauthorised: list[str] = []
    rivals: list[str] = []
    posting_ms: int = 0


class SysproSandboxConfig(msgspec.Struct):
    """Everything a sandbox company needs to begin.

    Attributes:
        company: four-character company id.
        company_password: usually blank.
        operators: operator to password; made up, never anybody's.
        next_sales_order: first order number given out; likewise the others.
        local_currency: the company's currency code.
        seed: of the fault plan.
        default_world: load the built-in customers and stock.
        branch: operator defaults shown at logon, as are ``warehouse`` and ``bank``.
    """

    company: str = "EDU1"
    company_password: str = ""
    operators: dict[str, str] = msgspec.field(default_factory=_operators)
    local_currency: str = "GBP"
    next_sales_order: int = 100673
    next_invoice: int = 100270
    next_ar_journal: int = 1
    next_gl_journal: int = 1
    branch: str = "10"
    warehouse: str = "FG"
    bank: str = "HB"
    syspro_version: str = "8.0.0"
    enet_version: str = "8.0.161"
    seed: int = 0
    default_world: bool = True
    settings: Settings = msgspec.field(default_factory=Settings)
    quirks: Quirks = msgspec.field(default_factory=Quirks)
