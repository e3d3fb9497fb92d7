"""Everything that may be broken before the doctor is called, and the one lamp that each fault lights."""

from __future__ import annotations

from msgspec import structs

from integration.sandbox.syspro.world import OPAYO_BANK
from service.cli.lights import company, opayo, shop, syspro
from service.cli.lights.examination import PUBLIC_URL, SETTINGS
from service.store.pairs import Operator
from service.store.vault import Vault, new_key
from tests.api.office import free_port
from tests.api.ward import Arrange, Ward

# --- faults of SYSPRO -----------------------------------------------------------------------------


def _refuse_password(at: Ward) -> None:
    at.change("syspro", operators=[Operator(operator="OPAYO1", password="wrong")])


def _refuse_operator(at: Ward) -> None:
    at.change("syspro", operators=[Operator(operator="NOBODY", password="x")])


def _change_company_password(at: Ward) -> None:
    at.syspro.config.company_password = "changed"


def _take_all_seats(at: Ward) -> None:
    at.syspro.config.settings.seats = 0


def _one_seat_for_two(at: Ward) -> None:
    at.syspro.config.settings.seats = 1
    two = [Operator(operator=f"OPAYO{n}", password=f"sandbox-{n}") for n in (1, 2)]
    at.change("syspro", operators=two)


def _work_as_our_operator(at: Ward) -> None:
    at.syspro.config.settings.rivals = ["OPAYO1"]


def _unlicense(code: str) -> Arrange:
    return lambda at: at.syspro.config.settings.unlicensed.append(code)


def _forbid(code: str) -> Arrange:
    return lambda at: at.syspro.config.settings.unauthorised.append(code)


def _customer(**columns: str) -> Arrange:
    def arrange(at: Ward) -> None:
        at.syspro.store.add_customer("1", **{"Name": "Web", **columns})

    return arrange


def _close_period(at: Ward) -> None:
    at.syspro.config.settings.closed_periods = ["C"]


def _remove_bank(at: Ward) -> None:
    at.syspro.store.banks.remove(OPAYO_BANK)


def _no_bank_at_all(at: Ward) -> None:
    at.default(bank="")
    at.syspro.config.bank = ""


def _move_bank_to(code: str) -> Arrange:
    def arrange(at: Ward) -> None:
        banks = at.syspro.store.banks
        banks.put(OPAYO_BANK, structs.replace(banks[OPAYO_BANK], CashGlCode=code))

    return arrange


def _remove_account(at: Ward) -> None:
    at.syspro.store.gl_accounts.remove("7100-100")


def _hold_account(at: Ward) -> None:
    accounts = at.syspro.store.gl_accounts
    accounts.put("7100-100", structs.replace(accounts["7100-100"], AccOnHldFlag="Y"))


def _no_warehouse(at: Ward) -> None:
    at.default(warehouse="")
    at.syspro.config.warehouse = ""


OF_SYSPRO: dict[str, tuple[Arrange, str]] = {
    "a wrong operator password": (_refuse_password, syspro.logon("OPAYO1")),
    "an operator that does not exist": (_refuse_operator, syspro.logon("NOBODY")),
    "a changed company password": (_change_company_password, syspro.COMPANY),
    "a wrong company": (lambda at: at.change("syspro", company_id="EDU2"), syspro.COMPANY),
    "no licence seat": (_take_all_seats, syspro.SEATS),
    "the fault licence-full": (
        lambda at: at.order("syspro", "licence-full", path="logon"),
        syspro.SEATS,
    ),
    "one seat for two operators": (_one_seat_for_two, syspro.SEATS),
    "somebody who works as our operator": (_work_as_our_operator, syspro.CLASH),
    "a session killed once": (
        lambda at: at.order("syspro", "session-killed", times=2, path="Profile"),
        syspro.CLASH,
    ),
    "payments not licensed": (_unlicense("ARSTPY"), company.OBJECTS),
    "orders not licensed": (_unlicense("SORTOI"), company.OBJECTS),
    "searches not licensed": (_unlicense("COMFND"), company.OBJECTS),
    "journals not permitted": (_forbid("GENTJL"), company.OBJECTS),
    "an unknown customer": (lambda at: at.default(customer="0424242"), company.CUSTOMER),
    "a customer on hold": (_customer(CustomerOnHold="Y"), company.CUSTOMER),
    "a customer that takes no payments": (_customer(PaymentsAllowed="N"), company.CUSTOMER),
    "a customer in another currency": (_customer(Currency="USD"), company.CUSTOMER),
    "a closed period": (_close_period, company.PERIOD),
    "an unknown bank": (_remove_bank, company.BANK),
    "no bank": (_no_bank_at_all, company.BANK),
    "a bank whose account does not exist": (_move_bank_to("99-9999"), company.CASH_BOOK),
    "a bank whose account is on hold": (_move_bank_to("00-9000"), company.CASH_BOOK),
    "an unknown ledger code": (_remove_account, company.LEDGER),
    "a ledger code on hold": (_hold_account, company.LEDGER),
    "no warehouse": (_no_warehouse, company.WAREHOUSE),
    "an unknown stock code": (lambda at: at.default(probe_stock_code="ZZZ"), company.STOCK),
    "a clock an hour ahead": (lambda at: at.order("syspro", "clock-skew", times=1), syspro.CLOCK),
    "a clock two minutes behind": (
        lambda at: at.order("syspro", "clock-skew", times=1, seconds=-120),
        syspro.CLOCK,
    ),
    "answers of 503": (lambda at: at.order("syspro", "5xx"), syspro.CONNECTION),
    "dropped connections": (lambda at: at.order("syspro", "drop"), syspro.CONNECTION),
    "garbled answers": (lambda at: at.order("syspro", "garbage"), syspro.CONNECTION),
    "records always locked": (lambda at: at.order("syspro", "locked"), syspro.CONNECTION),
    "a port where nothing listens": (
        lambda at: at.change("syspro", base_url=at.elsewhere("127.0.0.1", free_port())),
        syspro.CONNECTION,
    ),
    "a name that is none": (
        lambda at: at.change("syspro", base_url=at.elsewhere("erp..example")),
        syspro.CONNECTION,
    ),
    "a path that leads elsewhere": (
        lambda at: at.change("syspro", base_url=at.desk.site.urls["syspro"] + "/_sandbox"),
        syspro.CONNECTION,
    ),
    # All addresses of this machine, so it is heard, and no name of this machine alone.
    "clear text to another machine": (
        lambda at: at.change("syspro", base_url=at.elsewhere("0.0.0.0")),
        syspro.TLS,
    ),
}

# --- faults of the others -------------------------------------------------------------------------


def _other_vault(at: Ward) -> None:
    at.vault = Vault([new_key()])


OF_THE_OTHERS: dict[str, tuple[Arrange, str]] = {
    "a wrong integration password": (
        lambda at: at.change("opayo", integration_password="wrong"),
        opayo.PI,
    ),
    "a wrong Reporting password": (
        lambda at: at.change("opayo", reporting_password="wrong"),
        opayo.REPORTING,
    ),
    "a Reporting user that does not exist": (
        lambda at: at.change("opayo", reporting_user="nobody"),
        opayo.REPORTING,
    ),
    "an address Reporting does not take": (lambda at: at.opayo(valid_ips=("192.0.2.1",)), opayo.ADDRESS),
    "no webhook secret": (lambda at: at.change("opayo", webhook_secrets=[""]), opayo.SECRET),
    "Opayo's clock": (lambda at: at.order("opayo", "clock-skew", times=1), opayo.CLOCK),
    "Opayo's answers of 503": (lambda at: at.order("opayo", "5xx"), opayo.CONNECTION),
    "Opayo's dropped connections": (lambda at: at.order("opayo", "drop"), opayo.CONNECTION),
    "a Reporting port where nothing listens": (
        lambda at: at.change("opayo", reporting_url=f"http://127.0.0.1:{free_port()}/access/access.htm"),
        opayo.CONNECTION,
    ),
    "a wrong shop secret": (lambda at: at.change("shop", secret="wrong"), shop.SHOP),
    "no shop webhook secret": (lambda at: at.change("shop", webhook_secret=" "), shop.SECRET),
    "a shop that is down": (
        lambda at: at.change("shop", base_url=f"http://127.0.0.1:{free_port()}"),
        shop.CONNECTION,
    ),
    "the shop's clock": (lambda at: at.order("shop", "clock-skew", times=1), shop.CLOCK),
    "a public address in clear text": (
        lambda at: setattr(at, "public_url", "http://pay.example"),
        PUBLIC_URL,
    ),
    "a vault with another key": (_other_vault, SETTINGS),
}

EVERY_FAULT = OF_SYSPRO | OF_THE_OTHERS
