"""What the e.net transport sends: SYSPRO's documents to the letter, in ASCII, with every parameter said."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from integration.canonical.documents import ErpDocument, SalesOrderLine
from integration.errors import UnmappedField
from integration.syspro.config import SysproConfig
from integration.syspro.currency import CurrencyCodes
from integration.syspro.enet import EnetConfig
from integration.syspro.enet.building import enveloped, xml
from integration.syspro.enet.documents import Surroundings, rehearsal_of, transaction_for
from integration.syspro.enet.key_widths import Widths
from integration.syspro.enet.objects import BUSINESS_OBJECTS, Transaction
from tests.connectors.erp_site import credit_memo, gbp, journal, of_every_kind, order, paying, payment

CONFIG = SysproConfig(base_url="http://erp", operator="A", operator_password="x", company_id="E")


def sent(document: ErpDocument, enet: EnetConfig | None = None, **changes: object) -> Transaction:
    at = Surroundings(
        config=msgspec.structs.replace(CONFIG, **changes),
        enet=enet or EnetConfig(),
        codes=CurrencyCodes({"GBP": "$"}),
        widths=Widths(customers=7, invoices=15),
    )
    return transaction_for(document, at)


def parameters(transaction: Transaction) -> dict[str, str]:
    (group,) = etree.fromstring(transaction.parameters)
    return {each.tag: each.text or "" for each in group}


def test_a_payment_is_sent_as_arstpy_wants_it() -> None:
    assert sent(paying(unapplied=2_000)).document == (
        "<PostArPayment><Item><Payment><Customer>0000001</Customer><PaymentValue>120.00</PaymentValue>"
        "<Reference>PAYINV</Reference><PaymentDate>2025-06-16</PaymentDate>"
        "<JournalNotation>Opayo WEB-1</JournalNotation>"
        "<PaymentNarration>6b1f0c7e-2d9a-4b3c-8e5f-7a1b2c3d4e5f</PaymentNarration>"
        "<Bank>OC</Bank><PaymentType>O</PaymentType>"
        "<InvoiceToPay><TransactionType>I</TransactionType><Invoice>000000000009001</Invoice>"
        "<GrossPaymentValue>101.00</GrossPaymentValue><DiscountValue>1.00</DiscountValue></InvoiceToPay>"
        "<UnappliedPayment><GrossPaymentValue>20.00</GrossPaymentValue><DiscountValue>0.00</DiscountValue>"
        "<CustomerPurchaseOrder>WEB-1</CustomerPurchaseOrder></UnappliedPayment>"
        "</Payment></Item></PostArPayment>"
    )


def test_a_credit_memo_is_sent_as_arstin_wants_it() -> None:
    memo = msgspec.structs.replace(credit_memo(), tax_code="A", tax_value=gbp(417))
    assert sent(memo).document == (
        "<PostArInvoices><Item><TransactionType>C</TransactionType><Customer>0000001</Customer>"
        "<PostToExistingInvoice>N</PostToExistingInvoice><GenerateInvoiceNumber>Y</GenerateInvoiceNumber>"
        "<InvoiceDate>2025-06-16</InvoiceDate><Reference>REFUND1</Reference><InvoiceValue>25.00</InvoiceValue>"
        "<Taxable>Y</Taxable><TaxCode>A</TaxCode><TaxValue>4.17</TaxValue><CostValue>0.00</CostValue>"
        "<ProductClass>WEB</ProductClass><InvoiceTerms>00</InvoiceTerms><Branch>10</Branch>"
        "</Item></PostArInvoices>"
    )


@pytest.mark.parametrize(("sign", "amounts"), [(1, ["12.34", "-12.34"]), (-1, ["-12.34", "12.34"])])
def test_a_journal_is_sent_with_year_and_period_and_the_sign_of_the_site(
    sign: int, amounts: list[str]
) -> None:
    document = etree.fromstring(sent(journal(), entry_amount_sign=sign).document)
    (item,) = document
    told = {each.tag: each.text for each in item if each.tag != "JournalDetails"}
    assert (told["PostingPeriod"], told["PostingYear"], told["JournalDate"]) == ("06", "2025", "2025-06-16")
    assert (told["AuthorizeJournal"], told["PostJournal"], told["HoldJournal"]) == ("A", "Y", "N")
    assert [each.text for each in document.iter("EntryAmount")] == amounts


def test_order_lines_of_all_kinds_stand_in_the_order_of_their_numbers() -> None:
    stock, freight, charge, comment = order().lines
    mixed = tuple(
        msgspec.structs.replace(line, customer_po_line=place)
        for line, place in ((comment, 1), (stock, 3), (freight, 2), (charge, 4))
    )
    document = etree.fromstring(sent(msgspec.structs.replace(order(), lines=mixed)).document)
    (details,) = document.iter("OrderDetails")
    assert [line.tag for line in details] == ["CommentLine", "FreightLine", "StockLine", "MiscChargeLine"]
    assert [line.findtext("CustomerPoLine") for line in details] == ["0001", "0002", "0003", "0004"]


def test_an_order_is_sent_in_the_sites_currency_with_fixed_decimals_and_nothing_empty() -> None:
    document = etree.fromstring(sent(order()).document)
    told = {each.tag: each.text for each in document.iter()}
    assert (told["Currency"], told["Customer"], told["OrderActionType"]) == ("$", "0000001", "A")
    assert (told["OrderQty"], told["Price"], told["PriceUom"]) == ("2.000000", "10.12345", "EA")
    assert (told["StockTaxCode"], told["MiscNotTaxable"], told["MiscChargeValue"]) == ("A", "Y", "-1.00")
    assert len(told["TransmissionReference"] or "") <= 14
    assert [each.tag for each in document.iter() if len(each) == 0 and not each.text] == []


def test_every_parameter_is_said_and_only_a_rehearsal_posts_nothing() -> None:
    for document in of_every_kind().values():
        real = sent(document)
        kind = real.business_object
        said, rehearsed = parameters(real), parameters(rehearsal_of(kind, CONFIG, EnetConfig()))
        assert said.keys() == rehearsed.keys()
        differing = {name: (said[name], rehearsed[name]) for name in said if said[name] != rehearsed[name]}
        expected = (
            {"Process": ("IMPORT", "VALIDATE")} if kind.code == "SORTOI" else {"ValidateOnly": ("N", "Y")}
        )
        assert differing == expected


def test_a_warning_stops_money_and_not_an_order_unless_the_site_says_otherwise() -> None:
    strict = EnetConfig(order_warnings="N", money_warnings="Y")
    assert parameters(sent(order()))["IgnoreWarnings"] == "W"
    assert parameters(sent(payment()))["IgnoreWarnings"] == "N"
    assert parameters(sent(order(), strict))["IgnoreWarnings"] == "N"
    assert parameters(sent(payment(), strict))["IgnoreWarnings"] == "Y"
    assert parameters(sent(payment(), posting_period="P"))["PostingPeriod"] == "P"
    assert parameters(sent(payment()))["AutoCorrectPaymentValue"] == "N"


def test_a_rehearsal_holds_no_document() -> None:
    for kind in BUSINESS_OBJECTS:
        assert rehearsal_of(kind, CONFIG, EnetConfig()).document == f"<{kind.root}/>"


@pytest.mark.parametrize(
    "document",
    [
        payment("A,B"),
        payment(customer="X" * 16),
        msgspec.structs.replace(order(), ship_address2="x" * 41),
        msgspec.structs.replace(
            order(), lines=(SalesOrderLine(kind="stock", customer_po_line=1, stock_code="A"),)
        ),
        msgspec.structs.replace(order(), lines=(SalesOrderLine(kind="freight", customer_po_line=1),)),
        msgspec.structs.replace(
            order(), lines=(msgspec.structs.replace(order().lines[0], price=Decimal("1.123456")),)
        ),
    ],
    ids=["unfindable", "long-customer", "long-address", "no-quantity", "no-value", "long-price"],
)
def test_what_does_not_fit_is_refused_before_it_is_sent(document: ErpDocument) -> None:
    with pytest.raises(UnmappedField):
        sent(document)


@given(st.text())
def test_any_text_is_ascii_on_the_way_and_itself_again_without_what_xml_cannot_hold(text: str) -> None:
    built = xml("A", [("B", text)])
    body = enveloped("TOKEN  ", "SORTOI", "<P/>", built)
    assert body.isascii()
    token, code, _, carried = etree.fromstring(body)
    assert (token.text, code.text, carried.text) == ("TOKEN  ", "SORTOI", built)
    kept = "".join(char for char in text if char in "\t\n\r" or (char >= " " and char not in "\ufffe\uffff"))
    read = etree.fromstring(carried.text or "").findtext("B") or ""
    assert read == "".join(char for char in kept if not "\ud800" <= char <= "\udfff")
