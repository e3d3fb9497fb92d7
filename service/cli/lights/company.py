"""The company in SYSPRO: may we post, is the period open, and is everything there that postings name?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from msgspec import Struct

from integration.canonical.documents import ArPayment, UnappliedPayment
from integration.canonical.money import Money
from integration.errors import IntegrationError, PeriodClosed, Rejected, Throttled
from integration.inspection import BankAccount
from integration.ports import ERP, CompanyProfile, ErpCustomer
from service import resources
from service.cli.lights.board import Amiss, Board, Suspect, Undecided
from service.core.gl_accounts import load_rules
from service.store.pairs import PairSettings

OBJECTS = "business objects"
CUSTOMER = "default customer"
PERIOD = "open period"
WAREHOUSE = "warehouse"
BANK = "bank"
CASH_BOOK = "cash book"
LEDGER = "ledger codes"
STOCK = "stock"

NAMES = (OBJECTS, CUSTOMER, PERIOD, WAREHOUSE, BANK, CASH_BOOK, LEDGER, STOCK)
APPORTION = (
    "Let SYSPRO's administrator license and permit the object to the operator (e.net license apportionment, operator"
    " security)."
)

# Nobody stocks it: the answer that there is no such item proves that items can be read.
_NO_ITEM = "OPAYO-DOCTOR"
_REHEARSAL = "OPAYODOCTOR"
_ORDERS = "SORTOI"

BlameSyspro = Callable[[IntegrationError], Suspect | None]


class Visit(Struct, frozen=True, kw_only=True):
    """A look around as one operator that is logged on."""

    board: Board
    settings: PairSettings
    session: ERP
    profile: CompanyProfile
    blame: BlameSyspro


async def look(visit: Visit) -> None:
    """Light the company's lamps."""
    found = _Found()
    for name, probe in (
        (OBJECTS, lambda: _objects(visit)),
        (CUSTOMER, lambda: _customer(visit, found)),
        (BANK, lambda: _bank(visit, found)),
        (CASH_BOOK, lambda: _cash_book(visit, found)),
        (LEDGER, lambda: _ledger_codes(visit)),
        (PERIOD, lambda: _period(visit, found)),
        (WAREHOUSE, lambda: _warehouse(visit)),
        (STOCK, lambda: _stock(visit)),
    ):
        await visit.board.ask(name, probe, visit.blame)


class _Found(Struct):
    """What an earlier lamp found and a later one needs."""

    customer: ErpCustomer | None = None
    bank: BankAccount | None = None


def _default(visit: Visit, name: str) -> str:
    return visit.settings.defaults.get(name, "")


async def _objects(visit: Visit) -> str:
    try:
        barred = set(await visit.session.inspection().barred())
    except Throttled as error:
        # e.net words nobody has recorded count as busy; a system that is busy with everything shows elsewhere.
        raise Undecided(f"a rehearsal of an empty document was not understood: {error.title}") from error
    if visit.settings.shop is None:
        barred.discard(_ORDERS)
    if barred:
        raise Amiss(f"the operator may not use {', '.join(sorted(barred))}", APPORTION)
    return "the operator may use all that we post and read with"


async def _customer(visit: Visit, found: _Found) -> str:
    code = _default(visit, "customer")
    if not code:
        return "no default customer: each order names its own"
    customer = await visit.session.customer(code)
    if customer is None:
        raise Amiss(
            f"SYSPRO does not know the default customer `{code}`",
            "Create the customer in SYSPRO or correct `defaults.customer`.",
        )
    if customer.on_hold or not customer.payments_allowed:
        why = "is on hold" if customer.on_hold else "takes no payments"
        raise Amiss(
            f"the default customer `{code}` {why}",
            "Release it in SYSPRO, or name another in `defaults.customer`.",
        )
    if customer.currency not in visit.settings.currencies:
        raise Amiss(
            f"the default customer `{code}` keeps {customer.currency}, which the pair does not take",
            "Add it to `currencies`, or name another customer in `defaults.customer`.",
        )
    found.customer = customer
    return f"{customer.customer} {customer.name}, {customer.currency}"


async def _bank(visit: Visit, found: _Found) -> str:
    code = _default(visit, "bank") or visit.profile.default_bank
    if not code:
        raise Amiss("neither the pair nor the operator has one", "Set `defaults.bank` of the pair.")
    found.bank = await visit.session.inspection().bank(code)
    if found.bank is None:
        raise Amiss(
            f"SYSPRO knows no bank `{code}`",
            "Correct `defaults.bank`, or the operator's default bank; banks are set up in SYSPRO's cash book.",
        )
    return f"{code} {found.bank.description}".strip()


async def _cash_book(visit: Visit, found: _Found) -> str:
    if found.bank is None:
        raise Undecided(f"it waits for `{BANK}`")
    bank = found.bank
    if not bank.ledger_code:
        raise Undecided(f"it is not told on which ledger code bank {bank.bank} moves")
    try:
        described = await visit.session.inspection().check_account(bank.ledger_code)
    except Rejected as error:
        raise Amiss(
            f"bank {bank.bank} moves on ledger code {bank.ledger_code}, which cannot be posted to: {error.title}",
            f"Correct the cash ledger code of bank {bank.bank} in SYSPRO (Cash Book, bank maintenance).",
        ) from error
    return f"bank {bank.bank} moves on {bank.ledger_code} {described}".strip()


async def _ledger_codes(visit: Visit) -> str:
    codes = load_rules(resources.text("templates/gl_rules.yaml")).accounts
    inspection = visit.session.inspection()
    refused: list[str] = []
    for code in codes:
        try:
            await inspection.check_account(code)
        except Rejected as error:
            refused.append(error.title)
    if refused:
        more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
        raise Amiss(
            f"{refused[0]}{more}",
            "Create or release the account in SYSPRO, or name another in `data/templates/gl_rules.yaml`.",
        )
    return f"all {len(codes)} codes of the account rules may be posted to"


async def _period(visit: Visit, found: _Found) -> str:
    """A penny for the default customer is rehearsed, and not posted: no query tells which periods are open."""
    if found.customer is None or found.bank is None:
        raise Undecided("a payment is rehearsed for it, which needs `defaults.customer` and a bank")
    value = Money(1, found.customer.currency)
    payment = ArPayment(
        reference=_REHEARSAL,
        customer=found.customer.customer,
        payment_value=value,
        payment_date=visit.profile.accounting_date or datetime.now(UTC).date(),
        journal_notation="Opayo doctor",
        payment_narration="Rehearsed, not posted",
        bank=found.bank.bank,
        unapplied=(UnappliedPayment(gross_payment_value=value, customer_purchase_order=_REHEARSAL),),
    )
    try:
        await visit.session.inspection().rehearse(payment)
    except PeriodClosed as error:
        raise Amiss(
            error.title,
            "Open the period in SYSPRO for AR and cash book, or wait for the month's end procedure.",
        ) from error
    except (Rejected, Throttled) as error:
        raise Undecided(
            f"the rehearsal was refused for another cause: {error.title}", error.advice
        ) from error
    return "a rehearsed payment was taken"


async def _warehouse(visit: Visit) -> str:
    code = _default(visit, "warehouse") or visit.profile.default_warehouse
    if not code:
        raise Amiss("neither the pair nor the operator has one", "Set `defaults.warehouse` of the pair.")
    return code


async def _stock(visit: Visit) -> str:
    wanted = _default(visit, "probe_stock_code")
    found = await visit.session.stock_item(wanted or _NO_ITEM)
    if found is None and wanted:
        raise Amiss(
            f"SYSPRO does not know stock code `{wanted}`",
            "Correct `defaults.probe_stock_code`, or create the stock code in SYSPRO.",
        )
    return "stock items can be read" if found is None else f"{found.stock_code} {found.description}"
