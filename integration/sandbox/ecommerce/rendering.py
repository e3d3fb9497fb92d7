"""An order in the JSON of WooCommerce REST v3: decimals as strings, ``price`` a number, times without a zone."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from integration.sandbox.ecommerce.address import Address
from integration.sandbox.ecommerce.store import ZERO, Line, Note, Order

SHOP_ZONE = ZoneInfo("Europe/London")
Members = dict[str, object]


def woo_order(order: Order, base_url: str) -> Members:
    """Render one order as ``GET /orders/{id}`` does."""
    return {
        "id": order.id,
        "parent_id": 0,
        "status": order.status,
        "currency": order.sale.currency,
        "version": "9.4.2",
        "prices_include_tax": False,
        **_times(order),
        **_totals(order),
        "customer_id": order.sale.customer_id,
        "order_key": f"wc_order_{order.id:013d}",
        "billing": msgspec.to_builtins(order.sale.billing),
        "shipping": shipping_address(order.sale.shipping),
        "payment_method": "opayo",
        "payment_method_title": "Opayo",
        "transaction_id": order.transaction_id,
        "customer_ip_address": "",
        "customer_user_agent": "",
        "created_via": "checkout",
        "customer_note": order.sale.note,
        "cart_hash": "",
        "number": order.number,
        "meta_data": [
            {"id": order.id * 100 + place, "key": key, "value": value}
            for place, (key, value) in enumerate(order.meta.items())
        ],
        **_lines(order),
        "refunds": [],
        "payment_url": f"{base_url}/checkout/order-pay/{order.id}/",
        "is_editable": order.status in {"pending", "on-hold"},
        "needs_payment": order.status in {"pending", "failed"},
        "needs_processing": True,
        "currency_symbol": {"GBP": "£", "EUR": "€", "USD": "$"}.get(order.sale.currency, order.sale.currency),
        "_links": {"self": [{"href": f"{base_url}/wp-json/wc/v3/orders/{order.id}"}]},
    }


def woo_note(note: Note) -> Members:
    """Render one note as ``/orders/{id}/notes`` does."""
    return {
        "id": note.id,
        "author": "system",
        "date_created": _local(note.at),
        "date_created_gmt": _gmt(note.at),
        "note": note.text,
        "customer_note": note.for_customer,
    }


def _times(order: Order) -> Members:
    times = {
        "date_created": order.created_at,
        "date_modified": order.modified_at,
        "date_paid": order.paid_at,
        "date_completed": order.modified_at if order.status == "completed" else None,
    }
    rendered: Members = {name: _local(at) for name, at in times.items()}
    return rendered | {f"{name}_gmt": _gmt(at) for name, at in times.items()}


def _totals(order: Order) -> Members:
    freight = [line for _, line in order.lines("freight")]
    goods = [line for line in order.sale.lines if line.kind != "freight"]
    return {
        "discount_total": _money(sum((line.discount for line in goods), ZERO)),
        "discount_tax": _money(sum((_discount_tax(line, order) for line in goods), ZERO)),
        "shipping_total": _money(sum((line.net for line in freight), ZERO)),
        "shipping_tax": _money(sum((line.tax for line in freight), ZERO)),
        "cart_tax": _money(sum((line.tax for line in goods), ZERO)),
        "total": _money(order.total),
        "total_tax": _money(sum((line.tax for line in order.sale.lines), ZERO)),
    }


def _lines(order: Order) -> Members:
    goods = list(order.lines("stock"))
    freight = list(order.lines("freight"))
    return {
        "line_items": [_item(line_id, line, order) for line_id, line in goods],
        "tax_lines": _tax_lines(order),
        "shipping_lines": [
            {
                "id": line_id,
                "method_title": line.description or "Delivery",
                "method_id": "flat_rate",
                "instance_id": "1",
                "total": _money(line.net),
                "total_tax": _money(line.tax),
                "taxes": _taxes(line),
                "tax_status": "taxable",
                "meta_data": [],
            }
            for line_id, line in freight
        ],
        "fee_lines": [_fee(line_id, line) for line_id, line in order.lines("charge")],
        "coupon_lines": _coupons(order),
    }


def _item(line_id: int, line: Line, order: Order) -> Members:
    subtotal_tax = line.tax + _discount_tax(line, order)
    return {
        "id": line_id,
        "name": line.description,
        "product_id": _product_id(line.stock_code),
        "variation_id": 0,
        "quantity": line.quantity,
        "tax_class": "",
        "subtotal": _money(line.net + line.discount),
        "subtotal_tax": _money(subtotal_tax),
        "total": _money(line.net),
        "total_tax": _money(line.tax),
        "taxes": [{"id": 1, "total": str(line.tax), "subtotal": str(subtotal_tax)}] if line.tax else [],
        "meta_data": [],
        "sku": line.stock_code,
        # WooCommerce divides and sends a JSON number; no reader may take money from it.
        "price": float(line.net / line.quantity),
        "image": {"id": "", "src": ""},
        "parent_name": None,
    }


def _fee(line_id: int, line: Line) -> Members:
    return {
        "id": line_id,
        "name": line.description or "Fee",
        "tax_class": "",
        "tax_status": "taxable" if line.tax else "none",
        "amount": _money(line.net),
        "total": _money(line.net),
        "total_tax": _money(line.tax),
        "taxes": _taxes(line),
        "meta_data": [],
    }


def _tax_lines(order: Order) -> list[Members]:
    tax = sum((line.tax for line in order.sale.lines), ZERO)
    if not tax:
        return []
    shipping = sum((line.tax for _, line in order.lines("freight")), ZERO)
    country = order.sale.shipping.country or order.sale.billing.country
    return [
        {
            "id": order.id * 1000 + 999,
            "rate_code": f"{country}-VAT-1",
            "rate_id": 1,
            "label": "VAT",
            "compound": False,
            "tax_total": _money(tax - shipping),
            "shipping_tax_total": _money(shipping),
            "rate_percent": float(order.sale.tax_rate),
            "meta_data": [],
        }
    ]


def _coupons(order: Order) -> list[Members]:
    discount = sum((line.discount for line in order.sale.lines), ZERO)
    if not discount:
        return []
    tax = sum((_discount_tax(line, order) for line in order.sale.lines), ZERO)
    coupon: Members = {"id": order.id * 1000 + 998, "code": order.sale.coupon_code or "discount"}
    return [coupon | {"discount": _money(discount), "discount_tax": _money(tax), "meta_data": []}]


def _discount_tax(line: Line, order: Order) -> Decimal:
    return (line.discount * order.sale.tax_rate / 100).quantize(ZERO) if line.tax else ZERO


def _taxes(line: Line) -> list[Members]:
    return [{"id": 1, "total": str(line.tax), "subtotal": ""}] if line.tax else []


def shipping_address(address: Address) -> Members:
    """A delivery address, which has no e-mail address."""
    members: Members = msgspec.to_builtins(address)
    del members["email"]
    return members


def _product_id(stock_code: str) -> int:
    return int.from_bytes(stock_code.encode()[:6], "big") % 1_000_000 + 1 if stock_code else 0


def _money(value: Decimal) -> str:
    return f"{value:.2f}"


def _local(at: dt.datetime | None) -> str | None:
    return at.astimezone(SHOP_ZONE).strftime("%Y-%m-%dT%H:%M:%S") if at else None


def _gmt(at: dt.datetime | None) -> str | None:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S") if at else None
