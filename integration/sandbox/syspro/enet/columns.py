"""The SQL columns of the tables COMFND reads: what the sandbox does not keep is there and blank."""

from __future__ import annotations


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


AR_CUSTOMER = _names(
    "Customer Name ShortName CustomerType MasterAccount StoreNumber CreditStatus CreditLimit"
    " CreditCheckFlag InvoiceCount Salesperson Salesperson1 Salesperson2 Salesperson3 PriceCode"
    " CustomerClass Branch TermsCode InvDiscCode BalanceType Area LineDiscCode TaxStatus TaxExemptNumber"
    " SpecialInstrs PriceCategoryTable DateLastSale DateLastPay OutstOrdVal NumOutstOrd Telephone Contact"
    " AddTelephone Fax TelephoneExtn Currency UserField1 UserField2 BuyingGroup1 BuyingGroup2 BuyingGroup3"
    " BuyingGroup4 BuyingGroup5 StatementReqd BackOrdReqd ShippingInstrs ShippingInstrsCod StateCode"
    " DateCustAdded IbtCustomer SoDefaultDoc CounterSlsOnly PaymentStatus Nationality HighestBalance"
    " CustomerOnHold InvCommentCode EdiSenderCode RelOrdOsValue EdiFlag SoDefaultType Email ApplyOrdDisc"
    " ApplyLineDisc FaxInvoices FaxStatements SoldToAddr1 SoldToAddr2 SoldToAddr3 SoldToAddr3Loc"
    " SoldToAddr4 SoldToAddr5 SoldPostalCode SoldToGpsLat SoldToGpsLong ShipToAddr1 ShipToAddr2"
    " ShipToAddr3 ShipToAddr3Loc ShipToAddr4 ShipToAddr5 ShipPostalCode ShipToGpsLat ShipToGpsLong State"
    " CountyZip City DefaultOrdType PoNumberMandatory CompanyTaxNumber DeliveryTerms PaymentsAllowed"
    " UnappPayAllowed SalesAllowed CrNotesAllowed DrNotesAllowed QuotesAllowed QueryAllowed SalesWarehouse"
    " LanguageCode DetailMoveReqd WholeOrderShipFlag MinimumOrderValue UkVatFlag UkCurrency"
)
AR_CUSTOMER_BAL = _names(
    "Customer CurrentBalance1 CurrentBalance2 CurrentBalance3 ValCurrentInv Val30daysInv Val60daysInv"
    " Val90daysInv Val120daysInv ValCreditsInv ValFutureInv"
)
AR_INVOICE = _names(
    "Customer Invoice DocumentType NextPaymEntry InvoiceDate SalesOrder CustomerPoNumber Salesperson"
    " Branch Area TermsCode OrigDiscValue InvoiceBal1 InvoiceBal2 InvoiceBal3 InvoiceYear InvoiceMonth"
    " YearInvBalZero MonthInvBalZero CurrencyValue PostCurrency ConvRate MulDiv AccountCur AccConvRate"
    " TaxStatus TaxPortion TaxCode FixExchangeRate DiscBal OrigInvRate PaymentRunFlag CollectionRunFlag"
    " InvoicePdcFlag PodReference"
)
AR_INVOICE_PAY = _names(
    "Customer Invoice DocumentType EntryNumber TrnType JournalDate Journal Reference TrnValue DiscValue"
    " TrnYear TrnMonth SalesOrder PostValue PostCurrency PostConvRate PostMulDiv AccountCur Branch"
    " PaymentNumber Collector Salesperson InvoiceNotation Area"
)
AR_TRN_SUMMARY = _names(
    "TrnYear TrnMonth Register Invoice SummaryLine Customer Branch Salesperson Area DocumentType"
    " CustomerPoNumber SalesOrder CashCredit DepositType CreditedInvoice"
)
AR_TRN_DETAIL = _names(
    "TrnYear TrnMonth Register Invoice SummaryLine DetailLine Customer Branch StockCode Warehouse"
    " ProductClass TaxCode QtyInvoiced LineType DocumentType CustomerPoNumber SalesOrder SalesOrderLine"
)
SOR_MASTER = _names(
    "SalesOrder OrderStatus ActiveFlag CancelledFlag DocumentType Customer Salesperson Salesperson2"
    " Salesperson3 Salesperson4 CustomerPoNumber OrderDate EntrySystemDate ReqShipDate DateLastDocPrt"
    " ShippingInstrs ShippingInstrsCod InvoiceCount InvTermsOverride CreditAuthority Branch SpecialInstrs"
    " EntInvoice EntInvoiceDate DiscPct1 DiscPct2 DiscPct3 OrderType TaxExemptFlag Area TaxExemptNumber"
    " CashCredit Warehouse LastInvoice ScheduledOrdFlag GstExemptFlag IbtFlag FixExchangeRate ExchangeRate"
    " MulDiv Currency OrderStatusFail ConsolidatedOrder CreditedInvDate Job SerialisedFlag CounterSalesFlag"
    " Nationality AlternateKey LastOperator DepositFlag EdiSource DeliveryNote Operator CaptureHh CaptureMm"
    " LastDelNote DateLastInvPrt DispatchesMade NumDispatches CustomerName ShipAddress1 ShipAddress2"
    " ShipAddress3 ShipAddress3Loc ShipAddress4 ShipAddress5 ShipPostalCode ShipToGpsLat ShipToGpsLong"
    " MultiShipCode WebCreated Quote Email CompanyTaxNo StandardComment DetailStatus SalesOrderSource"
    " SalesOrderSrcDesc LanguageCode NextDetailLine"
)
SOR_DETAIL = _names(
    "SalesOrder SalesOrderLine LineType MStockCode MStockDes MWarehouse MBin MOrderQty MShipQty"
    " MBackOrderQty QtyReserved MUnitCost MOrderUom MPrice MPriceUom MDiscPct1 MDiscPct2 MDiscPct3"
    " MDiscValue MDiscValFlag MProductClass MTaxCode MLineShipDate MCustRequestDat MCusSupStkCode"
    " MCreditOrderNo MCreditOrderLine MUserDef NComment NCommentFromLin NMscChargeValue NMscChargeCost"
    " NMscProductCls NMscTaxCode NChargeCode NMscChargeQty"
)
GEN_JOURNAL_CTL = _names(
    "GlYear GlPeriod GlJournal JournalDate NumOfEntries DebitAmount CreditAmount JnlPostingType Source"
    " JournalSource JnlStatus Authorised AuthorisedBy PostedBy PostDate Operator Reference Notation"
    " JnlPrintFlag"
)
GEN_JOURNAL_DETAIL = _names(
    "GlYear GlPeriod Journal EntryNumber EntryType EntryValue GlCode Reference Comment EntryDate"
    " TransactionDate DocumentDate EntryPosted InterCompanyFlag Company CurrencyValue PostCurrency Source"
    " Type SubModJournal SubModJob AnalysisEntry CommitmentFlag"
)
GEN_MASTER = _names(
    "Company GlCode Description AccountType ExpenseType GlGroup CurrentBalance PrevPerEndBal PtdDrValue"
    " PtdCrValue ControlAccFlag AccOnHldFlag AnalysisRequired AnalysisCategory TaxCode RevalCategory"
    " AltCurIndicator"
)
AP_BANK = _names(
    "Bank Description BankAccount Currency CashGlCode ArBankChargeReqd ArBankChargeGlCode CbStmtBal1"
    " CbStmtBal2 CbStmtBal3 CbCurBal1 CbCurBal2 CbCurBal3 CbCurBalLoc1 CbCurBalLoc2 CbCurBalLoc3 OutstDep1"
    " OutstDep2 OutstDep3 OutstWith1 OutstWith2 OutstWith3"
)
INV_MASTER = _names(
    "StockCode Description LongDesc AlternateKey1 AlternateKey2 StockUom AlternateUom OtherUom"
    " ConvFactAltUom ConvMulDiv ConvFactOthUom MulDiv Mass Volume Decimals PriceCategory PriceMethod"
    " Supplier ProductClass TaxCode OtherTaxCode ListPriceCode SerialMethod KitType Buyer Planner"
    " TraceableType PartCategory WarehouseToUse DistWarehouseToUse StockOnHold StockOnHoldReason SalesOnHold"
    " PurchOnHold UserField1 UserField2 UserField3 TariffCode CountryOfOrigin DateStkAdded"
)
INV_WAREHOUSE = _names(
    "StockCode Warehouse QtyOnHand QtyAllocated QtyOnOrder QtyOnBackOrder QtyInTransit QtyAllocatedWip"
    " UnitCost DefaultBin"
)
TBL_CURRENCY = _names(
    "Currency Description BuyExchangeRate BuyMulDiv SellExchangeRate SellMulDiv FixedRate Tolerance"
    " TriangReqd IntermediateCur"
)
SAL_BRANCH = _names(
    "Branch Description NextInvoice NextCreditNote NextSalesOrder SalesCtlAcc SalesTaxAcc FrtSalesAcc"
    " FrtCosAcc DepositAcc RoundingAcc FinChargeAcc"
)
ADM_TAX = _names(
    "TaxCode Description CurTaxRate PrvTaxRate TaxEffDate TaxBasis TaxIncExcl GlTaxGlCode ApTaxGlCode"
)
TBL_AR_TERMS = _names(
    "TermsCode Description DiscPct DiscDays DueDays DiscountOption InvoiceOption AgeingCode"
)
