"""The rows of a SYSPRO company, under SYSPRO's column names.

A lower-case field is the sandbox's own bookkeeping and never leaves through a face. Decimals carry the
scale of their column: money 2, quantities and rates 6, prices 5. Money on AR documents is in the
customer's currency unless the field says local.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from integration.sandbox.syspro.values import ZERO

ONE = Decimal("1.000000")
NONE = Decimal("0.000000")


class Customer(msgspec.Struct, frozen=True):
    """ArCustomer; ``others`` holds the columns no rule here reads."""

    Customer: str
    Name: str = ""
    ShortName: str = ""
    Salesperson: str = "100"
    Branch: str = "10"
    Area: str = ""
    TermsCode: str = "00"
    Currency: str = ""
    CustomerOnHold: str = "N"
    TaxStatus: str = "N"
    BalanceType: str = "I"
    PoNumberMandatory: str = ""
    CreditLimit: str = "0"
    PaymentsAllowed: str = "Y"
    UnappPayAllowed: str = "Y"
    SalesAllowed: str = "Y"
    CrNotesAllowed: str = "Y"
    DrNotesAllowed: str = "Y"
    Email: str = ""
    others: dict[str, str] = {}


class StockItem(msgspec.Struct, frozen=True):
    """InvMaster."""

    StockCode: str
    Description: str = ""
    LongDesc: str = ""
    StockUom: str = "EA"
    AlternateUom: str = "EA"
    OtherUom: str = "EA"
    ProductClass: str = "WEB"
    TaxCode: str = "A"
    OtherTaxCode: str = ""
    WarehouseToUse: str = "FG"
    DistWarehouseToUse: str = ""
    Decimals: str = "0"
    StockOnHold: str = ""
    SalesOnHold: str = ""
    PartCategory: str = "B"
    KitType: str = "N"
    SerialMethod: str = "N"
    TraceableType: str = "N"


class WarehouseItem(msgspec.Struct, frozen=True):
    """InvWarehouse: one stock code in one warehouse."""

    StockCode: str
    Warehouse: str
    QtyOnHand: Decimal = NONE
    QtyAllocated: Decimal = NONE
    QtyOnOrder: Decimal = NONE
    QtyOnBackOrder: Decimal = NONE
    QtyInTransit: Decimal = NONE
    QtyAllocatedWip: Decimal = NONE
    UnitCost: Decimal = Decimal("0.00000")
    DefaultBin: str = ""


class OrderLine(msgspec.Struct, frozen=True):
    """SorDetail; LineType 1 stock, 4 freight, 5 miscellaneous charge, 6 comment."""

    SalesOrderLine: str
    LineType: str
    MStockCode: str = ""
    MStockDes: str = ""
    MWarehouse: str = ""
    MOrderQty: Decimal = NONE
    MShipQty: Decimal = NONE
    MBackOrderQty: Decimal = NONE
    MOrderUom: str = ""
    MPrice: Decimal = Decimal("0.00000")
    MPriceUom: str = ""
    MDiscPct1: Decimal = ZERO
    MProductClass: str = ""
    MTaxCode: str = ""
    NComment: str = ""
    NMscChargeValue: Decimal = ZERO
    NMscChargeCost: Decimal = ZERO
    NMscProductCls: str = ""
    NMscTaxCode: str = ""
    MCreditOrderNo: str = ""
    MCreditOrderLine: str = ""
    po_line: str = ""
    allocates: bool = False
    invoiced: Decimal = NONE


class SalesOrder(msgspec.Struct, frozen=True):
    """SorMaster with its lines; a credit note knows the invoice it credits."""

    SalesOrder: str
    Customer: str
    CustomerPoNumber: str
    OrderStatus: str = "1"
    CancelledFlag: str = ""
    DocumentType: str = "O"
    OrderDate: str = ""
    ReqShipDate: str = ""
    Branch: str = ""
    Salesperson: str = ""
    Area: str = ""
    Warehouse: str = ""
    Currency: str = ""
    ExchangeRate: Decimal = ONE
    MulDiv: str = "M"
    InvTermsOverride: str = ""
    TaxStatus: str = ""
    LastInvoice: str = ""
    DateLastInvPrt: str = ""
    DepositFlag: str = ""
    WebCreated: str = "Y"
    OrderType: str = ""
    AlternateKey: str = ""
    CustomerName: str = ""
    Email: str = ""
    ShipAddress1: str = ""
    ShipAddress2: str = ""
    ShipAddress3: str = ""
    ShipAddress3Locality: str = ""
    ShipAddress4: str = ""
    ShipAddress5: str = ""
    ShipPostalCode: str = ""
    ShippingInstrs: str = ""
    SpecialInstrs: str = ""
    lines: tuple[OrderLine, ...] = ()
    credited_invoice: str = ""


class ArInvoice(msgspec.Struct, frozen=True):
    """ArInvoice: an invoice, note or unapplied payment; ``local_balance`` is InvoiceBal1 in local money.

    ``register`` (month and number) is where the invoice register has it; unapplied payments are in none.
    """

    Customer: str
    Invoice: str
    DocumentType: str
    InvoiceDate: str = ""
    SalesOrder: str = ""
    CustomerPoNumber: str = ""
    Branch: str = ""
    TermsCode: str = ""
    CurrencyValue: Decimal = ZERO
    PostCurrency: str = ""
    ConvRate: Decimal = ONE
    MulDiv: str = "M"
    InvoiceBal1: Decimal = ZERO
    TaxPortion: Decimal = ZERO
    DiscBal: Decimal = ZERO
    local_balance: Decimal = ZERO
    register: str = ""
    credited_invoice: str = ""


class ArInvoicePay(msgspec.Struct, frozen=True):
    """ArInvoicePay: one movement on an AR document (TrnType P payment, A adjustment, C and D notes)."""

    Customer: str
    Invoice: str
    DocumentType: str
    EntryNumber: str
    TrnType: str
    JournalDate: str
    Journal: str
    TrnYear: str
    TrnMonth: str
    Reference: str
    TrnValue: Decimal
    DiscValue: Decimal
    PostValue: Decimal
    PostCurrency: str
    PostConvRate: Decimal
    PostMulDiv: str
    Branch: str
    InvoiceNotation: str


class ArPayment(msgspec.Struct, frozen=True):
    """One item of an AR cash journal, as it was posted: what the sandbox's ledger reports."""

    TrnYear: str
    TrnMonth: str
    Journal: str
    Kind: str
    Customer: str
    Reference: str
    PaymentValue: Decimal
    Currency: str
    PaymentDate: str
    JournalNotation: str
    PaymentNarration: str
    Bank: str
    PaymentType: str
    CustomerPurchaseOrder: str = ""
    invoices: tuple[str, ...] = ()
