"""Which elements each business object knows, of which kind and width: data for both faces.

A kind is a width (text), or ``money``, ``qty``, ``price``, ``rate``, ``percent`` (decimals), ``date``,
``flag``, or ``texts`` (repeated text). The JSON face refuses what is not listed; e.net ignores it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from integration.sandbox.syspro.findings import TOO_LONG, Reader
from integration.sandbox.syspro.values import Value


class Shape(msgspec.Struct, frozen=True):
    """The elements of one group.

    Attributes:
        texts: element name to kind.
        groups: element name to the shape of a single group.
        repeats: element name to the shape of a repeated group.
    """

    texts: Mapping[str, str]
    groups: Mapping[str, Shape] = {}
    repeats: Mapping[str, Shape] = {}


def shape(elements: str, repeats: Mapping[str, Shape] | None = None, **groups: Shape) -> Shape:
    """Build a shape from ``Name:kind`` words; a bare name is a flag."""
    pairs = (word.partition(":") for word in elements.split())
    kinds = {name: kind or "flag" for name, _, kind in pairs}
    return Shape(kinds, groups, repeats or {})


def check_widths(reader: Reader, known: Shape, *, columns: bool) -> None:
    """Refuse every text that is longer than its element, or than its column when ``columns`` is set."""
    for name, kind in known.texts.items():
        value = reader.document.get(name)
        if value is not None and kind not in _NUMERIC:
            _check_width(reader, name, value, _COLUMNS.get(name, kind) if columns else kind)
    for name, inner in known.groups.items():
        if name in reader.document:
            check_widths(reader.child(name), inner, columns=columns)
    for name, inner in known.repeats.items():
        for repeat in reader.children(name):
            check_widths(repeat, inner, columns=columns)


# Kinds that are read as what they are: a long date is no date, whatever its width.
_NUMERIC = frozenset({"money", "qty", "price", "rate", "percent", "date"})
# Elements wider than the column that stores them: e.net cuts these silently.
_COLUMNS = {"SpecialInstrs": "30"}
_WIDTHS = {"flag": 1, "texts": 400}


def _check_width(reader: Reader, name: str, value: Value, kind: str) -> None:
    width = _WIDTHS[kind] if kind in _WIDTHS else int(kind)
    held = value if isinstance(value, list) else [value]
    if any(isinstance(text, str) and len(text.strip()) > width for text in held):
        reader.refuse(name, TOO_LONG, f"{name} cannot be longer than {width} characters")


_POSTING = "IgnoreWarnings ApplyIfEntireDocumentValid ValidateOnly"

ORDER_PARAMETERS = shape(
    _POSTING + " Process:8 OrderStatus TypeOfOrder:3 AllowDuplicateOrderNumbers CheckForCustomerPoNumbers"
    " AlwaysUsePriceEntered AllowZeroPrice AllowChangeToZeroPrice AllocationAction ShipFromDefaultBin"
    " AllowNonStockItems AcceptOrdersIfNoCredit CreditFailMessage:100 WarnIfCustomerOnHold"
    " AcceptEarlierShipDate MinimumDaysToShip:3 WarehouseListToUse:100 UseCustomerSalesWarehouse"
    " CustomerToUse:15 ValidProductClassList:200 OperatorToInform:20 InBoxMsgReqd"
    " AllowManualOrderNumberToBeUsed AllowInvoiceInformationEntry UseStockDescSupplied"
    " ValidateShippingInstrs AddStockSalesOrderText AddDangerousGoodsText AddAttachedServiceCharges"
    " AllowBackOrderForPartialHold AllowBackOrderForSuperseded AllowBackOrderForNegativeMerchLine"
    " OverrideCustomerBackOrder AcceptKitOptional UseMasterAccountForCustomerPartNo"
    " ApplyLeadTimeCalculation ApplyParentDiscountToComponents ReserveStock ReserveStockRequestAllocs"
    " PutEntireQuantityOnNewLoadWhenChanged StatusInProcess StatusInProcessResponse"
)

ORDER_HEADER = shape(
    "CustomerPoNumber:30 OrderActionType NewCustomerPoNumber:30 Supplier:15 Customer:15 OrderDate:date"
    " InvoiceTerms:2 Currency:3 ShippingInstrs:50 ShippingInstrsCode:6 CustomerName:50 ShipAddress1:40"
    " ShipAddress2:40 ShipAddress3:40 ShipAddress3Locality:40 ShipAddress4:40 ShipAddress5:40"
    " ShipPostalCode:10 ShipGpsLat:rate ShipGpsLong:rate LanguageCode:2 Email:255"
    " OrderDiscPercent1:percent OrderDiscPercent2:percent OrderDiscPercent3:percent Warehouse:10"
    " SpecialInstrs:50 SalesOrder:20 OrderType:2 MultiShipCode:5 ShipAddressPerLine AlternateReference:10"
    " Salesperson:20 Branch:10 Area:10 RequestedShipDate:date InvoiceNumberEntered:20"
    " InvoiceDateEntered:date OrderComments:texts Nationality:3 DeliveryTerms:3 ShippingLocation:20"
    " TransactionNature:3 TransportMode:2 ProcessFlag TaxExemptNumber:30 TaxExemptionStatus"
    " CompanyTaxNumber:15 GstExemptNumber:30 GstExemptionStatus CancelReasonCode:6 DocumentFormat"
    " State:2 CountyZip:5 City:3 DeliveryRoute:10 DeliveryRouteAction InvoiceWholeOrderOnly"
    " POSSalesOrder IncludeInMrp eSignature:36"
)

STOCK_LINE = shape(
    "CustomerPoLine:4 LineActionType LineCancelCode:6 StockCode:30 StockDescription:50 Warehouse:10"
    " CustomersPartNumber:30 OrderQty:qty OrderUom:10 Price:price PriceUom:10 PriceCode:10"
    " AlwaysUsePriceEntered Units:qty Pieces:qty ProductClass:20 LineDiscPercent1:percent"
    " LineDiscPercent2:percent LineDiscPercent3:percent AlwaysUseDiscountEntered LineDiscValue:money"
    " LineDiscValFlag OverrideCalculatedDiscount CustRequestDate:date LineShipDate:date CommissionCode:1"
    " UserDefined:4 NonStockedLine NsProductClass:20 NsUnitCost:price UnitMass:qty UnitVolume:qty"
    " StockTaxCode:3 StockNotTaxable StockFstCode:3 StockNotFstTaxable AllocationAction ConfigPrintInv"
    " ConfigPrintDel ConfigPrintConf TariffCode:20 LineMultiShipCode:5 ReserveStock TradePromotionCodes:50",
    DeliveryLoad=shape("DeliveryRouteCode:10 DeliveryDate:date DeliverySequence:6"),
)
FREIGHT_LINE = shape(
    "CustomerPoLine:4 LineActionType LineCancelCode:6 FreightValue:money FreightCost:money"
    " FreightTaxCode:3 FreightNotTaxable FreightFstCode:3 FreightNotFstTaxable"
)
MISC_LINE = shape(
    "CustomerPoLine:4 LineActionType LineCancelCode:6 MiscChargeValue:money MiscChargeCost:money"
    " MiscQuantity:qty MiscProductClass:20 MiscTaxCode:3 MiscNotTaxable MiscFstCode:3 MiscNotFstTaxable"
    " MiscDescription:100 MiscChargeCode:6 MiscTariffCode:20 MiscSvcChargePrice:price"
)
COMMENT_LINE = shape(
    "CustomerPoLine:4 LineActionType LineCancelCode:6 Comment:100 AttachedLineNumber:4 CommentType"
)

ORDER = shape(
    "",
    OrderHeader=ORDER_HEADER,
    OrderDetails=shape(
        "",
        {
            "StockLine": STOCK_LINE,
            "FreightLine": FREIGHT_LINE,
            "MiscChargeLine": MISC_LINE,
            "CommentLine": COMMENT_LINE,
        },
    ),
)

PAYMENT_PARAMETERS = shape(
    _POSTING + " PostingPeriod AutoCorrectPaymentValue ApplySpecificBranch BranchToUse:10"
    " AreaToUseForLedgerIntegration:10 IntegrateToCashBookInDetail AutoCalculateTax IgnoreAnalysis"
    " NextJournal:10 ValidatePasswords GroupPayment IncludeDimensionAnalysis"
)
_DRAWER = " Bank:15 PaymentType DrawerName:50 DrawerBank:30 DrawerBranch:30"
_AGES = (
    " IncludeFutureInvoices IncludeCurrentInvoices Include30DayInvoices Include60DayInvoices"
    " Include90DayInvoices Include120DayAndOverInvoices"
)
_DISTRIBUTED = (
    " GrossPaymentValue:money DiscountValue:money TaxPortionOfDiscount:money WithholdingTaxValue:money"
    " CustomerPurchaseOrder:30 ExchangeRateToUse:rate"
)
PAYMENT = shape(
    "Customer:15 PaymentValue:money Reference:30 PaymentDate:date JournalNotation:50 PaymentNarration:50"
    " DefaultExchangeRateMethod DefaultExchangeRateToUse:rate ExchangeRateVarianceLedgerCode:35"
    " PasswordExchangeRateVarianceLedgerCode:20 ApplyDuePostDatedChecks BankChargeValue:money"
    " BankChargeExchangeRate:rate" + _DRAWER,
    {
        "InvoiceToPay": shape("TransactionType Invoice:20" + _DISTRIBUTED),
        "UnappliedPayment": shape(_DISTRIBUTED),
    },
    AutomaticPaymentsOptions=shape("ApplyAutomaticPayments AutomaticPaymentsSequence" + _AGES),
    SumCreditValuesOptions=shape("SumCreditValues" + _AGES),
)
ADJUSTMENTS = shape(
    "Customer:15" + _DRAWER,
    {
        "InvoiceToAdjust": shape(
            "TransactionType Invoice:20 AdjustmentValue:money AdjustmentTaxCode:3"
            " TaxPortionOfAdjustment:money Reference:30 AdjustmentLedgerCode:35"
            " PasswordForAdjustmentLedgerCode:20 JournalNotation:50"
        )
    },
)
MISCELLANEOUS_RECEIPT = shape(
    "Currency:3 Branch:10 MiscellaneousReceiptValue:money Reference:30 MiscellaneousReceiptDate:date"
    " DebitLedgerCode:35 PasswordForDebitLedgerCode:20 CreditLedgerCode:35 PasswordForCreditLedgerCode:20"
    " JournalNotation:50 MiscellaneousExchangeRate:rate BankChargeValue:money BankChargeExchangeRate:rate"
    + _DRAWER
)
PAYMENT_ITEM = shape("", Payment=PAYMENT, Adjustments=ADJUSTMENTS, MiscellaneousReceipt=MISCELLANEOUS_RECEIPT)

INVOICE_PARAMETERS = shape(_POSTING + " PostingPeriod AutomaticTaxCalculation IncludeDimensionAnalysis")
INVOICE_ITEM = shape(
    "TransactionType Customer:15 PostToExistingInvoice GenerateInvoiceNumber Invoice:20 InvoiceDate:date"
    " Reference:30 InvoiceValue:money FixedExchangeRate ExchangeRate:rate Taxable TaxCode:3 TaxValue:money"
    " GSTTaxable GSTTaxCode:3 GSTValue:money CostValue:money ProductClass:20 InvoiceTerms:2"
    " GeographicArea:10 Salesperson:20 Branch:10 eSignature:36"
)

JOURNAL_PARAMETERS = shape(
    _POSTING + " ActionType ValidatePasswords DeleteEntriesonMaint IgnoreAnalysis IncludeDimensionAnalysis"
)
JOURNAL_ITEM = shape(
    "JournalType JournalNumber:10 AuthorizeJournal PostJournal CancelJournal HoldJournal JournalDate:date"
    " JournalReference:30 Notation:100 PostingPeriod:2 PostingYear:4 SourceCode:2 Currency:3 Source:2"
    " Type:3 Company:4 AuditorsPassword:20 esignature:36",
    {
        "JournalDetails": shape(
            "EntryNumber:5 LedgerCode:35 LedgerCodePassword:20 Date:date Reference:50 EntryAmount:money"
            " DeleteEntry Comment:250 AnalysisEntry:10"
        )
    },
)

CUSTOMER_PARAMETERS = shape(_POSTING + " UpdateFaxEmailOrders UpdateFaxEmailReprint ValidateTaxExemptionNo")
CUSTOMER_ITEM = shape(
    "Name:50 ShortName:20 Salesperson:20 Salesperson1:20 Salesperson2:20 Salesperson3:20 Branch:10 Area:10"
    " CustomerClass:10 TermsCode:2 PriceCode:10 PriceCategoryTable:260 BuyingGroup1:10 BuyingGroup2:10"
    " BuyingGroup3:10 BuyingGroup4:10 BuyingGroup5:10 SalesWarehouse:10 RouteCode:10 CreditLimit:12"
    " CreditStatus CreditCheckFlag BalanceType TaxStatus TaxExemptNumber:30 CompanyTaxNumber:15 Currency:3"
    " CustomerOnHold PoNumberMandatory Email:255 Telephone:20 AddTelephone:20 Contact:50 Fax:20 DocFax:20"
    " DocFaxContact:50 SoldToAddr1:40 SoldToAddr2:40 SoldToAddr3:40 SoldToAddr3Loc:40 SoldToAddr4:40"
    " SoldToAddr5:40 SoldPostalCode:10 SoldToGpsLat:rate SoldToGpsLong:rate ShipToAddr1:40 ShipToAddr2:40"
    " ShipToAddr3:40 ShipToAddr3Loc:40 ShipToAddr4:40 ShipToAddr5:40 ShipPostalCode:10 ShipToGpsLat:rate"
    " ShipToGpsLong:rate InvDiscCode:2 LineDiscCode:2 ApplyOrdDisc ApplyLineDisc BackOrdReqd StatementReqd"
    " ExemptFinChg MaintHistory DetailMoveReqd ContractPrcReqd EdiFlag EdiSenderCode:40 CounterSlsOnly"
    " IbtCustomer SoDefaultType:2 DefaultOrdType:2 SoDefaultDoc:2 Nationality:3 DeliveryTerms:3"
    " TransactionNature:3 TpmCustomerFlag UserField1:10 UserField2:money eSignature:36",
    Key=shape("Customer:15"),
)

CASH_PARAMETERS = shape(
    _POSTING + " PostingPeriod IgnoreAnalysis Taxable IncludeDimensionAnalysis ApplySingle SingleBank:15"
)
CASH_ITEM = shape(
    "",
    AddTransaction=shape(
        "Bank:15 DepositOrWithdrawal Reconciled Reference:30 TransactionValue:money TransactionDate:date"
        " Narration:50 WithdrawalType CheckNumber:15 PostingCurrency:3 ExchangeRate:rate TaxBasis"
        " TaxValue:money",
        {
            "LedgerDistribution": shape(
                "LedgerCode:35 PasswordForLedgerCode:20 LedgerTaxCode:3 LedgerNotation:50 LedgerValue:money"
            )
        },
    ),
)

CANCEL_ORDER = shape("CancelReasonCode:6 SalesOrderLine:4 MarkLineComplete")
ORDER_STATUS = shape("NewOrderStatus CreditAuthority:3")
INVOICE_ORDER = shape("InvoiceDate:date PostingPeriod OrderType")
CREDIT_NOTE_ITEM = shape(
    "CreditNoteNumber:20 InvoiceNumber:20 Customer:15 SalesOrder:20 CreditReason:6",
    {"Lines": shape("LineNumber:4 DispatchNote:20 DispatchLineNumber:4")},
)
VALIDATE_ACCOUNT = shape("LedgerCode:35 SecurityType ValidateStructure ValidateFlags")
LOGON = shape("Operator:20 OperatorPassword:200 CompanyId:4 CompanyPassword:200")
