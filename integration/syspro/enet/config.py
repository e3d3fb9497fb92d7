"""What sites do differently over e.net: every point that no public source settles, with what we assume."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from integration.syspro.enet.text import Decoding

BUSINESS_OBJECTS = ("SORTOI", "ARSTPY", "ARSTIN", "GENTJL", "SORTCI", "SORTIC", "CSHTWD")
_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9]*")
# Whether a document is posted at all, and for what value.
_GUARDED_PARAMETERS = frozenset(
    (
        "Process",
        "ValidateOnly",
        "ApplyIfEntireDocumentValid",
        "AutoCorrectPaymentValue",
        "ActionType",
        "AllowDuplicateOrderNumbers",
        "StatusInProcess",
        "IgnoreWarnings",
        "PostingPeriod",
        "AcceptOrdersIfNoCredit",
        "OrderType",
    )
)
# What is posted to whom, and under what it is found again.
_GUARDED_ELEMENTS = frozenset(
    (
        "Parameters", "Orders", "OrderHeader", "OrderDetails", "StockLine", "FreightLine", "MiscChargeLine",
        "CustomerPoNumber", "OrderActionType", "Customer", "StockCode", "OrderQty", "OrderUom", "Price", "PriceUom",
        "FreightValue", "MiscChargeValue", "Item", "Payment", "PaymentValue", "Reference", "InvoiceToPay", "Invoice",
        "GrossPaymentValue", "DiscountValue", "UnappliedPayment", "CustomerPurchaseOrder", "TransactionType",
        "InvoiceValue", "JournalReference", "JournalDetails", "LedgerCode", "EntryAmount", "PostJournal",
        "Adjustments", "InvoiceToAdjust", "AdjustmentValue", "AdjustmentLedgerCode", "MiscellaneousReceipt",
        "MiscellaneousReceiptValue", "Bank", "DebitLedgerCode", "CreditLedgerCode", "InvoiceNumber", "SalesOrder",
        "CreditNoteNumber", "Lines", "LineNumber", "AddTransaction", "DepositOrWithdrawal", "TransactionValue",
        "TaxBasis", "LedgerDistribution", "LedgerValue",
    )
)  # fmt: skip

KeyFormat = int | Literal["learn", "alpha"]


class EnetConfig(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site's habits. The defaults suit what has been recorded of SYSPRO 7 and reported of SYSPRO 8.

    Attributes:
        use_post_ld: whether documents travel in the body of `POST Transaction/PostLD` rather than in the query
            of `GET Transaction/Post`. One client is known that uses it, and SYSPRO 7 may lack it, so `auto` asks
            once, with a rehearsal (`ValidateOnly`) of an empty document; `always` and `never` do not ask.
        token_style: SYSPRO 7 ends its tokens with two blanks and refuses to log off without them (`verbatim`);
            clients of SYSPRO 8 trim them, which `trimmed` does too.
        language_code: sent with the logon when not empty (`05` is English); recorded logons have none.
        local_currency: SYSPRO's own code of the company's currency, should `GetLogonProfile` not tell it: the
            names of its elements are known from a client's code, not from a recording.
        customer_key, invoice_key: how keys are stored: a width to which digits are padded with zeros, `alpha`
            for keys kept as they are, or `learn` to read some rows at the first posting and see.
        order_warnings: what warnings do to an order: `W` takes it and tells them, `N` refuses, `Y` hides them.
        money_warnings: the same for payments, invoices and journals; a warning about money stops it, so `N`.
        decode: how an answer's bytes are read. Its prolog says Windows-1252 and cannot be trusted, so `auto` takes
            UTF-8 if it is that without exception, else Windows-1252.
        url_room: characters of an encoded query. The server's own limit for line and headers is 16,384 bytes
            unless the site changed it; longer look-ups are cut into several, longer documents are refused. A
            look-up that is refused for its length is cut in half, and those after it too.
        credit_number: whether the `_CRD` number of unapplied cash, which ARSTPY does not tell, is read after a
            payment. Needed only where such cash leaves no movement under our reference; `auto` reads until it
            has seen one movement.
        overpayments: pay more on an invoice than is open. SYSPRO's answer to that is not documented, so the balance
            is read before a payment that names invoices, and more than it is refused.
        parameters: the site's own values of parameters, by business object (`{"SORTOI": {"AllocationAction": "B"}}`).
        leave_out: elements never sent, by business object, should a release refuse one.
        relogons: how often a call is made again in a new session when its own turned out to be dead; SYSPRO ends
            an operator's session when the operator logs on a second time.
        idle_seconds: silence after which the session is given back with its licence seat; how long SYSPRO itself
            keeps a silent one is the site's set-up. 0 keeps it until the service stops.
    """

    use_post_ld: Literal["auto", "always", "never"] = "auto"
    token_style: Literal["verbatim", "trimmed"] = "verbatim"  # noqa: S105
    language_code: str = ""
    local_currency: str = ""
    customer_key: KeyFormat = "learn"
    invoice_key: KeyFormat = "learn"
    order_warnings: Literal["N", "Y", "W"] = "W"
    money_warnings: Literal["N", "Y"] = "N"
    decode: Decoding = "auto"
    url_room: int = 14_000
    credit_number: Literal["auto", "always", "never"] = "auto"
    overpayments: bool = False
    parameters: dict[str, dict[str, str]] = {}
    leave_out: dict[str, tuple[str, ...]] = {}
    relogons: int = 1
    idle_seconds: float = 300.0

    def __post_init__(self) -> None:
        for code, given in self.parameters.items():
            _must_not_touch(code, given, _GUARDED_PARAMETERS, "`parameters`")
        for code, names in self.leave_out.items():
            _must_not_touch(code, names, _GUARDED_PARAMETERS | _GUARDED_ELEMENTS, "`leave_out`")
        if self.relogons < 0 or self.idle_seconds < 0:
            raise ValueError("`relogons` and `idle_seconds` are not negative")


def _must_not_touch(code: str, names: Iterable[str], guarded: frozenset[str], setting: str) -> None:
    if code not in BUSINESS_OBJECTS:
        raise ValueError(f"{setting} of {code}: the business objects are {', '.join(BUSINESS_OBJECTS)}")
    for name in names:
        if not _ELEMENT.fullmatch(name):
            raise ValueError(f"{setting} of {code}: {name!r} is no element's name")
        if name in guarded:
            raise ValueError(f"{setting} of {code}: {name} must stay, or a document is lost or posted twice")
