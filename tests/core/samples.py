"""Small payments and orders for the tests of mappings, and the mappings that ship."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import yaml

from integration.canonical.money import Money
from integration.canonical.order import Order, OrderLine
from integration.canonical.party import Party, PostalAddress
from integration.canonical.payment import GatewayTransaction
from service.core.field_dictionary import FieldDictionary
from service.core.mapping import Mapping, compile_mapping
from service.core.mapping_document import MappingDocument
from service.core.source_document import payment_document

DATA = Path(__file__).parents[2] / "data"
PAIR = {"warehouse": "FG", "branch": "10", "bank": "OC", "notation": "Opayo", "product_class": "WEB"}
HOME = PostalAddress(name="J Smith", lines=("1 High Street",), city="Leeds", postcode="LS1 1AA", country="GB")


def pounds(minor: int) -> Money:
    return Money(minor, "GBP")


def transaction(code: str = "SO-104233-2", minor: int = 12_995) -> GatewayTransaction:
    return GatewayTransaction(
        transaction_id="6B1F0C7E-2D9A-4B3C-8E5F-7A1B2C3D4E5F",
        vendor_tx_code=code,
        kind="payment",
        state="captured",
        amount=pounds(minor),
        status="Ok",
        created_at=datetime(2025, 6, 2, 23, 30, tzinfo=UTC),
    )


LAMP = OrderLine(
    kind="stock",
    stock_code="A100",
    description="Łamp",
    quantity=Decimal(3),
    unit_price=Decimal("10.5"),
    net=pounds(3150),
    tax=pounds(630),
)
COURIER = OrderLine(kind="freight", description="Courier", net=pounds(400), tax=pounds(80))
VOUCHER = OrderLine(kind="charge", description="Voucher", net=pounds(-100), tax=pounds(0))
WRAPPING = OrderLine(kind="charge", description="Gift wrap", net=pounds(250), tax=pounds(50))


def order(*lines: OrderLine) -> Order:
    return Order(
        reference="77",
        number="104233",
        total=pounds(12_995),
        customer=Party(first_name="J", last_name="Smith", email="j@example.org"),
        billing=HOME,
        shipping=HOME,
        lines=lines,
    )


def shipped(kind: str) -> Mapping:
    document = yaml.safe_load((DATA / f"templates/mappings/{kind}.yaml").read_text("utf-8"))
    dictionary = yaml.safe_load((DATA / f"reference/syspro_{kind}.yaml").read_text("utf-8"))
    return compile_mapping(MappingDocument.from_dict(document), FieldDictionary.from_dict(dictionary))


SALES_ORDER = shipped("sales_order")
AR_PAYMENT = shipped("ar_payment")
SOURCE = payment_document(transaction(), order(LAMP, COURIER), PAIR, "WEB001")
