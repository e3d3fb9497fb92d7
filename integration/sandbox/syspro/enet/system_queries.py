"""What SYSPRO says of itself: companies and seats, the operator's profile, set-up options, rates."""

from __future__ import annotations

from decimal import Decimal

from integration.sandbox.syspro.enet.call import Call
from integration.sandbox.syspro.enet.customer_query import system_information
from integration.sandbox.syspro.enet.xml_out import RATE_WIDTH, Answer, Elements, number, texts
from integration.sandbox.syspro.sessions import Session
from integration.sandbox.syspro.store import Store


def logon_profile(store: Store, session: Session) -> Answer:
    """GetLogonProfile; the root is not confirmed, readers look for elements anywhere."""
    config = store.config
    currency = store.currencies.get(config.local_currency)
    today = store.accounting_date().isoformat()
    return Answer(
        "UserInfo",
        texts(
            CompanyName=f"Sandbox company {config.company}", OperatorCode=session.operator,
            OperatorGroup="ENET", OperatorEmailAddress="", OperatorLocation="", OperatorLanguageCode="EN",
            SystemLanguage="05", AccountingDate=today, CompanyDate=today, DefaultArBranch=config.branch,
            DefaultApBranch=config.branch, DefaultBank=config.bank, DefaultWarehouse=config.warehouse,
            DefaultCustomer="", SystemSiteId="SANDBOX", SystemNationalityCode="",
            LocalCurrencyCode=config.local_currency,
            CurrencyDescription=currency.Description if currency else "", DefaultRequisitionUser="",
            XMLToHTMLTransform="", CssStyle="", CssSuffix="", DecimalFormat="1", DateFormat="01",
            FunctionalRole="", DatabaseType="SQL", SysproVersion=config.syspro_version,
            EnetVersion=config.enet_version, SysproServerBitWidth="64",
        ),
    )  # fmt: skip


def operator_profile(call: Call) -> Answer:
    """COMPRF: the operator's own defaults."""
    return Answer("OperatorProfile", logon_profile(call.store, call.session).content)


def companies(call: Call) -> Answer:
    """COMQCO: the companies, and with ``IncludeSystemInfo`` how many seats there are and how many are taken."""
    config = call.store.config
    content: Elements = [
        ("Company", texts(CompanyId=config.company, CompanyName=f"Sandbox company {config.company}"))
    ]
    if call.wants("IncludeSystemInfo", "N") or call.asked("IncludeSystemInfo").upper() == "Y":
        seats, taken = Decimal(config.settings.seats), Decimal(len(call.sessions.active()))
        numbers = {"LicensedUsers": seats, "CurrentUsers": taken}
        content.append(("SystemInfo", [(name, number(n, call.quirks)) for name, n in numbers.items()]))
    return Answer("CompanyQuery", content)


def receivables_options(call: Call) -> Answer:
    """ARSQSO: set-up of receivables; payments keep their bank and reach the cash book."""
    general = texts(BankDepSlipReq="Y", ForeignCurrSalesReq="Y", PurgeZeroInvoiceMonths="12")
    return Answer("AccountsReceivableOptions", [*_information(call), ("General", general)])


def order_options(call: Call) -> Answer:
    """IMPQSO: set-up of sales orders."""
    quirks = call.quirks
    general = texts(BranchToBeWarehouse="N", AllowNegQtys="N")
    changes = "N" if quirks.stock_tax_code_ignored else "Y"
    options = texts(
        AllowDuplicatePoNumbers="N" if quirks.unique_purchase_orders else "Y", AllowTaxCodeChange=changes
    )
    return Answer("SalesOrderOptions", [*_information(call), ("General1", general), ("General2", options)])


def integration_options(call: Call) -> Answer:
    """GENQSI: how the modules reach the general ledger, here at once and in detail."""
    values = texts(
        ArIntegrationLevel="D", CreateArGlJournal="Y", PostArGlJournal="Y", CbIntegrationLevel="D",
        CreateCbGlJournal="Y", PostCbGlJournal="Y",
    )  # fmt: skip
    return Answer("GlIntegrationQuery", [*_information(call), ("GeneralLedger", values)])


def _information(call: Call) -> Elements:
    wanted = call.wants("IncludeInformationItems", "N")
    return [("SystemInformation", system_information(call))] if wanted else []


def exchange_rates(call: Call) -> Answer:
    """IMPQCD: the book rates of the currencies, one date each: the sandbox keeps no history."""
    wanted = call.asked("Key/Currency").upper()
    content: Elements = []
    for held in call.store.currencies:
        if wanted in {"", held.Currency}:
            rates = texts(
                Currency=held.Currency, Description=held.Description,
                RateDate=call.store.accounting_date().isoformat(),
                BuyExchangeRate=number(held.BuyExchangeRate, call.quirks, RATE_WIDTH), BuyMulDiv=held.BuyMulDiv,
                SellExchangeRate=number(held.SellExchangeRate, call.quirks, RATE_WIDTH),
                SellMulDiv=held.SellMulDiv,
            )  # fmt: skip
            content.append(("CurrencyItem", rates))
    return Answer("DatedExchangeRateQuery", content)
