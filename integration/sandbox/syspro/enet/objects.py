"""Which business object does what: the table every operation looks in."""

from __future__ import annotations

from collections.abc import Callable

from integration.sandbox.syspro.enet.browse import browse, fetch
from integration.sandbox.syspro.enet.call import LOCKED_TEXT, Call, TextError, error_parts
from integration.sandbox.syspro.enet.customer_query import statement
from integration.sandbox.syspro.enet.find import find
from integration.sandbox.syspro.enet.ledger_queries import (
    account_check,
    bank_balances,
    bank_transactions,
    ledger_account,
)
from integration.sandbox.syspro.enet.order_import import ROOT as ORDER_ROOT
from integration.sandbox.syspro.enet.order_import import import_document
from integration.sandbox.syspro.enet.order_queries import sales_order, sales_orders, suggested_header
from integration.sandbox.syspro.enet.setup import SETUPS, maintain
from integration.sandbox.syspro.enet.stock_query import stock_code
from integration.sandbox.syspro.enet.system_queries import (
    companies,
    exchange_rates,
    integration_options,
    operator_profile,
    order_options,
    receivables_options,
)
from integration.sandbox.syspro.enet.transactions import TRANSACTIONS, root_of, transact
from integration.sandbox.syspro.enet.xml_out import Answer, Elements
from integration.sandbox.syspro.findings import Finding

Handler = Callable[[Call], Answer]

NOT_AVAILABLE = "e.net exception raised: 100000"
_LOCKED_NUMBER = "900010"

QUERIES: dict[str, Handler] = {
    "ARSQRY": statement,
    "ARSQSO": receivables_options,
    "COMBRW": browse,
    "COMFCH": fetch,
    "COMFND": find,
    "COMPRF": operator_profile,
    "COMQCO": companies,
    "CSHQ45": bank_balances,
    "CSHQRY": bank_transactions,
    "GENQGL": account_check,
    "GENQRY": ledger_account,
    "GENQSI": integration_options,
    "IMPQCD": exchange_rates,
    "IMPQSO": order_options,
    "INVQRY": stock_code,
    "SORQRY": sales_order,
    "SORQSO": sales_orders,
}
_POSTS: dict[str, Handler] = {**dict.fromkeys(TRANSACTIONS, transact), "SORTOI": import_document}
_SETUPS: dict[str, Handler] = dict.fromkeys(SETUPS, maintain)
_BY_OPERATION: dict[str, dict[str, Handler]] = {
    "query": QUERIES, "build": {"SORRSH": suggested_header}, "post": _POSTS, "add": _SETUPS,
    "update": _SETUPS, "delete": _SETUPS,
}  # fmt: skip


def handler_of(call: Call) -> Handler:
    """The handler of a call's object.

    Raises:
        TextError: exception 100000 when the object is unknown to the operation, or not licensed to the
            operator; SYSPRO's text does not tell the two apart.
    """
    settings = call.store.config.settings
    barred = {*settings.unlicensed, *settings.unauthorised, *call.quirks.unlicensed_objects}
    handler = _BY_OPERATION[call.operation].get(call.code)
    if handler is None or call.code in barred:
        raise TextError(NOT_AVAILABLE)
    return handler


def locked_answer(call: Call) -> Answer:
    """The document of a call that met a record in use: an error inside good XML."""
    said: Elements = error_parts(Finding("", "", _LOCKED_NUMBER, LOCKED_TEXT))
    if call.operation in {"query", "build"}:
        return Answer("Query", said)
    if call.code in TRANSACTIONS:
        root = root_of(TRANSACTIONS[call.code], call.quirks)
    else:
        root = SETUPS[call.code].root.lower() if call.code in SETUPS else ORDER_ROOT
    return Answer(root, [("Item", said)])
