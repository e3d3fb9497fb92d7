"""Documents as the reference writes them, order of elements and all; the customer's key is a free one."""

PAYMENT_PARAMETERS = (
    "<PostArPayment><Parameters><PostingPeriod>C</PostingPeriod><IgnoreWarnings>N</IgnoreWarnings>"
    "<ApplyIfEntireDocumentValid>Y</ApplyIfEntireDocumentValid>\n <ValidateOnly>N</ValidateOnly>"
    "<AutoCorrectPaymentValue>N</AutoCorrectPaymentValue><ApplySpecificBranch>N</ApplySpecificBranch><BranchToUse/>\n"
    " <IntegrateToCashBookInDetail>N</IntegrateToCashBookInDetail><AutoCalculateTax>N</AutoCalculateTax>"
    "<IgnoreAnalysis>Y</IgnoreAnalysis></Parameters></PostArPayment>"
)
PAYMENT = (
    "<PostArPayment><Item><Payment><Customer>0000001</Customer><PaymentValue>120.00</PaymentValue>"
    "<Reference>6B1F0C7E2D9A4B3C8E5F7A1B2C3D4E</Reference>\n <PaymentDate>2025-06-02</PaymentDate>"
    "<JournalNotation>Opayo WEB-2025-000123</JournalNotation>"
    "<PaymentNarration>6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f</PaymentNarration>\n <Bank>OC</Bank>"
    "<PaymentType>O</PaymentType>\n <InvoiceToPay><TransactionType>I</TransactionType><Invoice>100270</Invoice>"
    "<GrossPaymentValue>100.00</GrossPaymentValue><DiscountValue>0.00</DiscountValue></InvoiceToPay>\n"
    " <UnappliedPayment><GrossPaymentValue>20.00</GrossPaymentValue><DiscountValue>0.00</DiscountValue>"
    "<CustomerPurchaseOrder>WEB-2025-000124</CustomerPurchaseOrder></UnappliedPayment>\n"
    "</Payment></Item></PostArPayment>"
)
CREDIT_MEMO = (
    "<PostArInvoices><Item><TransactionType>C</TransactionType><Customer>0000001</Customer>"
    "<PostToExistingInvoice>N</PostToExistingInvoice><GenerateInvoiceNumber>Y</GenerateInvoiceNumber>\n <Invoice/>"
    "<InvoiceDate>2025-06-05</InvoiceDate><Reference>9A0C</Reference><InvoiceValue>12.00</InvoiceValue>"
    "<TaxCode>A</TaxCode><TaxValue>2.00</TaxValue>\n <CostValue>0.00</CostValue><ProductClass>WEB</ProductClass>"
    "<Branch>10</Branch></Item></PostArInvoices>"
)
WITHDRAWAL = (
    "<PostCbDepositsWithdrawals><Item><AddTransaction><Bank>OC</Bank><DepositOrWithdrawal>W</DepositOrWithdrawal>"
    "<Reconciled>N</Reconciled>\n <Reference>OPAYO SETTLE 20250602</Reference><TransactionValue>2.34</TransactionValue>"
    "<TransactionDate>2025-06-03</TransactionDate><Narration>Opayo fees</Narration>\n"
    " <WithdrawalType>M</WithdrawalType><CheckNumber/><TaxBasis>I</TaxBasis>\n <LedgerDistribution>"
    "<LedgerCode>30-6200</LedgerCode><LedgerTaxCode/><LedgerNotation>Card fees</LedgerNotation>"
    "<LedgerValue>2.34</LedgerValue></LedgerDistribution>\n</AddTransaction></Item></PostCbDepositsWithdrawals>"
)
JOURNAL = (
    "<PostGlJournal><Item><JournalType>N</JournalType><JournalNumber/><AuthorizeJournal>A</AuthorizeJournal>"
    "<PostJournal>Y</PostJournal><CancelJournal>N</CancelJournal><HoldJournal>N</HoldJournal>\n"
    " <JournalDate>2025-06-03</JournalDate><JournalReference>OPAYO SETTLE 20250602</JournalReference>"
    "<Notation>Opayo fees</Notation><PostingPeriod>06</PostingPeriod><PostingYear>2025</PostingYear>\n"
    " <JournalDetails><EntryNumber/><LedgerCode>30-6200</LedgerCode><Reference>OPAYO SETTLE 20250602</Reference>"
    "<EntryAmount>2.34</EntryAmount><Comment>Card fees</Comment></JournalDetails>\n"
    " <JournalDetails><EntryNumber/><LedgerCode>00-1015</LedgerCode><Reference>OPAYO SETTLE 20250602</Reference>"
    "<EntryAmount>-2.34</EntryAmount><Comment>Card fees</Comment></JournalDetails>\n</Item></PostGlJournal>"
)
ORDER_PARAMETERS = (
    "<SalesOrders><Parameters><InBoxMsgReqd>N</InBoxMsgReqd><Process>IMPORT</Process><TypeOfOrder>ORD</TypeOfOrder>"
    "<OrderStatus>1</OrderStatus><IgnoreWarnings>W</IgnoreWarnings>\n <AllocationAction>A</AllocationAction>"
    "<AlwaysUsePriceEntered>Y</AlwaysUsePriceEntered><AllowZeroPrice>N</AllowZeroPrice>"
    "<AllowDuplicateOrderNumbers>N</AllowDuplicateOrderNumbers>\n"
    " <CheckForCustomerPoNumbers>Y</CheckForCustomerPoNumbers><AcceptEarlierShipDate>Y</AcceptEarlierShipDate>"
    "<ShipFromDefaultBin>Y</ShipFromDefaultBin><AllowNonStockItems>N</AllowNonStockItems>\n"
    " <WarnIfCustomerOnHold>N</WarnIfCustomerOnHold><StatusInProcess>N</StatusInProcess></Parameters></SalesOrders>"
)
ORDER = (
    "<SalesOrders><TransmissionHeader><TransmissionReference>00000000000003</TransmissionReference>"
    "</TransmissionHeader>\n <Orders><OrderHeader><CustomerPoNumber>WEB-2025-000123</CustomerPoNumber>"
    "<OrderActionType>A</OrderActionType><Customer>0000001</Customer><OrderDate>2025-06-02</OrderDate>\n"
    "   <CustomerName>J Smith</CustomerName><ShipAddress1/><ShipAddress2>1 High Street</ShipAddress2>"
    "<ShipAddress3>Leeds</ShipAddress3><ShipPostalCode>LS1 1AA</ShipPostalCode>\n   <Email>j@example.org</Email>"
    "<RequestedShipDate>2025-06-04</RequestedShipDate></OrderHeader>\n  <OrderDetails>\n   <StockLine>"
    "<CustomerPoLine>0001</CustomerPoLine><LineActionType>A</LineActionType><StockCode>A100</StockCode>"
    "<Warehouse>FG</Warehouse><OrderQty>2.000</OrderQty><OrderUom>EA</OrderUom>\n     <Price>10.00</Price>"
    "<PriceUom>EA</PriceUom><StockTaxCode>A</StockTaxCode></StockLine>\n   <FreightLine>"
    "<CustomerPoLine>0002</CustomerPoLine><LineActionType>A</LineActionType><FreightValue>4.00</FreightValue>"
    "<FreightCost>0.00</FreightCost></FreightLine>\n  </OrderDetails></Orders></SalesOrders>"
)
CUSTOMER_PARAMETERS = (
    "<SetupArCustomer><Parameters><IgnoreWarnings>N</IgnoreWarnings>"
    "<ApplyIfEntireDocumentValid>Y</ApplyIfEntireDocumentValid><ValidateOnly>N</ValidateOnly></Parameters>"
    "</SetupArCustomer>"
)
CUSTOMER = (
    "<SetupArCustomer><Item><Key><Customer>WEB9001</Customer></Key><Name>J Smith</Name>"
    "<Salesperson>100</Salesperson><Branch>10</Branch><TermsCode>0</TermsCode><ShortName>J Smith</ShortName>\n"
    " <BalanceType>I</BalanceType><TaxStatus>N</TaxStatus><Currency/><Email>j@example.org</Email>"
    "<SoldToAddr2>1 High Street</SoldToAddr2><SoldToAddr3>Leeds</SoldToAddr3><SoldPostalCode>LS1 1AA</SoldPostalCode>"
    "</Item></SetupArCustomer>"
)
